"""The server as a process: its one line, its clean end, and starts that cannot be."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from server.contract import paths
from tests.support.api import Api, a_document
from tests.support.postgres import postmaster_pid, rows
from tests.support.servers import ROOT, ServerProcess, command, server_process
from tests.support.waiting import wait_until

SECRET = "the program's secret"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def _local(folder: Path, *more: str) -> tuple[str, ...]:
    return ("local", "--data", str(folder), *more)


def _gone(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
        # Or ended, and left by a parent that was killed.
        return _is_zombie(pid)
    except (ProcessLookupError, FileNotFoundError):  # the second: while we looked
        return True


def _sentence(errors: str) -> str:
    """Return the one line that says what is wrong; a traceback is never it."""
    assert "Traceback" not in errors
    (line,) = [line for line in errors.splitlines() if line.startswith("bahi-server: ")]
    return line


def _use(server: ServerProcess) -> tuple[str, bytes]:
    book = server.api().local("Asha")
    bill = a_document()
    saved = book.add(bill)
    assert book.fetch(bill.id) == bill.data
    return saved.entry.id, bill.data


# --- the ready line -----------------------------------------------------------------------------------


def test_a_local_server_prints_one_line_once_it_answers(kept_data: Path) -> None:
    with server_process(*_local(kept_data), secret=SECRET) as server:
        assert set(server.ready) == {"ready", "url", "serverId"}
        assert server.ready["ready"] is True
        assert server.ready["url"].startswith("http://127.0.0.1:")
        assert server.ready["serverId"].startswith("local-")
        assert server.line.endswith(b"\n")
        _use(server)
        assert Api(server.ready["url"]).call("GET", paths.AUTH_LOCAL).status_code == 403
        assert server.end() == 0
        assert server.process.stdout is not None
        assert server.process.stdout.read() == b""


def test_a_server_keeps_its_id_key_and_book_over_starts(kept_data: Path) -> None:
    with server_process(*_local(kept_data), secret=SECRET) as first:
        entry_id, _ = _use(first)
        token = first.api().local().signed_in.access_token
        assert first.hang_up() == 0
    with server_process(*_local(kept_data), secret="another secret") as second:
        assert second.ready["serverId"] == first.ready["serverId"]
        assert second.api().local().get(entry_id)
        assert second.api().with_token(token).call("GET", paths.ENTRIES).ok


# --- the end ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_and_its_postgres_cleanly(kept_data: Path, number: int) -> None:
    with server_process(*_local(kept_data), secret=SECRET) as server:
        pid = postmaster_pid(kept_data)
        assert not _gone(pid)
        _use(server)
        assert server.end(number) == 0
        assert _gone(pid)
        assert postmaster_pid(kept_data) is None


def test_the_end_of_the_parents_pipe_ends_the_server_and_its_postgres(kept_data: Path) -> None:
    with server_process(*_local(kept_data), secret=SECRET) as server:
        pid = postmaster_pid(kept_data)
        assert server.hang_up() == 0
        assert _gone(pid)


def test_a_server_without_a_parents_pipe_does_not_end_with_its_standard_input(kept_data: Path) -> None:
    with server_process(*_local(kept_data)) as server:
        assert server.process.stdin is not None
        server.process.stdin.close()
        assert server.api().call("GET", paths.HEALTH_READY).ok
        assert server.end() == 0


def test_a_killed_server_loses_nothing_and_the_next_start_takes_over(kept_data: Path) -> None:
    with server_process(*_local(kept_data), secret=SECRET) as server:
        entry_id, data = _use(server)
        pid = postmaster_pid(kept_data)
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
        assert not _gone(pid)  # PostgreSQL outlives it: the next start must end it
    with server_process(*_local(kept_data), secret=SECRET) as server:
        assert _gone(pid)
        book = server.api().local()
        found = book.get(entry_id)
        assert book.fetch(found.documents[0].id) == data
        assert server.end() == 0


def test_a_server_ends_with_its_postgres_and_both_come_back_with_the_next_start(kept_data: Path) -> None:
    with server_process(*_local(kept_data), secret=SECRET) as server:
        entry_id, _ = _use(server)
        pid = postmaster_pid(kept_data)
        assert pid is not None
        others = _children(pid)
        os.kill(pid, signal.SIGKILL)
        assert server.process.wait(30) == 0
        wait_until(lambda: all(map(_gone, others)))  # none starts beside what is left of another
    with server_process(*_local(kept_data), secret=SECRET) as server:
        assert server.api().local().get(entry_id)
        assert server.end() == 0


def _children(pid: int) -> list[int]:
    """Return PostgreSQL's other processes; they end once they notice that the first one has."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in listed.read_text(encoding="utf-8").split()] if listed.exists() else []


def _is_zombie(pid: int) -> bool:
    if not Path("/proc/self").exists():
        return False
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"


def test_a_start_that_is_ended_half_way_leaves_no_postgres(fresh_data: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "server", *_local(fresh_data)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: fresh_data.exists() and postmaster_pid(fresh_data) is not None, 60)
        pid = postmaster_pid(fresh_data)
        process.terminate()
        assert process.wait(30) == 0
        assert _gone(pid)
    finally:
        process.kill()
        process.wait()


# --- starts that cannot be ----------------------------------------------------------------------------


def test_a_second_server_on_one_folder_is_refused_and_the_first_goes_on(kept_data: Path) -> None:
    with server_process(*_local(kept_data), secret=SECRET) as server:
        second = command(*_local(kept_data))
        assert second.status == 1
        assert "in use by another Bahi program" in _sentence(second.errors)
        assert str(server.process.pid) in second.errors
        _use(server)


@pytest.mark.parametrize("port", ["-1", "65536", "99999999999"])
def test_a_port_that_cannot_be_is_refused(tmp_path: Path, port: str) -> None:
    ended = command(*_local(tmp_path / "data", "--port", port))
    assert ended.status == 1
    assert "port" in _sentence(ended.errors).lower()
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_no_number_is_a_mistake_of_usage(tmp_path: Path) -> None:
    ended = command(*_local(tmp_path / "data", "--port", "http"))
    assert ended.status == 2
    assert "invalid int value" in ended.errors


def test_a_port_that_is_taken_is_told_and_postgres_is_ended(kept_data: Path, unused_tcp_server: int) -> None:
    ended = command(*_local(kept_data, "--port", str(unused_tcp_server)))
    assert ended.status == 1
    assert f"Cannot listen on port {unused_tcp_server} of 127.0.0.1" in _sentence(ended.errors)
    assert postmaster_pid(kept_data) is None


@pytest.fixture
def unused_tcp_server() -> object:
    """A port that somebody else listens on."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def test_a_data_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    ended = command(*_local(tmp_path / "data"))
    assert ended.status == 1
    assert "data" in _sentence(ended.errors)


@pytest.mark.parametrize("line", [b"", b"\n"])
def test_a_program_that_hands_over_no_secret_gets_no_server(tmp_path: Path, line: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server", *_local(tmp_path / "data"), "--parent-fd", "0"],
        input=line,
        capture_output=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 1
    assert "secret" in _sentence(done.stderr.decode())
    assert not (tmp_path / "data").exists()


def test_a_parents_pipe_that_is_not_open_is_told(tmp_path: Path) -> None:
    ended = command(*_local(tmp_path / "data", "--parent-fd", "77"))
    assert ended.status == 1
    assert "77" in _sentence(ended.errors)


# --- a PostgreSQL of one's own ------------------------------------------------------------------------


def test_a_regional_server_uses_the_postgres_it_is_given_and_leaves_it_running(
    empty_database_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "server.toml"
    config.write_text(
        f'data = "{tmp_path / "data"}"\nserver_id = "in-mum-1"\nregion = "ap-south-1"\n'
        'region_letter = "M"\nregistration = "open"\n'
    )
    given = {"DATABASE_URL": empty_database_url}
    with server_process("run", "--config", str(config), environment=given) as server:
        assert server.ready["serverId"] == "in-mum-1"
        book = server.api().register()
        assert book.signed_in.code_prefix.startswith("M")
        assert book.signed_in.primary.region == "ap-south-1"
        book.add(a_document())
        assert server.end() == 0
    assert rows(empty_database_url, "select count(*) from public.accounting_entry") == [(1,)]
    assert not (tmp_path / "data" / "postgres").exists()


def test_a_database_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgresql://asha:opensesame@127.0.0.1:1/bahi"}
    for arguments in (("migrate",), _local(tmp_path / "data")):
        ended = command(*arguments, environment=given)
        assert ended.status == 1
        assert "database" in _sentence(ended.errors)
        assert "opensesame" not in ended.errors + ended.out


def test_a_database_address_that_is_none_is_told_without_its_password(tmp_path: Path) -> None:
    ended = command("migrate", environment={"DATABASE_URL": "postgresql//asha:opensesame@x"})
    assert ended.status == 1
    assert "database" in _sentence(ended.errors)
    assert "opensesame" not in ended.errors + ended.out


def test_migrating_twice_changes_nothing_the_second_time(empty_database_url: str) -> None:
    given = {"DATABASE_URL": empty_database_url}
    first = command("migrate", environment=given)
    assert first.status == 0
    assert first.out.splitlines()[0] == "0001_journal"
    again = command("migrate", environment=given)
    assert (again.status, again.out) == (0, "")


def test_migrating_without_a_database_is_refused() -> None:
    ended = command("migrate")
    assert ended.status == 1
    assert "DATABASE_URL" in _sentence(ended.errors)


def test_a_command_is_needed() -> None:
    assert command().status == 2
    assert json.dumps(command("--help").out).count("local")
