"""What the user does with single items of the outbox: correct one, save a copy of one, open copies."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.domain.entry import DocumentInfo, EntryDetail, EntryDraft
from app.domain.file_names import clean_name, shown_name
from app.domain.outbox_item import OutboxItem
from app.domain.text import clean_text, isolated
from app.errors import InputError, OfflineError
from app.services.accounts import Accounts
from app.services.copy_check import CopyCheck, FoundAt, ReadCopy
from app.services.documents import Documents
from app.services.entries import check_draft, draft_of
from app.services.outbox_copy import (
    MAX_BYTES,
    CopiedOperation,
    bill_file,
    decode_copy,
    encode_copy,
    item_of_copy,
)
from app.store.chosen_files import open_file
from app.store.durable import os_errors_translated
from app.store.outbox import Outbox

_MOST_COPIES: Final = 200
"""That can be opened at once."""
_GONE: Final = (
    "This entry can no longer be corrected here, because it was sent or changed in the meantime. "
    "Nothing was saved. Please look for it among your entries."
)


@dataclass(frozen=True, slots=True)
class Correction:
    """A refused entry to correct. `fields` maps fields to sentences; `sentence` is the whole reason."""

    op_id: str
    before: EntryDetail
    draft: EntryDraft
    sentence: str
    fields: dict[str, str] = field(default_factory=dict)


class OutboxItems:
    """Corrects and copies items. Thread-safe. `now_us` returns this computer's time in µs since 1970."""

    def __init__(
        self,
        accounts: Accounts,
        outbox: Outbox,
        documents: Documents,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._accounts = accounts
        self._outbox = outbox
        self._documents = documents
        self._now_us = now_us

    def to_correct(self, op_id: str) -> Correction:
        """Return a refused entry with the reason. Raises InputError if it cannot be corrected any more."""
        refused, last = self._outbox.get(op_id), self._outbox.correctable(op_id)
        if refused is None or last is None:
            raise InputError(_GONE)
        draft = draft_of(last.detail())
        fields = self._outbox.error_fields(op_id)
        return Correction(op_id, last.detail(), draft, refused.last_error, fields or _own_errors(draft))

    def correct(self, op_id: str, draft: EntryDraft) -> EntryDetail:
        """Replace a refused entry by `draft`, in one transaction. It is durable on return, and waits.

        Raises InputError if the draft is not valid, or if the entry cannot be corrected any more.
        """
        check_draft(draft)
        prefix, offset_us = self._accounts.require_session().code_prefix, self._accounts.offset_us
        made = self._outbox.correct(op_id, draft, prefix, self._now_us(), offset_us)
        if made is None:
            raise InputError(_GONE)
        return made.detail()

    # --- copies ----------------------------------------------------------------------------------

    def save_copy(self, item: OutboxItem, folder: Path) -> Path:
        """Write an item and its bills to a new folder in `folder`; return the new folder. Raises AppError.

        The file with the entry is written last: a copy that has it is whole. A bill that only the server
        has is left out if no server answers, because sending the item does not need it.
        """
        user_name, added = self._accounts.require_session().user_name, item.added
        with os_errors_translated(folder):
            target = _new_folder(folder, clean_name(f"Bahi {item.human_code}"))
        for document in item.documents:
            try:
                self._documents.save_copy(document, target / bill_file(document))
            except OfflineError:
                if document in added:
                    raise
        with os_errors_translated(target):
            file = target / clean_name(f"{item.human_code}.json")
            file.write_bytes(encode_copy(item, user_name))
        return target

    def read_copies(self, files: Sequence[Path]) -> tuple[ReadCopy, ...]:
        """Read copies, oldest operation first, and store their bills. Nothing is added to the outbox yet.

        Raises InputError, with a sentence that names the file, if one is not a whole copy of this book, or
        changes an entry from a state that the book does not have.
        """
        if len(files) > _MOST_COPIES:
            raise InputError(f"Please open at most {_MOST_COPIES} copies at once.")
        items = [(self._read(file), shown_name(clean_name(file.name))) for file in files]
        items.sort(key=lambda pair: (pair[0].ver, pair[0].op_id))
        return CopyCheck(self._accounts, self._outbox).check(items)

    def add(self, copies: Sequence[ReadCopy]) -> int:
        """Add the operations that are nowhere yet to the outbox; return their number.

        Each has the op_id that it had, so it is never sent twice, however often a copy is opened.
        """
        new = [copy.item for copy in copies if copy.found is FoundAt.NOWHERE]
        return sum(self._outbox.put_back(item) for item in new)

    def _read(self, file: Path) -> OutboxItem:
        shown = shown_name(clean_name(file.name))
        copy = decode_copy(_content(file, shown), shown)
        item = item_of_copy(copy, shown)
        if item.book_id != self._accounts.require_session().book_id:
            owner = isolated(clean_text(copy.user)[:60])
            raise InputError(f"“{shown}” is from another book. Only {owner} can open it, where it was made.")
        files = _files_of(copy)
        for document in item.added:
            self._take_bill(document, file.parent / files[document.id], shown)
        return item

    def _take_bill(self, document: DocumentInfo, file: Path, copy: str) -> None:
        try:
            made = self._documents.attach_file(file)
        except InputError as error:
            raise InputError(f"A bill of the copy “{copy}” is missing. {error.message}") from error
        found = (made.sha256, made.byte_size, made.media_type)
        if found != (document.sha256, document.byte_size, document.media_type):
            name = shown_name(file.name)
            raise InputError(f"The bill “{name}” is not the one that belongs to the copy “{copy}”.")


def _own_errors(draft: EntryDraft) -> dict[str, str]:
    try:
        check_draft(draft)
    except InputError as error:
        return error.fields
    return {}


def _content(file: Path, shown: str) -> bytes:
    data = b""
    with open_file(file) as opened:
        for chunk in opened.chunks():
            data += chunk
            if len(data) > MAX_BYTES:
                raise InputError(f"“{shown}” is too large to be a copy of an entry.")
    return data


def _files_of(copy: CopiedOperation) -> dict[str, str]:
    return {bill.id: bill.file for bill in copy.documents}


def _new_folder(folder: Path, name: str) -> Path:
    for number in range(1, 1000):
        target = folder / (name if number == 1 else f"{name} ({number})")
        try:
            target.mkdir()
        except FileExistsError:
            continue
        return target
    raise FileExistsError(name)
