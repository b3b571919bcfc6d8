"""The bundle: its size, and how soon its first window is painted beside the program that runs from source."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.bench import report
from tests.bench.groups import Group
from tests.bench.rows import Row, in_turns
from tests.bench.stage import LocalBook, Stage

_ROOT: Final = Path(__file__).parents[2]
_MADE: Final = _ROOT / "build" / "bundle.json"
_PROGRAM: Final = _ROOT / "build" / "bundle" / "dist" / "bahi" / "bahi"
_NO_BUNDLE: Final = "There is no bundle, so its rows are left out. `make bundle` makes it."
_SECONDS: Final = 60.0
_POLL_S: Final = 0.001


def bundle_size(_stage: Stage) -> list[Row]:
    """`bundle_size_mb`: the archive that `make bundle` made last."""
    made = _made()
    if made is None:
        return []
    note = f"unpacked {made['folder_mb']} MB; built in {made['seconds']['build']} s"
    return [Row("bundle_size_mb", "MB", made["archive_mb"], "<= 75", 1, 1, note=note)]


def bundle_first_paint(stage: Stage) -> list[Row]:
    """`bundle_first_paint` in s: from the start of the process until the program answers later starts, which
    is the first that it does after the first paint. Limit: from source, alternating, with the same book."""
    if _made() is None or not _PROGRAM.exists():
        return []
    book = stage.small_book()
    source = [sys.executable, "-m", "app"]
    pair = in_turns(partial(_listens, [str(_PROGRAM)], book), partial(_listens, source, book), 11, 2)
    return [pair.row("bundle_first_paint", "s", "<= 1.15", 11, "the limit is the program from source")]


def _made() -> dict[str, Any] | None:
    if not _MADE.exists():
        report.say(_NO_BUNDLE)
        return None
    return dict(json.loads(_MADE.read_text(encoding="utf-8")))


def _listens(command: Sequence[str], book: LocalBook) -> float:
    with tempfile.TemporaryDirectory(prefix="bahi-") as folder:  # where Qt makes the socket
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_DATA_HOME": str(book.home)}
        began = time.monotonic()
        with _running(command, {**environment, "TMPDIR": folder, "XDG_RUNTIME_DIR": folder}):
            while not any(name.startswith("bahi-") for name in os.listdir(folder)):  # noqa: PTH208 - quick
                assert time.monotonic() - began < _SECONDS, f"{command} has painted no window"
                time.sleep(_POLL_S)
            return time.monotonic() - began


@contextlib.contextmanager
def _running(command: Sequence[str], environment: dict[str, str]) -> Iterator[None]:
    """Run the program, and end it as the system does at a log-out: its server and database end with it."""
    process = subprocess.Popen(command, env=environment, cwd=_ROOT, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_SECONDS)


GROUPS: Final = (
    Group("bundle_size", ("bundle_size_mb",), bundle_size),
    Group("bundle_first_paint", ("bundle_first_paint",), bundle_first_paint),
)
