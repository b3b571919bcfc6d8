"""The move of a book, in memory: nothing is copied, and the same book is open at the server afterwards."""

from collections.abc import Callable, Sequence
from typing import cast

from app.domain.connection_status import Phase
from app.errors import CancelledError
from app.services.accounts import Accounts
from app.services.login import LoginRequest
from app.services.moving import _BEGUN, MoveProgress, MoveResult, Moving
from app.services.pending_session import PendingSession
from app.services.sync import SyncReport
from app.store.outbox import Outbox
from app.store.settings import Settings
from tests.support.fake_connection import FakeConnection
from tests.support.fakes.accounts import FakeAccounts
from tests.support.fakes.book import Book


class FakeMoving(Moving):
    """Tells each of `steps`, by default half of the book and then the whole; each is a step of its own."""

    def __init__(
        self,
        book: Book,
        accounts: FakeAccounts,
        connection: FakeConnection,
        send: Callable[[], SyncReport],
        outbox: Outbox,
        settings: Settings,
    ) -> None:
        super().__init__(cast("Accounts", accounts), send, outbox, settings, _open_pending)
        self._book = book
        self._fake_accounts = accounts
        self._connection = connection
        self.asked: tuple[str, str, bool, str] | None = None
        self.steps: Sequence[MoveProgress] = ()

    def begin(self, address: str, user_name: str) -> None:
        """Let a move be begun, which ended early."""
        self._note(_BEGUN, self._fake_accounts.require_session(), address, user_name)

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
        """Move it, step by step."""
        self.asked = (address, user_name, create, invite_code)
        self._book.step("move")
        self._fake_accounts.require_session()
        self._send_waiting()
        request = LoginRequest(address, user_name, password, create, invite_code)
        first, *between, last = self.steps or self._steps()
        self._tell(0, first, progress)
        bare, account = self._fake_accounts.log_in(request)
        self.begin(address, user_name)
        for number, step in enumerate(between, start=1):
            self._tell(number, step, progress)
            if cancelled():
                raise CancelledError
        self._settings.set(_BEGUN, "")
        session = self._fake_accounts.move_to(bare, account, "book-2")
        self._tell(len(between) + 1, last, progress)
        self._connection.tell(Phase.PINNED)
        return MoveResult(len(self._book.entries), *self._counts(), session)

    def _tell(self, number: int, step: MoveProgress, progress: Callable[[MoveProgress], None]) -> None:
        progress(step)
        self._book.step(f"move {number}")

    def _steps(self) -> list[MoveProgress]:
        total, size = len(self._book.entries), sum(len(data) for data in self._book.files.values())
        return [
            MoveProgress(0, 0, 0, "connecting"),
            MoveProgress(total // 2, total, size // 2, "copying"),
            MoveProgress(total, total, size, "verifying"),
            MoveProgress(total, total, size, "done"),
        ]

    def _counts(self) -> tuple[int, int]:
        """Return how many bills and how many versions, of entries and of bills, the book holds."""
        versions = [version for row in self._book.entries for version in self._book.versions(row.id)]
        added = sum(len(version.documents_added) for version in versions)
        removed = sum(len(version.documents_removed) for version in versions)
        return added, len(versions) + added + removed


def _open_pending(*_request: object) -> PendingSession:
    raise AssertionError("a move in memory opens no second session")
