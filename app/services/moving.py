"""Moving the open book to another server: copied by the normal calls, compared, only then opened there."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
"""Address, user name, password, whether to make the account, invite code."""


@dataclass(frozen=True, slots=True)
class MoveResult:
    """What the other server holds now, every version of it; `session` is the open one."""

    entries: int
    documents: int
    versions: int
    session: BookSession


class Moving:
    """The book here is never changed: a move that ends early is begun again, and copies what is missing.

    `send` sends what waits in the outbox, and returns how that went.
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
        """Return the address that a move of the open book was begun to and has not reached; "" for none."""
        return self._noted(_BEGUN)

    def pending_user(self) -> str:
        """Return the user name of the move that `pending` names."""
        return self._noted(_BEGUN, "user_name")

    def moved_to(self) -> str:
        """Return the address that the open book was moved to; "" where it was not."""
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
        """Copy the open book to the account at `address`, compare both, and go on there.

        Raises InputError and SignInError as signing in does, OfflineError when either side does not answer,
        CancelledError between two entries: all of these leave a move to go on with. ServerError where the
        other book holds something else, or a version is not taken there.
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
            copying = BookCopy(here, pending.api, Files(spare), prefix, progress, cancelled)
            digest = self._copied(copying, pending.session.user_name)
            self._outbox.raise_counter(pending.session.book_id, prefix, copying.last_counter)
            copying.tell("verifying", digest.entries)  # the last moment to stop it
            session = pending.adopt()
            undo.pop_all()
        self._note(_MOVED, book, address, user_name)
        self._settings.set(_BEGUN, "")
        progress(MoveProgress(digest.entries, digest.entries, copying.bytes_sent, "done"))
        return MoveResult(digest.entries, digest.documents, digest.versions, session)

    # --- inside ----------------------------------------------------------------------------------

    def _copied(self, copying: BookCopy, user_name: str) -> BookDigest:
        """Copy until both books are equal, and return what they hold."""
        copying.total = copying.here.digest().entries
        if copying.there.digest().versions:
            copying.refuse_others(user_name)
        copying.copy()
        if (digest := self._equal(copying)) is not None:
            return digest
        copying.copy_by_history()
        if (digest := self._equal(copying)) is not None:
            return digest
        raise ServerError(
            "The book at the server is not the same as this one after copying. "
            "Nothing was changed here; please go on with this book."
        )

    def _equal(self, copying: BookCopy) -> BookDigest | None:
        """Return what both books hold; None where they differ."""
        copying.tell("verifying", copying.done)
        self._send_waiting()  # what was saved meanwhile belongs to the book
        here = copying.here.digest()
        return here if copying.there.digest() == here else None

    def _send_waiting(self) -> None:
        report = self._send()
        if not report.waiting:
            return
        if isinstance(report.error, OfflineError):
            raise report.error
        changes = "1 change of this book waits" if report.waiting == 1 else f"{report.waiting} changes wait"
        raise AppError(f"{changes} to be saved. Please send or discard what waits, then move the book.")

    def _note(self, key: str, book: BookSession, address: str, user_name: str) -> None:
        invite = read_invite(address)  # its one-time code is nothing to keep
        bare = invite.address if invite else address.strip()
        noted = {"book_id": book.book_id, "address": bare, "user_name": user_name.strip()}
        self._settings.set(key, json.dumps(noted, ensure_ascii=False))

    def _noted(self, key: str, part: str = "address") -> str:
        session, text = self._accounts.session, self._settings.get(key)
        noted = json.loads(text) if text else {}
        known = session is not None and noted.get("book_id") == session.book_id
        return str(noted[part]) if known else ""


@contextmanager
def _spare_folder() -> Iterator[Path]:
    """Lend an empty folder for bills on their way; nothing of it stays."""
    with os_errors_translated(Path(tempfile.gettempdir())):
        folder = tempfile.TemporaryDirectory(prefix="bahi-move-", ignore_cleanup_errors=True)
    with folder as name:
        yield Path(name)
