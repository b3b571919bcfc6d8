"""The server inside the program: what it is started with, and what keeps it from starting."""

import sys
from pathlib import Path

import pytest

from app.errors import NEWER_BOOK, OfflineError
from app.local_server import LocalServer
from app.store.last_program import note_program
from tests.support.waiting import wait_until


def test_a_folder_that_cannot_be_created_is_reported_and_not_retried_at_once(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    server = LocalServer(tmp_path / "home" / "server")
    for _ in range(2):
        with pytest.raises(OfflineError, match=r"could not be opened: Not a directory\."):
            server.endpoint()
    server.stop()


_SAYS_ITS_DATABASE = """
import json, os
given = [os.environ.get(name, "") for name in ("DATABASE_URL", "BAHI_DATABASE_URL", "BAHI_OTHER")]
print(json.dumps({"url": "http://" + ",".join(given)}))
"""


def test_a_database_url_of_the_shell_is_not_passed_to_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "BAHI_DATABASE_URL", "BAHI_OTHER"):
        monkeypatch.setenv(name, name)
    server = LocalServer(tmp_path, lambda _: [sys.executable, "-c", _SAYS_ITS_DATABASE])
    assert server.endpoint().url == "http://,,BAHI_OTHER"
    server.stop()


_NO_BINARY = "FileNotFoundError: [Errno 2] No such file or directory: '/opt/bahi/bin/postgres'"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("bahi-server: PostgreSQL could not be initialised:\nFATAL:  x: No space left on device\n", "full"),
        ("OSError: [Errno 122] Disk quota exceeded: 'postgres.log'\n", "full"),
        (
            "bahi-server: PostgreSQL did not start:\nFATAL:  could not open: Permission denied\n",
            "permissions",
        ),
        ("bahi-server: PostgreSQL did not start:\nLOG:  could not bind IPv4 address\n", "Another program"),
        (f"Traceback (most recent call last):\n{_NO_BINARY}\n", "A part of Bahi is missing"),
        ("bahi-server: PostgreSQL did not start:\nFATAL:  something else\n", "The reason is in"),
        ("bahi-server: The folder is used by another server.\n", "The folder is used by another server."),
        ("", "The reason is in"),
    ],
)
def test_why_the_server_did_not_start_is_a_whole_sentence(tmp_path: Path, said: str, told: str) -> None:
    fails = f"import sys; sys.stdin.readline(); sys.stderr.write({said!r}); sys.exit(1)"
    server = LocalServer(tmp_path, lambda _: [sys.executable, "-c", fails])
    with pytest.raises(OfflineError) as raised:
        server.endpoint()
    server.stop()
    assert told in raised.value.message
    assert raised.value.message.endswith(".")
    assert str(tmp_path / "server.log") in raised.value.message or "server.log" not in raised.value.message


_COUNTS_ITS_STARTS = """
import json, pathlib, sys
with pathlib.Path({note!r}).open("a") as note:
    note.write("started\\n")
sys.stdin.readline()
print(json.dumps({{"url": "http://here"}}), flush=True)
sys.stdin.read()
"""


def test_a_server_that_was_started_ahead_is_not_started_twice(tmp_path: Path) -> None:
    note = tmp_path / "starts"
    code = _COUNTS_ITS_STARTS.format(note=str(note))
    server = LocalServer(tmp_path / "server", lambda _: [sys.executable, "-c", code])
    server.start_soon()
    wait_until(note.exists)
    assert server.endpoint().url == "http://here"
    assert note.read_text() == "started\n"
    server.stop()
    assert server.pid is None


def test_a_start_ahead_that_fails_is_told_when_the_server_is_needed(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    server = LocalServer(tmp_path / "home" / "server")
    server.start_soon()
    with pytest.raises(OfflineError, match=r"could not be opened: Not a directory\."):
        server.endpoint()
    server.stop()


@pytest.mark.parametrize(
    "said",
    [
        "This database was migrated by a newer version of Bahi; please update this program.",
        "This database was made by a newer version of Bahi, with PostgreSQL 99; this program has 18.",
    ],
)
def test_a_database_of_a_newer_program_is_told_as_such_each_time_it_is_asked_for(
    tmp_path: Path, said: str
) -> None:
    note_program(tmp_path, "7.11")
    fails = f"import sys; sys.stdin.readline(); sys.stderr.write('bahi-server: ' + {said!r}); sys.exit(1)"
    server = LocalServer(tmp_path / "server", lambda _: [sys.executable, "-c", fails])
    for _ in range(2):
        with pytest.raises(OfflineError, match=r"by a newer Bahi \(7\.11\)\. Please install") as raised:
            server.endpoint()
        assert raised.value.code == NEWER_BOOK
    server.stop()
