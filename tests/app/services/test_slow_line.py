"""A large bill on a slow line: nothing else waits for it. Real services, a real server, and a real upload."""

import logging
import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Final, cast

import pytest

from app.bootstrap import Desk, make_desk
from app.domain.connection_status import Moved
from app.domain.entry import Direction, EntryDraft
from app.domain.poll_schedule import FAST_PAUSE_SECONDS
from app.domain.sync_events import ReplayWanted, RunEnded, StateChanged, SyncEvent
from app.errors import OfflineError
from app.local_server import LocalServer
from app.paths import Paths
from app.store.outbox import Outbox
from app.store.replay_log import Confirmed
from server.contract import paths
from tests.support.api import PASSWORD, a_name, now_us
from tests.support.ports import steady_port
from tests.support.regional import SINGAPORE, Regional
from tests.support.servers import running_server
from tests.support.slow_line import SlowLine, slow_line
from tests.support.two_regions import patience

RATE: Final = 50_000
"""Bytes a second."""
SECONDS: Final = 5.0
"""For so long the bill is under way."""
PATIENCE: Final = 90.0


class NoServer:
    """A computer without a server of its own."""

    def endpoint(self) -> None:
        raise OfflineError

    def stop(self) -> None:
        """There is none."""


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP call of the program, in seconds since 1970."""

    path: str
    began: float
    ended: float


class Calls(logging.Handler):
    """Notes every call, as the program's log has it."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Call] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == "call":
            told = record.__dict__
            self.made.append(Call(told["path"], record.created - told["ms"] / 1000, record.created))

    def to(self, path: str) -> list[Call]:
        return [call for call in self.made if call.path == path]


@pytest.fixture
def calls() -> Iterator[Calls]:
    log, made = logging.getLogger("app.remote.client"), Calls()
    level = log.level
    log.addHandler(made)
    log.setLevel(logging.INFO)
    yield made
    log.removeHandler(made)
    log.setLevel(level)


@pytest.fixture
def line(database_url: str, tmp_path: Path) -> Iterator[SlowLine]:
    """A slow line to the one server that runs, of a cluster of two regions."""
    regional, port = Regional(tmp_path / "cluster", ("in-1", "sg-1")), steady_port()
    public = int(regional.url("in-1").rpartition(":")[2])
    server = running_server(regional.config("in-1", database_url, port=port))
    with patience(), server, slow_line(public, port, RATE) as made:
        yield made


@pytest.fixture
def desk(line: SlowLine, tmp_path: Path) -> Iterator[Desk]:
    """The program, signed in over the line."""
    with ExitStack() as ending:
        made = make_desk(Paths(tmp_path / "home"), cast(LocalServer, NoServer()))
        ending.callback(made.close)
        made.services.accounts.sign_in_remote(line.url, a_name(), PASSWORD, create=True)
        yield made


def save(desk: Desk, text: str, size: int = 0) -> str:
    """Save an entry, with a bill of `size` bytes; return its operation."""
    documents, sync = desk.services.documents, desk.services.sync
    data = b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(size)
    bills = (documents.attach_bytes(data, "bill.png"),) if size else ()
    draft = EntryDraft(date(2026, 11, 22), Decimal("12.50"), Direction.DEBIT, "Travel", text, bills)
    desk.services.entries.save(draft)
    return sync.items()[-1].op_id


def confirm_elsewhere(desk: Desk, op_id: str) -> None:
    """Let the other region have confirmed an operation, which never came here."""
    session = desk.services.accounts.require_session()
    by = Confirmed("sg-1", SINGAPORE, session.pin_id)
    Outbox(desk.database).confirm(op_id, by, now_us(), keep=True)


def test_an_upload_on_a_slow_line_delays_no_poll_by_more_than_a_second(desk: Desk, calls: Calls) -> None:
    is_sent, is_here = threading.Event(), threading.Event()

    def heard(event: SyncEvent) -> None:
        if isinstance(event, RunEnded) and not event.left:
            is_sent.set()
        if isinstance(event, StateChanged) and event.state.connection.moved == Moved(2, 2):
            is_here.set()

    confirm_elsewhere(desk, save(desk, "Lost with the region before"))
    save(desk, "With a large bill", round(RATE * SECONDS))
    desk.services.worker.events.subscribe(heard)
    desk.services.worker.start()
    desk.services.accounts.changes.publish(ReplayWanted())  # as after a move
    assert is_sent.wait(PATIENCE)
    (upload,) = calls.to("/v1/blobs/…")
    assert upload.ended - upload.began >= SECONDS
    polls = [each.began for each in calls.to(paths.SYNC_STATUS) if upload.began <= each.began <= upload.ended]
    gaps = [after - before for before, after in pairwise([upload.began, *polls, upload.ended])]
    assert max(gaps) <= FAST_PAUSE_SECONDS + 1.0, gaps
    assert is_here.wait(PATIENCE)  # what the region lacked was replayed after it, and found
    assert desk.services.worker.state.waiting == 0
