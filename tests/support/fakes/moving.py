"""The move of a book, in memory."""

from collections.abc import Callable, Sequence

from app.domain.connection_status import Phase
from app.errors import CancelledError, InputError
from app.services.moving import MoveProgress, MoveResult
from app.services.session_facts import BookSession
from tests.support.fake_connection import MUMBAI, FakeConnection
from tests.support.fakes.accounts import FakeAccounts
from tests.support.fakes.book import Book


class FakeMoving:
    """Moves the book to Mumbai, telling each of `steps`; `begun` is where a move was begun."""

    def __init__(self, book: Book, accounts: FakeAccounts, connection: FakeConnection) -> None:
        self._book = book
        self._accounts = accounts
        self._connection = connection
        self.begun = self.begun_by = ""
        self.asked: tuple[str, str, bool, str] | None = None
        self.steps: Sequence[MoveProgress] = (
            MoveProgress(0, 0, 0, "connecting"),
            MoveProgress(60, 120, 4_000_000, "copying"),
            MoveProgress(120, 120, 9_000_000, "verifying"),
        )

    def pending(self) -> str:
        """Return where a move was begun."""
        return self.begun

    def pending_user(self) -> str:
        """Return as whom."""
        return self.begun_by

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
        """Move it, step by step; an account's password has 8 characters."""
        self.asked = (address, user_name, create, invite_code)
        self._book.step("move")
        if len(password) < 8:
            raise InputError("Too short.", fields={"password": "A password has at least 8 characters."})
        self.begun, self.begun_by = address, user_name
        for number, step in enumerate(self.steps):
            progress(step)
            self._book.step(f"move {number}")
            if cancelled():
                raise CancelledError
        self.begun = ""
        session = BookSession(user_name, "book-2", "0Q2", "in-mum-1", "ap-south-1", MUMBAI)
        self._accounts.session = session
        self._connection.tell(Phase.PINNED)
        return MoveResult(len(self._book.entries), 31, 140, session)
