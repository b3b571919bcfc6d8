"""The embedded PostgreSQL: who may connect, what is kept, and starts after a bad end."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from server.db.embedded import EmbeddedPostgres, _is_postmaster_of
from server.errors import StartError
from tests.support.planted import OTHER_USER, PLANTS, needs_root
from tests.support.postgres import QUICK, Cluster, cluster_folder, postmaster_pid, remove_cluster, rows


@pytest.fixture(scope="session")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose PostgreSQL was started once and ended."""
    folder = tmp_path_factory.mktemp("embedded")
    embedded = EmbeddedPostgres(folder, QUICK)
    try:
        embedded.start()
        embedded.stop()
        yield folder
    finally:
        embedded.stop()
        remove_cluster(folder)


def _with(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    return f"postgresql://{user}:{password}@127.0.0.1:{parts.port}{parts.path}"


@pytest.mark.parametrize(
    ("user", "password"), [("bahi", "wrong"), ("bahi", ""), ("postgres", ""), ("root", "x")]
)
def test_nobody_connects_without_the_password(cluster: Cluster, user: str, password: str) -> None:
    url = _with(cluster.embedded.url("postgres"), user, password)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=5)


def test_it_listens_on_loopback_only(cluster: Cluster) -> None:
    shown = rows(
        cluster.embedded.url("postgres"),
        "select name, setting from pg_settings where name in ('listen_addresses', 'unix_socket_directories')",
    )
    assert dict(shown) == {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    access = rows(cluster.embedded.url("postgres"), "select distinct auth_method from pg_hba_file_rules")
    assert access == [("scram-sha-256",)]


def test_its_log_holds_no_statement(cluster: Cluster) -> None:
    with (
        psycopg.connect(cluster.embedded.url("postgres")) as connection,
        pytest.raises(psycopg.errors.InvalidTextRepresentation),
    ):
        connection.execute("select 'secret-98765'::int")
    log = (cluster.embedded.data / "postgres.log").read_text(encoding="utf-8")
    assert "secret-98765'::" not in log


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_its_password_and_data_are_closed_to_others(stopped: Path) -> None:
    assert stat.S_IMODE((stopped / "postgres.secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(cluster_folder(stopped).stat().st_mode) == 0o700


def test_a_later_start_finds_the_same_data(stopped: Path) -> None:
    first = EmbeddedPostgres(stopped, QUICK)
    url = first.start()
    rows(url, "create table if not exists kept (x int)")
    pid = first.pid
    assert pid is not None
    assert postmaster_pid(stopped) == pid
    first.stop()
    assert first.pid is None
    assert postmaster_pid(stopped) is None
    second = EmbeddedPostgres(stopped, QUICK)
    try:
        assert rows(second.start(), "select count(*) from kept") == [(0,)]
    finally:
        second.stop()


def test_ending_twice_or_before_the_start_does_no_harm(stopped: Path) -> None:
    embedded = EmbeddedPostgres(stopped, QUICK)
    embedded.stop()
    embedded.start()
    embedded.stop()
    embedded.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends a process at once there")
def test_a_signal_at_the_very_start_leaves_no_postgres(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []

    class SignalledPopen(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self.pid)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.05)  # a handler that may run runs here

    def ended(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    monkeypatch.setattr(subprocess, "Popen", SignalledPopen)
    embedded, before = EmbeddedPostgres(stopped, QUICK), signal.signal(signal.SIGTERM, ended)
    try:
        with pytest.raises(SystemExit):
            embedded.start()
        assert embedded.pid == started[0]
    finally:
        signal.signal(signal.SIGTERM, before)
        embedded.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for PostgreSQL's processes in /proc")
def test_a_start_waits_for_what_is_left_of_a_postgres_that_was_killed(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.db.embedded._PAUSES", (0.1,) * 300)
    embedded = EmbeddedPostgres(stopped, QUICK)
    try:
        embedded.start()
        pid = postmaster_pid(stopped)
        assert pid is not None
        left = int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()[0])
        os.kill(left, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        embedded.wait()
        ends = threading.Timer(0.5, os.kill, (left, signal.SIGCONT))
        ends.start()
        assert rows(embedded.start(), "select 1") == [(1,)]
        ends.join()
    finally:
        embedded.stop()


def test_a_pid_file_that_names_somebody_elses_process_harms_nobody(stopped: Path) -> None:
    (cluster_folder(stopped) / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster_folder(stopped)}\n")
    assert not _is_postmaster_of(os.getpid(), cluster_folder(stopped))
    embedded = EmbeddedPostgres(stopped, QUICK)
    try:
        assert rows(embedded.start(), "select 1") == [(1,)]
    finally:
        embedded.stop()


def test_a_set_up_that_was_killed_half_way_is_made_anew(tmp_path: Path) -> None:
    embedded = EmbeddedPostgres(tmp_path / "data", QUICK)
    (tmp_path / "data").mkdir()
    half = embedded.cluster.with_name(f"{embedded.cluster.name}.new")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("half")
    try:
        assert rows(embedded.start(), "select 1") == [(1,)]
        assert not half.exists()
    finally:
        embedded.stop()
        remove_cluster(tmp_path / "data")


@pytest.mark.parametrize(("version", "told"), [("99", "a newer version"), ("9", "an older version")])
def test_data_of_another_major_version_is_told_and_left_alone(stopped: Path, version: str, told: str) -> None:
    cluster = cluster_folder(stopped)
    ours = (cluster / "PG_VERSION").read_bytes()
    (cluster / "PG_VERSION").write_text(f"{version}\n")
    before = {file: file.stat().st_mtime_ns for file in cluster.rglob("*")}
    try:
        with pytest.raises(StartError, match=f"made by {told} of Bahi, with PostgreSQL {version};"):
            EmbeddedPostgres(stopped, QUICK).start()
        assert {file: file.stat().st_mtime_ns for file in cluster.rglob("*")} == before
    finally:
        (cluster / "PG_VERSION").write_bytes(ours)


@needs_root
@pytest.mark.parametrize(
    "plant", ["link", "pipe", "folder", "another user's", "relative", "link to a folder"]
)
def test_a_note_of_where_the_database_is_that_another_user_can_have_written_is_refused(
    tmp_path: Path, plant: str
) -> None:
    data, note, elsewhere = tmp_path / "data", tmp_path / "data" / "postgres.location", tmp_path / "elsewhere"
    data.mkdir()
    elsewhere.mkdir()
    (tmp_path / "victim").write_text(str(elsewhere))
    if plant in PLANTS:
        PLANTS[plant](note, tmp_path / "victim")
    elif plant == "link to a folder":
        (tmp_path / "link").symlink_to(elsewhere)
        note.write_text(str(tmp_path / "link"))
    else:
        note.write_text("postgres" if plant == "relative" else str(elsewhere))
        os.chown(note, *([OTHER_USER] * 2 if plant == "another user's" else [0, 0]))
    with pytest.raises(StartError, match=r"postgres\.location"):
        EmbeddedPostgres(data, QUICK).start()
    assert list(elsewhere.iterdir()) == []


@needs_root
def test_the_place_of_the_database_belongs_to_this_user(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "postgres.location").write_text(str(tmp_path / "open" / "cluster"))
    with pytest.raises(StartError, match="can be written by every user"):
        EmbeddedPostgres(tmp_path, QUICK).start()
    (tmp_path / "open").chmod(0o755)
    (tmp_path / "open" / "cluster").mkdir()
    os.chown(tmp_path / "open" / "cluster", 4242, 4242)
    with pytest.raises(StartError, match="does not name a folder of this server's database"):
        EmbeddedPostgres(tmp_path, QUICK).start()
