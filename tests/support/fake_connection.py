"""The connection in memory, for tests and pictures of the screens: a test says what happens."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.connection_status import ConnectionStatus, Moved, Phase

if TYPE_CHECKING:
    from tests.support.fakes.book import Book

MUMBAI = "in-mum-1 · ap-south-1"
PUNE = "in-pnq-2 · ap-south-1"


class FakeConnection:
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
        """Let the connection stand so; another server is asked in `seconds`."""
        at = None if seconds is None else self.clock + seconds
        self._change(ConnectionStatus(phase, label, at, moved, unsettled, late))

    def _change(self, view: ConnectionStatus) -> None:
        self._view = view
        for told in self._told:
            told(view)
