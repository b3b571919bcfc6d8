"""A sync worker over parts of the test's own. Gates hold up what blocks; the clock moves by hand."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from app.domain.connection_status import ConnectionStatus, Phase
from app.domain.session import Machine
from app.domain.stream import Stream
from app.domain.sync_events import MachineChanged, RunEnded, SessionChange, SyncEvent
from app.services.replication_tracker import PollResult
from app.services.sync import SyncReport
from app.services.sync_worker import SyncWorker

T = TypeVar("T")
PATIENCE = 60.0
SERVER = "in-mum-1 · ap-south-1"
DONE = SyncReport(0, 0, 0)


class Gate:
    """Open at first. While it is closed, whoever comes waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._is_open = True
        self._arrived = 0

    def close(self) -> None:
        """Let nobody through from now on."""
        with self._changed:
            self._is_open, self._arrived = False, 0

    def open(self) -> None:
        """Let everybody through."""
        with self._changed:
            self._is_open = True
            self._changed.notify_all()

    def pass_through(self) -> None:
        """Wait until it is open."""
        with self._changed:
            self._arrived += 1
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._is_open, PATIENCE)

    def wait(self, arrived: int = 1) -> None:
        """Return when so many have come since it was closed."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._arrived >= arrived, PATIENCE)


class Heard:
    """The events of a worker, in their order."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.events: list[SyncEvent] = []

    def take(self, event: SyncEvent) -> None:
        """Note an event."""
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def of(self, kind: type[T]) -> list[T]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def wait(self, kind: type[T], count: int = 1) -> T:
        """Return the last event of a kind, when there have been so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.of(kind)) >= count, PATIENCE)
            return self.of(kind)[-1]


class FakeSession:
    """A session of which the test says what happens to it."""

    def __init__(self) -> None:
        self.changes: Stream[SessionChange] = Stream()
        self.probing = Gate()
        self.online = True
        self.probes = self.tries = 0

    def is_online(self) -> bool:
        """Answer a probe."""
        self.probes += 1
        self.probing.pass_through()
        return self.online

    def try_now(self) -> None:
        """Count it."""
        self.tries += 1

    def connection_clock(self) -> float:
        """Return the time on the machine's clock."""
        return 5.0


class FakeOutbox:
    """`report` is how the next runs go; an exception in its place is raised."""

    def __init__(self) -> None:
        self.sending = Gate()
        self.report: SyncReport | Exception = DONE
        self.count: int | Exception = 0
        self.runs = self.at_once = self.most_at_once = 0

    def send_pending(self) -> SyncReport:
        """Run once."""
        self.runs += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        report = self.report
        try:
            self.sending.pass_through()
        finally:
            self.at_once -= 1
        if isinstance(report, Exception):
            raise report
        return report

    def waiting(self) -> int:
        """Return what the test says."""
        if isinstance(self.count, Exception):
            raise self.count
        return self.count


class FakeTracker:
    """`result` is how the next polls go; an exception in its place is raised. `missing` is replayed one by
    one, each through the gate `replaying`; the replay ends early when it is asked to stop."""

    def __init__(self) -> None:
        self.polling, self.replaying = Gate(), Gate()
        self.result: PollResult | Exception = PollResult(0)
        self.missing = 0
        self.trouble: Exception | None = None
        self.polls: list[bool] = []
        self.replays = self.replayed = 0
        self.reports = 0

    def poll(self, *, whole: bool, progress: Callable[[], object]) -> PollResult:
        """Poll once."""
        self.polls.append(whole)
        self.polling.pass_through()
        for _ in range(self.reports):
            progress()
        if isinstance(self.result, Exception):
            raise self.result
        return replace(self.result, replay_due=self.missing > 0)

    def replay_missing(self, stop: Callable[[], bool]) -> int:
        """Replay what is missing."""
        self.replays += 1
        if self.trouble is not None:
            raise self.trouble
        sent = 0
        while self.missing and not stop():
            self.replaying.pass_through()
            self.missing -= 1
            sent += 1
        self.replayed += sent
        return sent


class FakeConnection:
    """Shows each machine as it is. `trouble` is raised by the next count."""

    def __init__(self) -> None:
        self.asked: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.status = ConnectionStatus(Phase.SIGNED_OUT)
        self.is_new = False
        self.is_awaited = False
        self.trouble: Exception | None = None
        self.moves = self.recounts = 0

    def view(self) -> ConnectionStatus:
        """Return the state."""
        return self.status

    def take(self, machine: Machine) -> bool:
        """Show the machine."""
        self.status = replace(self.status, phase=machine.phase, server_label=machine.server and SERVER)
        return self.is_new

    def begin_move(self) -> None:
        """Count the moves."""
        self.moves += 1

    def dismiss_move(self) -> None:
        """Answer the test, in the thread of the worker: it has dealt with what it was told before."""
        self.answers.put(self.asked.get()())

    def recount(self) -> None:
        """Count how often it is counted."""
        self.recounts += 1
        trouble, self.trouble = self.trouble, None
        if trouble is not None:
            raise trouble


@dataclass
class Bench:
    """A worker and its parts. The clock stands still but for `advance`."""

    heard: Heard = field(default_factory=Heard)
    session: FakeSession = field(default_factory=FakeSession)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    tracker: FakeTracker = field(default_factory=FakeTracker)
    now: float = 1_000.0

    def __post_init__(self) -> None:
        self.connection = FakeConnection()
        self.worker = SyncWorker(
            self.session,
            self.outbox,
            self.tracker,
            self.connection,
            clock=lambda: self.now,
            draw=lambda low, high: (low + high) / 2,
        )
        self.worker.events.subscribe(self.heard.take)

    def phase(self, phase: Phase, ended: str = "") -> None:
        """Let the session machine be in another state, and wait until the worker has seen it."""
        self.session.changes.publish(MachineChanged(Machine(phase, "in-mum-1", ended=ended)))
        self.settle()

    def start(self) -> int:
        """Open a book of a server that is there, and wait until its first run has ended."""
        self.phase(Phase.PINNED)
        ended = len(self.heard.of(RunEnded))
        number = self.worker.start()
        self.heard.wait(RunEnded, ended + 1)
        self.settle()
        return number

    def ask(self, question: Callable[[], T]) -> T:
        """Ask the worker's thread something, when it has dealt with everything that it was told before."""
        self.connection.asked.put(question)
        self.worker.dismiss_move()
        return cast(T, self.connection.answers.get(timeout=PATIENCE))

    def settle(self) -> None:
        """Return when the worker has dealt with everything that it was told before."""
        self.ask(lambda: None)

    def until(self, is_so: Callable[[], object]) -> None:
        """Return when something is so, as the worker's thread sees it."""
        deadline = time.monotonic() + PATIENCE
        while not self.ask(is_so):
            assert time.monotonic() < deadline, "it did not happen in time"

    def advance(self, seconds: float) -> None:
        """Let time pass, and the worker look at its clock."""
        self.now += seconds
        self.settle()
        self.settle()  # what became due began after the first

    def rest(self) -> None:
        """Return when nothing is being sent, replayed or polled."""
        self.until(lambda: not self.worker.is_sending and not self.worker._poller.is_polling)

    def close(self) -> None:
        """Let everything end."""
        for gate in (
            self.outbox.sending,
            self.session.probing,
            self.tracker.polling,
            self.tracker.replaying,
        ):
            gate.open()
        self.worker.close()
