"""Moves the open book to another server: copies it by the normal calls, compares, then opens it there."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.domain.text import clean_text
from app.errors import AppError, OfflineError, ServerError
from app.services.accounts import Accounts, BookSession
from app.services.book_copy import BookCopy, MoveProgress
from app.services.login import read_invite
from app.services.pending_session import PendingSession
from app.services.sync import SyncReport
from app.store.durable import os_errors_translated
from app.store.files import Files
from app.store.outbox import Outbox
from app.store.settings import Settings
from server.contract.shapes import BookDigest

__all__ = ["MoveProgress", "MoveResult", "Moving"]

_BEGUN: Final = "move_begun"
_MOVED: Final = "moved_to"
OpenPending = Callable[[str, str, str, bool, str], PendingSession]
"""Called with address, user name, password, whether to create the account, and invite code."""


@dataclass(frozen=True, slots=True)
class MoveResult:
    """The number of entries, bills and versions in the moved book, and its session, which is now open."""

    entries: int
    documents: int
    versions: int
    session: BookSession


class Moving:
    """Moves the open book, and never changes the book here.

    After an error or a cancel the move can be started again; it copies what is still missing. `send` sends
    the outbox and returns a report.
    """

    def __init__(
        self,
        accounts: Accounts,
        send: Callable[[], SyncReport],
        outbox: Outbox,
        settings: Settings,
        open_pending: OpenPending,
    ) -> None:
        self._accounts = accounts
        self._send = send
        self._outbox = outbox
        self._settings = settings
        self._open_pending = open_pending

    def pending(self) -> str:
        """Return the address of an unfinished move of the open book; "" if there is none."""
        return self._noted(_BEGUN)

    def pending_user(self) -> str:
        """Return the user name of the unfinished move; "" if there is none."""
        return self._noted(_BEGUN, "user_name")

    def moved_to(self) -> str:
        """Return the address that the open book was moved to; "" if it was not moved."""
        return self._noted(_MOVED)

    def move(
        self,
        address: str,
        user_name: str,
        password: str,
        create: bool,
        invite_code: str,
        progress: Callable[[MoveProgress], None],
        cancelled: Callable[[], bool],
    ) -> MoveResult:
        """Copy the open book to the account at `address`, compare both books, and open the other one.

        Raises InputError and SignInError as a log-in does, OfflineError if either server does not answer, and
        CancelledError between two entries; after these the move can be continued. Raises ServerError if the
        other book has other entries, or its server rejects a version.
        """
        book = self._accounts.require_session()
        progress(MoveProgress(0, 0, 0, "connecting"))
        self._send_waiting()
        with _spare_folder() as spare, ExitStack() as undo:
            pending = self._open_pending(address, user_name, password, create, invite_code)
            undo.callback(pending.close)
            self._note(_BEGUN, book, address, user_name)
            here = self._accounts.remote.api.for_book(book.book_id)
            prefix = pending.session.code_prefix
            copy = BookCopy(here, pending.api, Files(spare), prefix, progress, cancelled)
            digest = self._copied(copy, pending.session.user_name)
            self._outbox.raise_counter(pending.session.book_id, prefix, copy.last_counter)
            copy.advance("verifying", digest.entries)  # the last chance to cancel
            session = pending.adopt()
            undo.pop_all()
        self._note(_MOVED, book, address, user_name)
        self._settings.set(_BEGUN, "")
        progress(MoveProgress(digest.entries, digest.entries, copy.bytes_sent, "done"))
        return MoveResult(digest.entries, digest.documents, digest.versions, session)

    # --- inside ----------------------------------------------------------------------------------

    def _copied(self, copy: BookCopy, user_name: str) -> BookDigest:
        """Copy until both books are equal; return their digest. Raises ServerError if they stay different."""
        copy.total = copy.here.digest().entries
        if copy.there.digest().versions:
            copy.refuse_others(user_name)
        copy.copy()
        if (digest := self._equal(copy)) is not None:
            return digest
        # `copy` compares newest versions only, which is fast; older versions can be missing nevertheless.
        copy.copy_by_history()
        if (digest := self._equal(copy)) is not None:
            return digest
        raise ServerError(
            "After copying, the book on the server is not the same as this one. "
            "Nothing was changed here. Please continue with this book."
        )

    def _equal(self, copy: BookCopy) -> BookDigest | None:
        """Return the digest of both books; None if they differ."""
        copy.advance("verifying", copy.done)
        self._send_waiting()  # the digest must include what the user saved in the meantime
        here = copy.here.digest()
        return here if copy.there.digest() == here else None

    def _send_waiting(self) -> None:
        report = self._send()
        if not report.waiting:
            return
        if isinstance(report.error, OfflineError):
            raise report.error
        changes = "1 change is" if report.waiting == 1 else f"{report.waiting} changes are"
        raise AppError(f"{changes} still waiting. See the page Waiting, then move the book.")

    def _note(self, key: str, book: BookSession, address: str, user_name: str) -> None:
        invite = read_invite(address)  # keep only its address, not the one-time code
        bare = invite.address if invite else clean_text(address)
        noted = {"book_id": book.book_id, "address": bare, "user_name": clean_text(user_name)}
        self._settings.set(key, json.dumps(noted, ensure_ascii=False))

    def _noted(self, key: str, part: str = "address") -> str:
        session, text = self._accounts.session, self._settings.get(key)
        noted = json.loads(text) if text else {}
        known = session is not None and noted.get("book_id") == session.book_id
        return str(noted[part]) if known else ""


@contextmanager
def _spare_folder() -> Iterator[Path]:
    """Give an empty temporary folder for bills; it is deleted afterwards."""
    with os_errors_translated(Path(tempfile.gettempdir())):
        folder = tempfile.TemporaryDirectory(prefix="bahi-move-", ignore_cleanup_errors=True)
    with folder as name:
        yield Path(name)
