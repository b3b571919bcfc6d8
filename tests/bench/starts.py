"""Starts: the time until the first window, until entries are shown, and until the server's first answer."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from server.contract import paths
from server.errors import StartError
from server.node.folder_lock import lock_folder
from tests.bench.groups import Group
from tests.bench.rows import Row, in_turns, spread_of
from tests.bench.stage import SECRET, LocalBook, Stage

_ROOT: Final = Path(__file__).parents[2]
_SECONDS: Final = 60.0


def first_paint(stage: Stage) -> list[Row]:
    """`first_paint` in s: `python -m app` with a book, from the start of the process until a key posted at
    the first paint comes through the event loop; limit: a bare QMainWindow measured the same way.
    Offscreen, 11 times each, alternating. What the program starts in its background is let end before the
    next."""
    book = stage.small_book()
    pair = in_turns(
        partial(_program_key, book, "first_key"), partial(_first_key, _module("bare_window"), book), 11, 2
    )
    return [pair.row("first_paint", "s", "<= 1.5", 11)]


def first_key(stage: Stage) -> list[Row]:
    """`first_key` in s: `python -m app` with a book on this computer, from the start of the process until a
    key posted at the first paint of the main window comes through the event loop. The goal is about ours, so
    the limit, a bare window with one text field measured the same way, alternating, stands in the note; and
    also when the amount field takes a key, which the start of the server and its PostgreSQL precedes.
    Offscreen, 11 times each. What the program starts in its background is let end before the next."""
    book = stage.small_book()
    pair = in_turns(
        partial(_program_key, book, "main_key"), partial(_first_key, _module("bare_field"), book), 11, 2
    )
    amount = statistics.median(_program_key(book, "amount_key") for _ in range(5))
    row = Row(
        name="first_key",
        unit="s",
        ours=statistics.median(pair.ours),
        goal="<= 0.35",
        samples=len(pair.ours),
        needed=11,
        spread=f"{spread_of(pair.ours)} | {spread_of(pair.limit)}",
        note=f"a bare window with a field {statistics.median(pair.limit):.3f} s; the amount {amount:.2f} s",
    )
    return [row]


def entries_on_screen(stage: Stage) -> list[Row]:
    """`entries_on_screen@100k` in s: program start until rows of a book of 100,000 are painted on the
    listing, its server and PostgreSQL started cold by it (the page cache is warm: nothing can empty it
    without root). The listing is asked for as soon as the book is open. `client_memory@100k` in MiB: what the
    program, without its server, has resident 2 s later. performance.md names 1M; these rows say @100k."""
    book = stage.full_book()
    found = [_entries(book) for _ in range(7)][1:]
    seconds = [at for at, _ in found]
    memory = [mib for _, mib in found]
    on_screen = Row(
        name="entries_on_screen@100k",
        unit="s",
        ours=statistics.median(seconds),
        goal="<= 1.5",
        samples=len(seconds),
        needed=5,
        spread=spread_of(seconds),
    )
    resident = Row(
        name="client_memory@100k",
        unit="MiB",
        ours=statistics.median(memory),
        goal="<= 150",
        samples=len(memory),
        needed=5,
        spread=spread_of(memory),
    )
    return [on_screen, resident]


def server_start(stage: Stage) -> list[Row]:
    """`server_start` in s: process start → first answer of /health/ready, the database up and migrated.
    The goal (0.35 s) is about ours, so the limit, bare Starlette on uvicorn, alternating, stands in the
    note."""
    book = stage.small_book()
    with book.database() as url:
        pair = in_turns(partial(_server_answer, book, url), _bare_answer, 9)
    bare = statistics.median(pair.limit)
    row = Row(
        name="server_start",
        unit="s",
        ours=statistics.median(pair.ours),
        goal="<= 0.35",
        samples=len(pair.ours),
        needed=9,
        spread=f"{spread_of(pair.ours)} | {spread_of(pair.limit)}",
        note=f"bare Starlette {bare:.3f} s",
    )
    return [row]


# --- windows --------------------------------------------------------------------------------------


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"tests.bench.programs.{name}", *arguments]


def _environment(book: LocalBook) -> dict[str, str]:
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_DATA_HOME": str(book.home)}


def _program_key(book: LocalBook, which: str) -> float:
    seconds = _first_key(_module("program", which), book)
    _wait_until_free(book.paths.server)
    return seconds


def _first_key(command: Sequence[str], book: LocalBook) -> float:
    began = time.monotonic()
    with _started(command, _environment(book)) as process:
        return _told(process)["at"] - began


def _entries(book: LocalBook) -> tuple[float, float]:
    began = time.monotonic()
    with _started(_module("program", "entries"), _environment(book)) as process:
        at = _told(process)["at"]
        later = _told(process)
    _wait_until_free(book.paths.server)
    return at - began, later["mib"]


def _wait_until_free(server: Path) -> None:
    """Wait until the server that a program left behind has noticed and ended, its database too."""
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            lock_folder(server).close()
        except StartError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


# --- servers --------------------------------------------------------------------------------------


def _server_answer(book: LocalBook, url: str) -> float:
    command = [sys.executable, "-m", "server", "--quiet", "local", "--data", str(book.paths.server)]
    environment = {**os.environ, "DATABASE_URL": url}
    return _first_answer([*command, "--parent-fd", "0"], environment, SECRET)


def _bare_answer() -> float:
    return _first_answer(_module("bare_server"), dict(os.environ))


def _first_answer(command: Sequence[str], environment: dict[str, str], secret: str = "") -> float:
    began = time.monotonic()
    with _started(command, environment, secret) as process:
        url = _told_url(process) + paths.HEALTH_READY
        asked = urllib.request.Request(url, headers={paths.LOCAL_SECRET_HEADER: secret})  # noqa: S310
        with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310 - loopback, our own
            answer.read()
        return time.monotonic() - began


# --- processes ------------------------------------------------------------------------------------


@contextlib.contextmanager
def _started(
    command: Sequence[str], environment: dict[str, str], secret: str = ""
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=_ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if secret:
            process.stdin.write(secret.encode() + b"\n")
            process.stdin.flush()
        yield process
    finally:
        process.stdin.close()
        process.terminate()
        process.wait(_SECONDS)
        process.stdout.close()


def _told(process: subprocess.Popen[bytes]) -> dict[str, float]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args!r} ended without a word")
    told: dict[str, float] = json.loads(line)
    return told


def _told_url(process: subprocess.Popen[bytes]) -> str:
    return str(_told(process)["url"])


GROUPS: Final = (
    Group("first_paint", ("first_paint",), first_paint),
    Group("first_key", ("first_key",), first_key),
    Group("entries_on_screen", ("entries_on_screen@100k", "client_memory@100k"), entries_on_screen),
    Group("server_start", ("server_start",), server_start),
)
