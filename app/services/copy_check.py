"""Finds out what opened copies would do. What is shown of an existing entry is the book's, not the copy's."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from app.domain.entry import DocumentInfo, EntryDetail, EntryState, HistoryVersion, ListedEntry
from app.domain.outbox_item import OutboxItem, OutboxKind
from app.errors import InputError, OfflineError, ServerError
from app.remote.translate import version_of
from app.services.accounts import Accounts
from app.store.outbox import Outbox
from server.contract.errors import ErrorCode

_MOST_CHANGES: Final = 8
"""Changes of existing entries that can be opened at once, so that each can be shown."""
_NOTHING: Final = "Nothing was added."


class FoundAt(Enum):
    """Where the operation of a copy is already."""

    NOWHERE = "nowhere"
    OUTBOX = "outbox"
    BOOK = "book"


@dataclass(frozen=True, slots=True)
class ReadCopy:
    """The operation in a copy, and where it is already.

    `before` is the entry as it really is now, None if it is new. `removed` are its bills that the operation
    removes.
    """

    item: OutboxItem
    found: FoundAt
    before: ListedEntry | None = None
    removed: tuple[DocumentInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """What the book and the outbox have of an entry: how it is now, its versions, and all bills ever."""

    now: ListedEntry
    versions: tuple[ListedEntry, ...]
    bills: dict[str, DocumentInfo]

    def has(self, base: EntryDetail) -> bool:
        """Return whether `base` is one of the versions, and its bills are bills of the entry."""
        entry, known = _content(base.entry), {_content(version) for version in self.versions}
        return entry in known and all(self.bills.get(bill.id) == bill for bill in base.documents)

    def after(self, item: OutboxItem) -> "KnownEntry":
        """Return the entry after one more operation."""
        row = item.listed()
        bills = self.bills | {bill.id: bill for bill in item.added}
        return KnownEntry(row if row.ver > self.now.ver else self.now, (*self.versions, row), bills)


class CopyCheck:
    """Checks the copies that are opened together, oldest operation first. Use it once."""

    def __init__(self, accounts: Accounts, outbox: Outbox) -> None:
        self._accounts = accounts
        self._outbox = outbox
        self._book = accounts.require_session().book_id
        self._seen: dict[str, OutboxItem] = {}
        self._opened: dict[str, list[OutboxItem]] = {}

    def check(self, items: Iterable[tuple[OutboxItem, str]]) -> tuple[ReadCopy, ...]:
        """Return what each item is; `items` are pairs with the file's name as it is shown.

        The same copy counts once. Raises InputError, with a sentence that names the file, if a copy
        contradicts the book or another copy.
        """
        found = [self._placed(item, shown) for item, shown in items if not self._is_again(item, shown)]
        changes = [each for each in found if each.found is FoundAt.NOWHERE and each.before]
        if len(changes) > _MOST_CHANGES:
            raise InputError(f"Please open at most {_MOST_CHANGES} changes of entries at once. {_NOTHING}")
        return tuple(found)

    def _is_again(self, item: OutboxItem, shown: str) -> bool:
        twin = self._seen.setdefault(item.op_id, item)
        if twin == item and twin is not item:
            return True
        created_again = item.kind is OutboxKind.CREATE and item.entry_id in self._opened
        if twin is not item or created_again:
            raise InputError(
                f"“{shown}” and another of these copies are of the same entry, but differ. One of them was "
                f"changed after Bahi saved it. {_NOTHING}"
            )
        return False

    def _placed(self, item: OutboxItem, shown: str) -> ReadCopy:
        waiting = self._waiting(item)
        if waiting is not None:
            return ReadCopy(item, FoundAt.OUTBOX, waiting.listed())
        here = [each for each in self._outbox.items(self._book) if each.entry_id == item.entry_id]
        here += self._opened.get(item.entry_id, [])
        history = self._history(item, shown, here)
        placed = _compared(item, shown, history, here)
        if placed.found is FoundAt.NOWHERE:
            self._opened.setdefault(item.entry_id, []).append(placed.item)
        return placed

    def _waiting(self, item: OutboxItem) -> OutboxItem | None:
        waiting = self._outbox.get(item.op_id)
        if waiting is None and item.kind is OutboxKind.CREATE:
            return self._outbox.find_entry(self._book, item.entry_id)  # corrected, under a new op_id
        return waiting

    def _history(self, item: OutboxItem, shown: str, here: list[OutboxItem]) -> list[HistoryVersion]:
        """Return the versions in the book, newest first; none if it has no such entry."""
        try:
            versions = self._accounts.remote.api.for_book(self._book).history(item.entry_id).versions
        except OfflineError as error:
            # The server refuses a new entry whose id it has, and answers with the same receipt if it has
            # the operation. A change of an entry that is not sent yet needs no book.
            if item.kind is OutboxKind.CREATE or any(each.kind is OutboxKind.CREATE for each in here):
                return []
            raise InputError(
                f"“{shown}” changes an entry of your book, so Bahi must look at that entry first. Your book "
                f"cannot be reached now. Please open this copy again later. {_NOTHING}"
            ) from error
        except ServerError as error:
            if error.code != ErrorCode.NOT_FOUND:
                raise
            return []
        return [version_of(version) for version in versions]


def _compared(
    item: OutboxItem, shown: str, history: list[HistoryVersion], here: list[OutboxItem]
) -> ReadCopy:
    known = _known(history, here)
    in_book = item.op_id in {version.op_id for version in history}
    if known is not None and (in_book or item.kind is OutboxKind.CREATE):
        return ReadCopy(item, FoundAt.BOOK, known.now)
    if item.base is None:
        return ReadCopy(item, FoundAt.NOWHERE)
    if known is None or not known.has(item.base):
        raise InputError(
            f"“{shown}” does not fit your book: it changes an entry from a state that the entry never had "
            f"there. If that state is in another copy, please open both together. {_NOTHING}"
        )
    sent = _as_sent(item)
    removed = tuple(known.bills[id_] for id_ in sent.removed)
    return ReadCopy(sent, FoundAt.NOWHERE, known.now, removed)


def _known(history: list[HistoryVersion], here: list[OutboxItem]) -> KnownEntry | None:
    """Return what the book has, followed by what waits here and what was opened before; None if neither."""
    items, rows = iter(here), [version.entry for version in history]
    bills = {bill.id: bill for version in history for bill in version.documents_added}
    if rows:
        known = KnownEntry(max(rows, key=lambda row: row.ver), tuple(rows), bills)
    elif here and here[0].kind is OutboxKind.CREATE:
        first = next(items)
        known = KnownEntry(first.listed(), (first.listed(),), {bill.id: bill for bill in first.documents})
    else:
        return None
    for item in items:
        known = known.after(item)
    return known


def _as_sent(item: OutboxItem) -> OutboxItem:
    """Return the item with the content that the server will store: only an edit brings its own."""
    if item.base is None or item.kind is OutboxKind.EDIT:
        return item
    entry = item.base.entry
    return replace(
        item,
        entry_date=entry.entry_date,
        amount=entry.amount,
        direction=entry.direction,
        category=entry.category,
        description=entry.description,
        documents=item.base.documents,
    )


def _content(entry: ListedEntry) -> ListedEntry:
    return replace(entry, document_count=0, state=EntryState.CONFIRMED, note="")
