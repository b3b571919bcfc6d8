"""How the program ended: a mark that stays after a crash, with its trace, and that nobody else can misuse."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import ROOT

_RUNS = "import os, sys, pathlib, app.store.last_end as e; m = e.EndMark(pathlib.Path(sys.argv[1])); "


def left_by(path: Path, then: str) -> str:
    """Run a program that marks `path` and does `then`; return what was left before, as Python writes it."""
    done = subprocess.run(
        [sys.executable, "-c", f"{_RUNS}print(repr(m.left), flush=True); {then}", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_a_clean_end_leaves_nothing_and_a_crash_its_trace(tmp_path: Path) -> None:
    mark = tmp_path / "crash.trace"
    assert left_by(mark, "m.close(); m.close()") == "None"
    assert not mark.exists()
    assert left_by(mark, "os.abort()") == "None"
    assert stat.S_IMODE(mark.stat().st_mode) == 0o600
    assert "Fatal Python error: Aborted" in left_by(mark, "os._exit(1)")
    assert left_by(mark, "m.close()") == "''"
    assert left_by(mark, "m.close()") == "None"


def test_a_long_trace_is_read_in_part_only(tmp_path: Path) -> None:
    (tmp_path / "crash.trace").write_bytes(b"x" * 5_000_000)
    assert len(left_by(tmp_path / "crash.trace", "m.close()")) == 64 * 1024 + 2


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_is_neither_read_nor_written_nor_removed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="utf-8")
    (tmp_path / "crash.trace").symlink_to(victim)
    assert left_by(tmp_path / "crash.trace", "m.close()") == "None"
    assert victim.read_text(encoding="utf-8") == "mine"
    assert os.path.islink(tmp_path / "crash.trace")  # noqa: PTH114


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    assert left_by(tmp_path / "gone" / "crash.trace", "m.close()") == "None"
