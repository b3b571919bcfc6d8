"""The link and the move in memory, for tests and pictures of the screens: a test says what happens."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.connection_status import ConnectionStatus, Moved, Phase
from app.errors import CancelledError, InputError
from app.services.moving import MoveProgress, MoveResult
from app.services.session_facts import BookSession

if TYPE_CHECKING:
    from tests.support.fake_services import Book, FakeAccounts

MUMBAI = "in-mum-1 · ap-south-1"
PUNE = "in-pnq-2 · ap-south-1"


class FakeLink:
    """This computer's own book until `tell` says otherwise; `clock` is what `now` reads."""

    def __init__(self, book: "Book") -> None:
        self._book = book
        self._view = ConnectionStatus(Phase.PINNED)
        self._told: list[Callable[[ConnectionStatus], None]] = []
        self.clock = 1_000.0

    def view(self) -> ConnectionStatus:
        """Return how it stands."""
        return self._view

    def now(self) -> float:
        """Return the seconds that the countdown runs by."""
        return self.clock

    def subscribe(self, told: Callable[[ConnectionStatus], None]) -> None:
        """Call `told` at each change."""
        self._told.append(told)

    def try_now(self) -> None:
        """Note that the person does not want to wait."""
        self._book.step("try_now")

    def dismiss_move(self) -> None:
        """Take the message away."""
        self._book.step("dismiss_move")
        self._change(replace(self._view, moved=None))

    def tell(
        self,
        phase: Phase,
        label: str = MUMBAI,
        *,
        seconds: float | None = None,
        moved: Moved | None = None,
        unsettled: int = 0,
        late: int = 0,
    ) -> None:
        """Let the link stand so; another server is asked in `seconds`."""
        at = None if seconds is None else self.clock + seconds
        self._change(ConnectionStatus(phase, label, at, moved, unsettled, late))

    def _change(self, view: ConnectionStatus) -> None:
        self._view = view
        for told in self._told:
            told(view)


class FakeMoving:
    """Moves the book to Mumbai, telling each of `steps`; `begun` is where a move was begun."""

    def __init__(self, book: "Book", accounts: "FakeAccounts", link: FakeLink) -> None:
        self._book = book
        self._accounts = accounts
        self._link = link
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
        self._link.tell(Phase.PINNED)
        return MoveResult(len(self._book.entries), 31, 140, session)
