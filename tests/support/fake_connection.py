"""A fake connection: a test sets its status, and the real sync worker receives it."""

from dataclasses import replace

from app.domain.connection_status import ConnectionStatus, Moved, Phase
from app.domain.session import Machine
from app.domain.sync_events import MachineChanged
from app.services.replication_tracker import PollResult
from tests.support.fakes.accounts import FakeAccounts
from tests.support.fakes.book import Book

MUMBAI = "in-mum-1 · ap-south-1"
PUNE = "in-pnq-2 · ap-south-1"


class FakeConnection:
    """This computer's own book until `tell` says otherwise."""

    def __init__(self, book: Book, accounts: FakeAccounts) -> None:
        self._book = book
        self._accounts = accounts
        self._view = ConnectionStatus(Phase.PINNED)

    def view(self) -> ConnectionStatus:
        """Return the state."""
        return self._view

    def take(self, _machine: Machine) -> bool:
        """Ignore the machine: the test says what the state is."""
        return False

    def begin_move(self) -> None:
        """Ignore it: the test says what moved."""

    def dismiss_move(self) -> None:
        """Take the message away."""
        self._book.step("dismiss_move")
        self._view = replace(self._view, moved=None)

    def recount(self) -> None:
        """Nothing is counted: the test says what is where."""

    @property
    def is_awaited(self) -> bool:
        """Nobody waits."""
        return False

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
        """Let the state be so; another server is asked in `seconds`."""
        at = None if seconds is None else self._accounts.clock + seconds
        self._view = ConnectionStatus(phase, label, at, moved, unsettled, late)
        self._accounts.changes.publish(MachineChanged(Machine(phase)))


class FakeTracker:
    """A book on this computer: there is nothing to ask about, and nothing to replay."""

    def poll(self, *, whole: bool, progress: object) -> PollResult:
        """Find everything settled."""
        return PollResult(0)

    def replay_missing(self, stop: object) -> int:
        """Replay nothing."""
        return 0
