"""Following this computer's changes through the regions: where they are, and what a region never got.

What was confirmed stays retained until two regions have it whole, and for a day. After a move to a region
all of it is looked up there anew, and what is lacking is sent again from here, with the same ids: there it is
the same row. The region before may be destroyed, and this one may have been made anew.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from app.domain.link import Phase
from app.domain.outbox_item import OutboxItem
from app.domain.sync_state import Whereabouts, is_here, is_safe, is_settled, overdue
from app.errors import AppError, OfflineError
from app.services.accounts import Accounts, Session
from app.services.sync import Sync, is_this_items_own
from app.store.retained import Retained
from server.contract.limits import MAX_SYNC_OPERATIONS

_log = logging.getLogger(__name__)
LATE_US: Final = 5 * 60 * 1_000_000
_SOON_SECONDS: Final = 0.5
"""Between two looks while somebody waits for “All your data is here.”"""
_LATER_SECONDS: Final = 10.0
_GRACE_SECONDS: Final = 2.0
"""What a region lacks this long after a move is sent again: replication needs less where it works."""
_OPEN: Final = frozenset({Phase.LOCKED, Phase.SYNCING, Phase.SWITCHING})


class Following:
    """Usable from several threads. `on_look` hears after each look; `in_a_hurry` says how often to look."""

    def __init__(
        self,
        accounts: Accounts,
        sync: Sync,
        retained: Retained,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._accounts = accounts
        self._sync = sync
        self._retained = retained
        self._now_us = now_us
        self._wake = threading.Condition()
        self._wanted = False
        self._ended = False
        self._behind_since: float | None = None
        self._thread: threading.Thread | None = None
        self.on_look: Callable[[], None] = lambda: None
        self.in_a_hurry: Callable[[], bool] = lambda: False

    def kick(self) -> None:
        """Look soon: something was confirmed, or the lock moved. Starts the thread that looks."""
        with self._wake:
            self._wanted = True
            self._wake.notify_all()
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._follow, name="following", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Look no more."""
        with self._wake:
            self._ended = True
            self._wake.notify_all()

    def look(self) -> int:
        """Ask where the changes are that are not safe yet, or not known to be in the present region; return
        how many are left. Raises AppError."""
        session, regions = self._accounts.session, self._accounts.regions
        if session is None:
            return 0
        left = self._look_up(session, regions) if regions else 0
        self._retained.let_go(session.book_id, regions, self._now_us())
        return left

    def replay_missing(self) -> int:
        """Send again what the present region lacks; return how many operations. Raises AppError."""
        session = self._accounts.require_session()
        items = self._retained.items(session.book_id, self._missing(session))
        sent = sum(self._send_again(item) for item in items)
        if sent:
            _log.info("sent again", extra={"operations": sent, "region": session.region})
        return sent

    def counts(self) -> tuple[int, int]:
        """Count the changes that no second region has, and those of them confirmed five minutes ago."""
        session = self._accounts.session
        regions = self._accounts.regions
        if session is None or regions < 2:
            return 0, 0
        late = self._now_us() - LATE_US
        try:
            found = self._retained.known_counted(session.book_id, late)
        except AppError:  # the disk fails: nothing is claimed, and nothing alarmed
            return 0, 0
        return sum(each.count for each in found if not is_safe(each, regions)), overdue(found, regions, late)

    # --- inside ----------------------------------------------------------------------------------

    def _send_again(self, item: OutboxItem) -> bool:
        """Send one; False where the server takes just this one not: an older one may not know all of it."""
        try:
            self._sync.send_again(item)
        except AppError as error:
            if not is_this_items_own(error):
                raise
            _log.warning("not taken again", extra={"error": error.code, "operation": item.op_id})
            self._behind_since = time.monotonic()  # not at every look
            return False
        return True

    def _missing(self, session: Session) -> list[str]:
        """Return the operations that are not known to be in the present region."""
        found = self._retained.known(session.book_id, lambda w: is_here(w, session.region, session.stay))
        return [each.op_id for each in found]

    def _look_up(self, session: Session, regions: int) -> int:
        def settled(place: Whereabouts) -> bool:
            return is_settled(place, session.region, session.stay, regions)

        asked = [each.op_id for each in self._retained.known(session.book_id, settled)]
        api = self._accounts.remote.api.for_book(session.book_id)
        for start in range(0, len(asked), MAX_SYNC_OPERATIONS):
            status = api.sync_status(asked[start : start + MAX_SYNC_OPERATIONS])
            found = {each.op_id: (each.row_in, each.bytes_in) for each in status.operations}
            self._retained.learn(found, session.stay)
        return len(self._retained.known(session.book_id, settled)) if asked else 0

    def _follow(self) -> None:
        while not self._ended:
            left = 0
            try:
                if self._accounts.machine.phase in _OPEN:
                    left = self._look_and_mend()
            except OfflineError:
                left = 1
            except AppError as error:
                _log.warning("not looked up", extra={"error": error.code or type(error).__name__})
            else:
                self.on_look()
            self._pause(left)

    def _look_and_mend(self) -> int:
        """Look; and what the present region lacks and does not come by itself, send again: whether or not
        somebody still waits for it, and though the program was started anew since the move."""
        left = self.look()
        session = self._accounts.session
        if not left or session is None or not self._missing(session):
            self._behind_since = None
            return left
        now = time.monotonic()
        if self._behind_since is None:
            self._behind_since = now
        if now - self._behind_since >= _GRACE_SECONDS and self.replay_missing():
            self._behind_since = now
            return self.look()
        return left

    def _pause(self, left: int) -> None:
        with self._wake:
            if self._ended:
                return
            if not self._wanted:
                hurry = self.in_a_hurry()
                pause = _SOON_SECONDS if hurry else _LATER_SECONDS
                self._wake.wait(pause if left or hurry else None)
            self._wanted = False
