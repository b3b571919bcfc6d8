"""The local server: starts, restarts and stops the server process of the book on this computer.

The server is a child process (`app/roles.py`). It reads a secret from its standard
input and answers only calls that carry it. It stops when that pipe closes, even if this program is killed.
"""

import contextlib
import json
import os
import secrets
import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.errors import NEWER_BOOK, OfflineError
from app.remote.endpoint import Endpoint
from app.roles import folder_of_roles, server_command
from app.store.last_program import newer_book_sentence
from server.contract.private_files import make_private_folder, private_opener, read_private

_STOP_SECONDS: Final = 15
_PAUSE_AFTER_FAILURE: Final = 3.0
_MAX_LOG_BYTES: Final = 2 * 1024 * 1024
_PREFIX: Final = "bahi-server: "
# What a server writes that is too old for its database.
_TOO_OLD: Final = ("was migrated by a newer version of Bahi", "was made by a newer version of Bahi")
# What the system says in the log of a server that cannot start, and what to tell the user.
_REASONS: Final = (
    (
        ("No space left on device", "Disk quota exceeded"),
        "The disk is full. Please free some space, then try again.",
    ),
    (
        ("Permission denied", "Read-only file system", "Operation not permitted"),
        "Bahi is not allowed to use the files of your book. Please check the permissions of its folder.",
    ),
    (
        ("Address already in use", "could not bind"),
        "Another program has taken the place of your book's database. Please try again.",
    ),
    (
        ("No such file or directory: '", "No module named"),
        "A part of Bahi is missing. Please install Bahi again; your book stays as it is.",
    ),
)


def default_command(data: Path) -> list[str]:
    """Return the command that starts the server of the book in `data`."""
    return server_command("--quiet", "local", "--data", str(data), "--parent-fd", "0")


def reset_command(data: Path, user_name: str) -> str:
    """Return the command line with which the owner of the files sets a new password, for a terminal."""
    words = server_command("user", "reset", "--data", str(data), "--", user_name)
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


class LocalServer:
    """Starts the server at the first `endpoint()`, and again if it has died since. Thread-safe."""

    def __init__(self, data: Path, command: Callable[[Path], list[str]] = default_command) -> None:
        self._data = data
        self._command = command
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._endpoint: Endpoint | None = None
        self._failed_at = -_PAUSE_AFTER_FAILURE
        self._failure = OfflineError()
        self._ended = False

    @property
    def pid(self) -> int | None:
        """The server's process id, or None if it is not running."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def endpoint(self) -> Endpoint:
        """Return the server's address; start the server if necessary. Raises OfflineError with the reason."""
        with self._lock:
            if self._ended:
                raise OfflineError("The program is closing.")
            if self._endpoint is None or self._process is None or self._process.poll() is not None:
                self._endpoint = self._start()
            return self._endpoint

    def start_soon(self) -> None:
        """Start the server in the background. `endpoint` waits for it, and raises what went wrong."""
        threading.Thread(target=self._start_ahead, name="local server", daemon=True).start()

    def _start_ahead(self) -> None:
        with contextlib.suppress(OfflineError):
            self.endpoint()

    def stop(self) -> None:
        """Shut down the server and its database. It cannot be started again afterwards."""
        with self._lock:
            self._ended = True
            self._end()

    def _start(self) -> Endpoint:
        # Every call of the program comes through here. Without a pause each would start another process.
        if time.monotonic() - self._failed_at < _PAUSE_AFTER_FAILURE:
            raise OfflineError(self._failure.message, code=self._failure.code)
        self._end()
        secret = secrets.token_urlsafe(32)
        try:
            return Endpoint(self._spawn(secret), secret)
        except OfflineError as error:
            self._failed_at, self._failure = time.monotonic(), error
            self._end()
            raise
        except OSError as error:  # the folder or log cannot be written, or the process cannot be started
            self._end()
            self._failed_at, self._failure = time.monotonic(), OfflineError(_start_failure(error))
            raise self._failure from error

    def _spawn(self, secret: str) -> str:
        make_private_folder(self._data)
        log = self._data / "server.log"
        if log.exists() and log.stat().st_size > _MAX_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with open(log, "ab", opener=private_opener) as errors:
            began = errors.tell()  # only what this start writes is read back if the start fails
            self._process = subprocess.Popen(
                self._command(self._data),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(),
                cwd=folder_of_roles(),
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(secret.encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise _last_error(log, began) from error
        url = _read_url(self._process.stdout.readline())
        if not url:
            raise _last_error(log, began)
        return url

    def _end(self) -> None:
        process, self._process, self._endpoint = self._process, None, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):  # the server shuts down when its input closes
            if pipe is not None:
                pipe.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def forget_server_data(data: Path) -> None:
    """Remove what the server keeps outside its folder `data`. Call it before removing the folder.

    Run as root, the server keeps its database elsewhere, because PostgreSQL does not run as root.
    Raises OSError if another user wrote where.
    """
    note = data / "postgres.location"
    if note.exists():
        shutil.rmtree(read_private(note).decode().strip(), ignore_errors=True)


def _read_url(line: bytes) -> str:
    """Return the URL in the server's ready line; "" if it is not a ready line."""
    try:
        return str(json.loads(line)["url"])
    except (ValueError, KeyError, TypeError):
        return ""


def _last_error(log: Path, began: int) -> OfflineError:
    """Return the error about the failure that the log tells after the offset `began`."""
    with open(log, "rb", opener=private_opener) as file:
        file.seek(began)
        said = file.read().decode(errors="replace")
    if any(sign in said for sign in _TOO_OLD):
        return OfflineError(newer_book_sentence(log.parent.parent), code=NEWER_BOOK)
    return OfflineError(failure_sentence(said, log))


def failure_sentence(said: str, log: Path) -> str:
    """Return a sentence for the user about what the server wrote, `said`, before it ended."""
    for signs, sentence in _REASONS:
        if any(sign in said for sign in signs):
            return sentence
    lines = said.splitlines()
    errors = [line.removeprefix(_PREFIX) for line in lines if line.startswith(_PREFIX)]
    if errors and not errors[-1].endswith(":"):  # otherwise what follows is the log of PostgreSQL
        return errors[-1]
    return f"The book on this computer could not be opened. The reason is in {log}."


def _start_failure(error: OSError) -> str:
    for signs, sentence in _REASONS:
        if error.strerror in signs:
            return sentence
    reason = error.strerror or type(error).__name__
    return f"The book on this computer could not be opened: {reason}."


def _environment() -> dict[str, str]:
    # A database that is named in the user's shell must not be used for the book on this computer.
    named = {"DATABASE_URL", "BAHI_DATABASE_URL"}
    return {name: value for name, value in os.environ.items() if name not in named}
