"""Checks the database and the store each time a client's program shows “All your data is here”.

The check starts at once in its own thread, so that it does not delay the sync worker.
"""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import psycopg

from app.bootstrap import Desk
from app.domain.connection_status import Moved
from app.domain.sync_events import StateChanged, SyncEvent
from app.domain.sync_state import ReplicationStatus
from app.errors import AppError
from app.services.session_facts import BookSession
from app.store.replay_log import ReplayLog
from server.replication.regions import read_regions
from tests.support.regions_verdict import not_whole

_MOST_SECONDS: Final = 150.0
_LATELY_US: Final = 120 * 1_000_000


class Claims:
    """`cluster` is the cluster's folder; `say` is told of each claim."""

    def __init__(self, desk: Desk, cluster: Path, say: Callable[..., None]) -> None:
        self._desk = desk
        self._say = say
        self._folder = cluster
        self._urls = {each.code: each.url for each in read_regions(cluster / "operator" / "replication.toml")}
        self._retained = ReplayLog(desk.database)
        self._bills: dict[str, Sequence[str]] = {}
        self._lock = threading.Lock()
        self._judges: list[threading.Thread] = []
        self._epoch = self._told = -1
        self._moved_at = 0.0
        self._saved_since = False
        desk.services.worker.events.subscribe(self._heard)

    def saved(self, id_: str, bills: Sequence[str]) -> None:
        """Remember what was saved."""
        self._bills[id_] = bills
        self._saved_since = True

    def may_save(self) -> bool:
        """Return whether to go on saving: after a move once, and then not before all is there. Else the last
        thing to arrive would always be what was just saved, and nothing be learnt of what lagged."""
        moved = self._desk.services.worker.state.connection.moved
        return moved is None or moved.complete or not self._saved_since

    def wait(self) -> None:
        """Return once nothing is missing at the present server, and every claim is judged."""
        deadline = time.monotonic() + _MOST_SECONDS
        worker = self._desk.services.worker
        while (moved := worker.state.connection.moved) is not None and not moved.complete:
            if time.monotonic() > deadline:
                self._say(error=f"after {_MOST_SECONDS:.0f} s only {moved.here} of {moved.total} are here")
                return
            time.sleep(0.05)
        worker.send_and_wait()  # it begins after everything that was said before it
        for judge in self._judges:
            judge.join()

    # --- inside ----------------------------------------------------------------------------------

    def _heard(self, event: SyncEvent) -> None:
        session = self._desk.services.accounts.session
        if not isinstance(event, StateChanged) or session is None:
            return
        at, status = time.monotonic(), event.state.connection
        if status.moved is not None and status.server_label == session.server_label:
            self._take(status.moved, session, at)

    def _take(self, moved: Moved, session: BookSession, at: float) -> None:
        """Judge what is said for the first time since a move."""
        epoch = self._desk.services.accounts.machine.epoch
        with self._lock:
            if epoch != self._epoch:
                self._epoch, self._moved_at, self._saved_since = epoch, at, False
            if not moved.complete or self._told == epoch:
                return
            self._told = epoch
        self._desk.services.worker.dismiss_move()  # it has been read
        judge = partial(self._judge_unless_lost, session.book_id, session.region, at)
        self._judges.append(threading.Thread(target=judge, name="judge"))
        self._judges[-1].start()

    def _judge_unless_lost(self, book_id: str, region: str, at: float) -> None:
        try:
            self._judge(book_id, region, at)
        except (AppError, psycopg.Error) as error:  # the region was lost just now
            self._say(error=f"claim not judged: {type(error).__name__}")

    def _judge(self, book_id: str, region: str, at: float) -> None:
        now_us = time.time_ns() // 1000
        recent = self._retained.recent(book_id, now_us)
        confirmed = [each for each in recent if each.at_us and each.entry_id in self._bills]
        # Those of which it may not be true first: it takes a while to look at the bills of a whole day.
        late = [each for each in confirmed if each.at_us > now_us - _LATELY_US]
        missing = self._missing(region, late)
        looked = time.monotonic() - at
        missing += self._missing(region, [each for each in confirmed if each.at_us <= now_us - _LATELY_US])
        brought = [each.entry_id for each in confirmed if each.region != region]
        told = {"region": region, "at": at, "moved": self._moved_at, "brought": brought}
        told |= {"last_own": _last_own(confirmed, region), "judged": len(confirmed)}
        self._say(claim={**told, "missing": missing, "looked": looked})

    def _missing(self, region: str, confirmed: Sequence[ReplicationStatus]) -> list[str]:
        wanted = {each.entry_id: self._bills[each.entry_id] for each in confirmed}
        return not_whole(self._urls[region], self._folder / region, wanted)


def _last_own(confirmed: Sequence[ReplicationStatus], region: str) -> float:
    """Return when a server of `region` confirmed the last of them, on the monotonic clock."""
    last = max((each.at_us for each in confirmed if each.region == region), default=0)
    return last / 1_000_000 - time.time() + time.monotonic() if last else 0.0
