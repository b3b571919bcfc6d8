"""Following this computer's changes through the regions: where they are, and what a region never got.

What was confirmed stays retained until two regions have it whole, and for a day. After a move to a region
all of it is looked up there anew, and what is lacking is sent again from here, with the same ids: there it is
the same row. The region before may be destroyed, and this one may have been made anew.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.domain.connection_status import Phase
from app.domain.outbox_item import OutboxItem
from app.domain.sync_state import SAFE_REGIONS, ReplicationStatus, is_here, is_safe, is_settled, overdue
from app.errors import AppError, InputError, OfflineError, StoreError
from app.services.accounts import Accounts, BookSession
from app.services.sync import Sync, is_this_items_own
from app.store.replay_log import RECENT_US, ReplayLog
from server.contract.errors import ErrorCode
from server.contract.limits import MAX_SYNC_OPERATIONS

_log = logging.getLogger(__name__)
LATE_US: Final = 5 * 60 * 1_000_000
_SOON_SECONDS: Final = 0.5
"""Between two looks while somebody waits for “All your data is here.”"""
_LATER_SECONDS: Final = 10.0
_GRACE_SECONDS: Final = 2.0
"""What a region lacks this long after a move is sent again: replication needs less where it works."""
_SENT_AT_ONCE: Final = 100
"""So many are sent again before the next look: most of the rest may have come meanwhile."""
_TOLD_SECONDS: Final = 1.0
"""What a long look has found so far is told this often."""
_REFUSED_SECONDS: Final = (4.0, 600.0)
"""What was not taken is sent again after so long, twice as long each time, at most so long."""
_OPEN: Final = frozenset({Phase.PINNED, Phase.SYNCING, Phase.SWITCHING})


class ReplicationTracker:
    """Usable from several threads. `on_look` hears after each look; `in_a_hurry` says how often to look."""

    def __init__(
        self,
        accounts: Accounts,
        sync: Sync,
        replay_log: ReplayLog,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._accounts = accounts
        self._sync = sync
        self._replay_log = replay_log
        self._now_us = now_us
        self._wake = threading.Condition()
        self._wanted = False
        self._ended = False
        self._pin = _Pin()
        self._thread: threading.Thread | None = None
        self.on_poll: Callable[[], None] = lambda: None
        self.poll_fast: Callable[[], bool] = lambda: False

    def wake(self) -> None:
        """Look soon: something was confirmed, or the lock moved. Starts the thread that looks."""
        with self._wake:
            self._wanted = True
            self._wake.notify_all()
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._run, name="following", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Look no more."""
        with self._wake:
            self._ended = True
            self._wake.notify_all()

    def poll(self, *, whole: bool = True) -> int:
        """Ask where the changes are that are not known to be in the present region; where `whole`, of those
        too that are not safe yet, and let go of what may go. Return how many are left. Raises AppError."""
        session, regions = self._accounts.session, self._accounts.regions
        if session is None:
            return 0
        day_ago = self._now_us() - RECENT_US

        def settled(place: ReplicationStatus) -> bool:
            return is_settled(place, session.region, session.pin_id, regions)

        if regions and whole:  # what may go is asked of once more: a region may have been made anew
            asked = self._replay_log.known(session.book_id, settled, day_ago)
            self._ask_status(session, sorted(asked, key=_is_here(session)))
        elif regions:
            self._ask_status(session, self._missing(session))
        if whole:
            self._replay_log.release(session.book_id, regions or SAFE_REGIONS, day_ago + RECENT_US)
            self._pin_of(session).polled_us = self._now_us()
        return len(self._replay_log.known(session.book_id, settled)) if regions else 0

    def replay_missing(self) -> int:
        """Send again what the present region lacks, or the first of it; return how many operations. Raises
        AppError."""
        session = self._accounts.require_session()
        pin, sent = self._pin_of(session), 0
        missing, now = [each.op_id for each in self._missing(session)], time.monotonic()
        due = [op_id for op_id in missing if pin.is_due(op_id, now)]
        for item in self._replay_log.items(session.book_id, due, _SENT_AT_ONCE):
            if self._accounts.session is not session:  # the lock has moved: there it may be
                break
            sent += self._send_again(item, pin)
        if sent:
            _log.info("sent again", extra={"operations": sent, "region": session.region})
        return sent

    def counts(self) -> tuple[int, int]:
        """Count the changes that no second region has, and those of them confirmed five minutes before the
        last look. Where the lock has just come to a server the other regions have five minutes to answer
        there, too."""
        session = self._accounts.session
        regions = self._accounts.regions
        if session is None or regions < 2:
            return 0, 0
        pin = self._pin_of(session)
        late = pin.polled_us - LATE_US
        try:
            found = self._replay_log.known_counted(session.book_id, late)
        except AppError:  # the disk fails: nothing is claimed, and nothing alarmed
            return 0, 0
        few = sum(each.count for each in found if not is_safe(each, regions))
        return few, overdue(found, regions, late) if pin.began_us <= late else 0

    # --- inside ----------------------------------------------------------------------------------

    def _pin_of(self, session: BookSession) -> "_Pin":
        last = self._pin
        if last.id == session.pin_id:
            return last
        pin = _Pin(session.pin_id, session.server_id, self._now_us())
        if last.server == pin.server:  # it is back: what there was to warn of is the same
            pin.began_us, pin.polled_us = last.began_us, last.polled_us
        self._pin = pin
        return pin

    def _send_again(self, item: OutboxItem, pin: "_Pin") -> bool:
        """Send one; False where just this one cannot go: an older server may not know all of it, or a bill is
        no longer here. It is tried again, ever more rarely."""
        try:
            self._sync.send_again(item)
        except AppError as error:
            if not _is_of_one(error):
                raise
            if pin.refuse(item.op_id, time.monotonic()):
                code = error.code or type(error).__name__
                _log.warning("not taken again", extra={"error": code, "operation": item.op_id})
            return False
        return True

    def _missing(self, session: BookSession) -> list[ReplicationStatus]:
        """Return the operations that are not known to be in the present region."""
        return self._replay_log.known(session.book_id, _is_here(session))

    def _ask_status(self, session: BookSession, asked: Sequence[ReplicationStatus]) -> None:
        api = self._accounts.remote.api.for_book(session.book_id)
        told = time.monotonic()
        for start in range(0, len(asked), MAX_SYNC_OPERATIONS):
            if time.monotonic() - told >= _TOLD_SECONDS:
                self.on_poll()
                told = time.monotonic()
            batch = asked[start : start + MAX_SYNC_OPERATIONS]
            status = api.sync_status([each.op_id for each in batch])
            found = {each.op_id: (each.row_in, each.bytes_in) for each in status.operations}
            self._replay_log.learn(found, session.pin_id)

    def _run(self) -> None:
        whole_at, in_vain = -math.inf, 0
        while not self._ended:
            left = 1  # what is not known is looked at again
            whole = self._take_wanted() or time.monotonic() - whole_at >= _LATER_SECONDS
            is_open = self._accounts.machine.phase in _OPEN
            try:
                if self._accounts.session is None:
                    left = 0
                elif is_open:
                    left = self._poll_and_replay(whole=whole)
                in_vain = 0
            except AppError as error:
                in_vain += 1
                self._note(error, in_vain)
            if whole:
                whole_at = time.monotonic()
            self.on_poll()
            self._pause(left, in_vain, hurry=is_open and self.poll_fast())

    def _note(self, error: AppError, in_vain: int) -> None:
        """Log why it was not looked, once for as long as it lasts."""
        if in_vain == 1 and not isinstance(error, OfflineError):
            _log.warning("not looked up", extra={"error": error.code or type(error).__name__})

    def _poll_and_replay(self, *, whole: bool) -> int:
        """Look; and what the present region lacks and does not come by itself, send again: whether or not
        somebody still waits for it, and though the program was started anew since the move."""
        left = self.poll(whole=whole)
        session = self._accounts.session
        if not left or session is None:
            return left
        pin, now = self._pin_of(session), time.monotonic()
        if not self._missing(session) or self._sync.is_sending:  # what waits goes first
            pin.behind_since = math.inf
        elif now - min(pin.behind_since, now) < _GRACE_SECONDS:
            pin.behind_since = min(pin.behind_since, now)
        else:
            sent = self.replay_missing()
            pin.behind_since = now if sent < _SENT_AT_ONCE else pin.behind_since
            return self.poll(whole=False)
        return left

    def _take_wanted(self) -> bool:
        with self._wake:
            wanted, self._wanted = self._wanted, False
            return wanted

    def _pause(self, left: int, in_vain: int, *, hurry: bool) -> None:
        pause = min(_SOON_SECONDS * 2 ** min(in_vain, 9), _LATER_SECONDS) if hurry else _LATER_SECONDS
        with self._wake:
            if not (self._ended or self._wanted):
                self._wake.wait(pause if left or hurry else None)


@dataclass(slots=True)
class _Pin:
    """One stay at a server (`Session.stay`): when it was first seen, and last looked at whole (µs since
    1970); since when its region lacks something, and for how long and until when what it did not take is left
    alone (on the monotonic clock)."""

    id: str = ""
    server: str = ""
    began_us: int = 0
    polled_us: int = 0
    behind_since: float = math.inf
    refused: dict[str, tuple[float, float]] = field(default_factory=dict)

    def is_due(self, op_id: str, now: float) -> bool:
        """Say whether an operation may be sent again."""
        return now >= self.refused.get(op_id, (0.0, -math.inf))[1]

    def refuse(self, op_id: str, now: float) -> bool:
        """Note that it was not taken; return whether that is new."""
        first, most = _REFUSED_SECONDS
        is_new = op_id not in self.refused
        pause = first if is_new else min(2 * self.refused[op_id][0], most)
        self.refused[op_id] = pause, now + pause
        return is_new


def _is_here(session: BookSession) -> Callable[[ReplicationStatus], bool]:
    return lambda place: is_here(place, session.region, session.pin_id)


def _is_of_one(error: AppError) -> bool:
    """Say whether others may go all the same."""
    at_fault = isinstance(error, InputError | StoreError) or error.code == ErrorCode.INTERNAL
    return at_fault or is_this_items_own(error)
