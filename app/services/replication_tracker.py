"""Tracks the replication status of this computer's changes, and replays those that a region lacks.

A confirmed change is kept in the replay log until two regions have it with its bills, and for a day in any
case. After a move to another region, the status of the whole log is polled there, and missing changes are
sent again with the same ids: the previous region may be lost, and the new one may have been restored from an
older copy.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.domain.outbox_item import OutboxItem
from app.domain.sync_state import SAFE_REGIONS, ReplicationStatus, is_here, is_safe, is_settled, overdue
from app.errors import AppError, InputError, StoreError
from app.services.accounts import Accounts, BookSession
from app.services.sync import Sync, concerns_one_item
from app.store.replay_log import RECENT_US, ReplayLog
from server.contract.errors import ErrorCode
from server.contract.limits import MAX_SYNC_OPERATIONS

_log = logging.getLogger(__name__)
LATE_US: Final = 5 * 60 * 1_000_000
_GRACE_SECONDS: Final = 2.0
"""Changes that a region lacks this long after a move are replayed. Working replication needs less time."""
REPLAY_BATCH: Final = 100
"""The most operations replayed before the next poll. Replication may bring the others meanwhile."""
_PROGRESS_SECONDS: Final = 1.0
"""How often a long poll reports its progress."""
_REFUSED_SECONDS: Final = (4.0, 600.0)
"""The first and the longest pause before a refused operation is replayed again. It doubles each time."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """`left` changes are not settled yet. `replay_due` means that some of them must be replayed."""

    left: int
    replay_due: bool = False


class ReplicationTracker:
    """Polls and replays. Its methods block. One thread may poll while another one replays."""

    def __init__(
        self,
        accounts: Accounts,
        sync: Sync,
        replay_log: ReplayLog,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accounts = accounts
        self._sync = sync
        self._replay_log = replay_log
        self.now_us = now_us
        self._clock = clock
        self._pin = _Pin()
        self._pin_lock = threading.Lock()
        self._is_replaying = False

    def poll(self, *, whole: bool, progress: Callable[[], object] = lambda: None) -> PollResult:
        """Refresh the status of changes that are not known to be in the present region. Raises AppError.

        With `whole`, also refresh the status of changes that are in too few regions, and release safe ones
        from the replay log. `progress` is called about once a second.
        """
        session, regions = self._accounts.session, self._accounts.regions
        if session is None:
            return PollResult(0)
        now_us = self.now_us()

        def settled(status: ReplicationStatus) -> bool:
            return is_settled(status, session.region, session.pin_id, regions)

        if regions and whole:
            # Includes changes that are about to be released: a region may have lost them since the last poll.
            asked = self._replay_log.known(session.book_id, settled, now_us - RECENT_US)
            self._ask_status(session, sorted(asked, key=_is_here(session)), progress)
        elif regions:
            self._ask_status(session, self._missing(session), progress)
        if whole:
            self._replay_log.release(session.book_id, regions or SAFE_REGIONS, now_us)
            self._pin_of(session).polled_us = self.now_us()
        if not regions:
            return PollResult(0)
        left = len(self._replay_log.known(session.book_id, settled))
        return PollResult(left, self._is_replay_due(session))

    def replay_missing(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Replay a batch of the changes that the present region lacks. Return the number of operations sent.

        It ends early if `stop` returns True or the session moves. Raises AppError.
        """
        session = self._accounts.require_session()
        self._is_replaying = True
        try:
            sent = self._replay_batch(session, stop)
        finally:
            self._is_replaying = False
        if sent:
            _log.info("operations replayed", extra={"operations": sent, "region": session.region})
        return sent

    def counts(self) -> tuple[int, int]:
        """Return the number of changes that no second region has, and how many of them are late.

        A change is late if it was confirmed at least five minutes before the last whole poll. None is late in
        the first five minutes after a move, when there is no complete status yet.
        """
        session = self._accounts.session
        regions = self._accounts.regions
        if session is None or regions < SAFE_REGIONS:
            return 0, 0
        pin = self._pin_of(session)
        late = pin.polled_us - LATE_US
        try:
            found = self._replay_log.known_counted(session.book_id, late)
        except AppError:  # the disk failed: show no warning
            return 0, 0
        few = sum(each.count for each in found if not is_safe(each, regions))
        return few, overdue(found, regions, late) if pin.began_us <= late else 0

    # --- inside ----------------------------------------------------------------------------------

    def _pin_of(self, session: BookSession) -> "_Pin":
        with self._pin_lock:
            last = self._pin
            if last.id == session.pin_id:
                return last
            pin = _Pin(session.pin_id, session.server_id, self.now_us())
            if last.server == pin.server:  # the same server is back: late changes stay late
                pin.began_us, pin.polled_us = last.began_us, last.polled_us
            if session is self._accounts.session:  # otherwise a later pin has replaced it meanwhile
                self._pin = pin
            return pin

    def _is_replay_due(self, session: BookSession) -> bool:
        """Return whether the present region has lacked changes for longer than replication needs."""
        if self._is_replaying:
            return False
        pin, now = self._pin_of(session), self._clock()
        if not self._missing(session) or self._sync.is_sending:  # the outbox is sent first
            pin.behind_since = math.inf
            return False
        pin.behind_since = min(pin.behind_since, now)
        return now - pin.behind_since >= _GRACE_SECONDS

    def _replay_batch(self, session: BookSession, stop: Callable[[], bool]) -> int:
        pin, sent = self._pin_of(session), 0
        missing, now = [each.op_id for each in self._missing(session)], self._clock()
        due = [op_id for op_id in missing if pin.is_due(op_id, now)]
        items = self._replay_log.items(session.book_id, due, REPLAY_BATCH)
        for item in items:
            if stop() or self._accounts.session is not session:
                break
            sent += self._replay(item, pin)
        else:
            if len(items) < REPLAY_BATCH:  # all were sent; wait until the next polls have found them
                pin.behind_since = self._clock()
        return sent

    def _replay(self, item: OutboxItem, pin: "_Pin") -> bool:
        """Replay one operation. Return False if it failed for a reason of its own; it is tried again later.

        An older server may not know one of its fields, or one of its bills may be missing on this computer.
        """
        try:
            self._sync.replay(item)
        except AppError as error:
            if not _concerns_one(error):
                raise
            if pin.refuse(item.op_id, self._clock()):
                code = error.code or type(error).__name__
                _log.warning("replay of operation refused", extra={"error": code, "operation": item.op_id})
            return False
        return True

    def _missing(self, session: BookSession) -> list[ReplicationStatus]:
        """Return the operations that are not known to be in the present region."""
        return self._replay_log.known(session.book_id, _is_here(session))

    def _ask_status(
        self, session: BookSession, asked: Sequence[ReplicationStatus], progress: Callable[[], object]
    ) -> None:
        api = self._accounts.remote.api.for_book(session.book_id)
        reported = self._clock()
        for start in range(0, len(asked), MAX_SYNC_OPERATIONS):
            if self._clock() - reported >= _PROGRESS_SECONDS:
                progress()
                reported = self._clock()
            batch = asked[start : start + MAX_SYNC_OPERATIONS]
            status = api.sync_status([each.op_id for each in batch])
            found = {each.op_id: (each.row_in, each.bytes_in) for each in status.operations}
            self._replay_log.learn(found, session.pin_id)


@dataclass(slots=True)
class _Pin:
    """One pin of the session to a server.

    `began_us` is when it was first seen, and `polled_us` the time of its last whole poll (µs since 1970).
    `behind_since` is the time since which its region lacks changes (monotonic seconds). `refused` holds, for
    each refused operation, the last pause and the time at which it ends.
    """

    id: str = ""
    server: str = ""
    began_us: int = 0
    polled_us: int = 0
    behind_since: float = math.inf
    refused: dict[str, tuple[float, float]] = field(default_factory=dict)

    def is_due(self, op_id: str, now: float) -> bool:
        """Return whether an operation may be replayed now."""
        return now >= self.refused.get(op_id, (0.0, -math.inf))[1]

    def refuse(self, op_id: str, now: float) -> bool:
        """Record that an operation was refused. Return whether this is the first time."""
        first, longest = _REFUSED_SECONDS
        is_new = op_id not in self.refused
        pause = first if is_new else min(2 * self.refused[op_id][0], longest)
        self.refused[op_id] = pause, now + pause
        return is_new


def _is_here(session: BookSession) -> Callable[[ReplicationStatus], bool]:
    return lambda status: is_here(status, session.region, session.pin_id)


def _concerns_one(error: AppError) -> bool:
    """Return whether an error concerns one operation only, so that others can still be replayed."""
    at_fault = isinstance(error, InputError | StoreError) or error.code == ErrorCode.INTERNAL
    return at_fault or concerns_one_item(error)
