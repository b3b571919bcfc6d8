"""A real process, a real SIGKILL: what `add` returned for is there, whole, once and in order."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.store.database import Database
from app.store.files import Files
from app.store.outbox import Outbox
from tests.app.store import samples
from tests.app.store.samples import BOOK, draft

ROOT = Path(__file__).parents[3]


def told_until_killed(folder: Path, entries: int, what: str = "save") -> list[tuple[str, str]]:
    """Start the program, kill it after it told of some entries; return the pairs of words it told."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, samples.__file__, str(folder), what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(entries)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    return [(op_id, sha256) for op_id, sha256 in (line.split() for line in lines)]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_after_kill_9_every_item_for_which_add_returned_exists_with_its_bill(tmp_path: Path) -> None:
    told = told_until_killed(tmp_path, 25)
    told += told_until_killed(tmp_path, 25)  # the second one starts on what the first one's death left
    database = Database(tmp_path / "client.sqlite")
    outbox, files = Outbox(database), Files(tmp_path / "bills")
    items = outbox.waiting(BOOK)
    assert {op_id for op_id, _ in told} <= {item.op_id for item in items}
    assert len(items) <= len(told) + 2 * 3  # three threads, each at most one entry that it could not tell of
    assert [item.human_code for item in items] == [f"0K7-{n:06d}" for n in range(1, len(items) + 1)]
    assert [item.ver for item in items] == sorted({item.ver for item in items})
    for item in items:
        bill = item.documents[0]
        assert hashlib.sha256(files.path(bill.sha256).read_bytes()).hexdigest() == bill.sha256
    assert outbox.add(BOOK, draft(), "0K7", 0).ver > items[-1].ver
    database.close()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_after_kill_9_a_refused_entry_is_there_once_as_it_was_or_corrected(tmp_path: Path) -> None:
    told = dict(told_until_killed(tmp_path, 20, "correct") + told_until_killed(tmp_path, 20, "correct"))
    database = Database(tmp_path / "client.sqlite")
    items = Outbox(database).items(BOOK)
    assert [item.human_code for item in items if item.human_code in told] == list(told)
    for item in items:
        was_corrected = item.description.startswith("right")
        assert was_corrected is (item.op_id != told.get(item.human_code, item.op_id))
        assert len(item.documents) == (0 if was_corrected else 1)
    database.close()
