"""Plans polls and replays for the sync worker, and runs them in threads of their own."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from app.domain.connection_status import Phase
from app.domain.poll_schedule import PollSchedule
from app.domain.session import Machine
from app.errors import AppError, OfflineError
from app.services.connection_status import Connection
from app.services.message_thread import MessageThread
from app.services.replication_tracker import PollResult

_OPEN: Final = frozenset({Phase.PINNED, Phase.SYNCING, Phase.SWITCHING})
_log = logging.getLogger(__name__)


class Tracker(Protocol):
    """What the poller needs of the replication tracker."""

    def poll(self, *, whole: bool, progress: Callable[[], object]) -> PollResult:
        """Refresh the replication status of changes. Blocks."""

    def replay_missing(self, stop: Callable[[], bool]) -> int:
        """Replay changes that the present region lacks. Blocks."""


class StatusPoller:
    """Not thread-safe: only the sync worker's thread calls it."""

    def __init__(
        self, thread: MessageThread, tracker: Tracker, connection: Connection, clock: Callable[[], float]
    ) -> None:
        self._thread = thread
        self._tracker = tracker
        self._connection = connection
        self._clock = clock
        self._schedule = PollSchedule()
        self._machine = Machine()
        self.is_replay_due = False

    @property
    def is_polling(self) -> bool:
        """Whether a poll is in progress."""
        return self._schedule.is_polling

    def take(self, machine: Machine) -> None:
        """Set the state of the session machine."""
        self._machine = machine

    def ask(self) -> None:
        """Request a whole poll at once; during a poll, once more after it."""
        self._schedule.ask(self._clock())

    def wake_at(self) -> float:
        """Return when the next poll may be due."""
        return self._schedule.wake_at()

    def begin_due(self) -> None:
        """Start a poll if one is due."""
        if self._schedule.is_due(self._clock()):
            self._begin(self._schedule.began(self._clock()))

    def begin_replay(self, stop: Callable[[], bool], ended: Callable[[], object]) -> None:
        """Start a replay, which ends early if `stop` returns True. Call `ended` after it."""
        self.is_replay_due = False
        self._thread.start_job(
            "replay", partial(self._tracker.replay_missing, stop), partial(self._replayed, ended)
        )

    def _begin(self, whole: bool) -> None:
        if self._machine.phase not in _OPEN:  # no server can be asked; try later, unless signed out
            self._ended(whole, PollResult(int(self._machine.phase is not Phase.SIGNED_OUT)))
            return
        poll = partial(self._tracker.poll, whole=whole, progress=self._post_recount)
        self._thread.start_job("poll", poll, partial(self._ended, whole))

    def _post_recount(self) -> None:
        """Show what a poll has found so far. Called in the poll's thread."""
        self._thread.post(self._connection.recount)

    def _ended(self, whole: bool, outcome: PollResult | AppError) -> None:
        failed = isinstance(outcome, AppError)
        if isinstance(outcome, AppError):
            _log_failure("replication status poll failed", outcome, self._schedule.failures)
        result = outcome if isinstance(outcome, PollResult) else PollResult(1)
        self.is_replay_due = result.replay_due and self._schedule.may_replay(self._clock())
        try:
            self._connection.recount()
        finally:  # an unexpected error must not stop the polls
            fast = self._machine.phase in _OPEN and self._connection.is_awaited
            self._schedule.ended(self._clock(), whole=whole, left=result.left, fast=fast, failed=failed)

    def _replayed(self, ended: Callable[[], object], outcome: int | AppError) -> None:
        failed = isinstance(outcome, AppError)
        if isinstance(outcome, AppError):
            _log_failure("replay failed", outcome, self._schedule.replay_failures)
        self._schedule.replayed(self._clock(), failed=failed)
        ended()


def _log_failure(event: str, error: AppError, before: int) -> None:
    """Log the first of several failures in a row. The windows show that no server answers, so skip that."""
    if not before and not isinstance(error, OfflineError):
        _log.warning(event, extra={"error": error.code or type(error).__name__})
