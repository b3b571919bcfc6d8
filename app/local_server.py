"""The server inside this program: started, watched and ended here.

It is a child process of the same program (its `--server` role). It learns a secret over its standard input,
answers only calls that carry it, and stops when that pipe ends, so also when this program is killed.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.errors import OfflineError
from app.remote.endpoint import Endpoint

_STOP_SECONDS: Final = 15
_PAUSE_AFTER_FAILURE: Final = 3.0


def default_command(data: Path) -> list[str]:
    """Return the command of the server role: this program itself, bundled or not."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app"]
    return [*program, "--server", "--quiet", "local", "--data", str(data), "--parent-fd", "0"]


class LocalServer:
    """Starts at the first `endpoint()`; a server that died is started anew at the next. Thread-safe."""

    def __init__(self, data: Path, command: Callable[[Path], list[str]] = default_command) -> None:
        self._data = data
        self._command = command
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._endpoint: Endpoint | None = None
        self._failed_at = -_PAUSE_AFTER_FAILURE
        self._failure = ""
        self._ended = False

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def endpoint(self) -> Endpoint:
        """Return where the server answers; waits for its start. Raises OfflineError with what went wrong."""
        with self._lock:
            if self._ended:
                raise OfflineError("The program is closing.")
            if self._endpoint is None or self._process is None or self._process.poll() is not None:
                self._endpoint = self._start()
            return self._endpoint

    def stop(self) -> None:
        """End the server and its database, cleanly."""
        with self._lock:
            self._ended = True
            self._end()

    def _start(self) -> Endpoint:
        if time.monotonic() - self._failed_at < _PAUSE_AFTER_FAILURE:
            raise OfflineError(self._failure)
        self._end()
        secret = secrets.token_urlsafe(32)
        try:
            return Endpoint(self._spawn(secret), secret)
        except OfflineError as error:
            self._failed_at, self._failure = time.monotonic(), error.message
            self._end()
            raise
        except OSError as error:  # its folder or its log cannot be written, or no process started
            self._end()
            self._failed_at, self._failure = time.monotonic(), _unstartable(error)
            raise OfflineError(self._failure) from error

    def _spawn(self, secret: str) -> str:
        self._data.mkdir(parents=True, exist_ok=True)
        log = self._data / "server.log"
        if log.exists() and log.stat().st_size > 2 * 1024 * 1024:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as errors:
            began = errors.tell()
            self._process = subprocess.Popen(
                self._command(self._data),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(),
                cwd=_source_folder(),
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(secret.encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise OfflineError(_last_words(log, began)) from error
        return _read_url(self._process.stdout.readline()) or _raise(_last_words(log, began))

    def _end(self) -> None:
        process, self._process, self._endpoint = self._process, None, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def forget_server_data(data: Path) -> None:
    """Remove what a server keeps outside its folder (as root: its database), before the folder is removed."""
    note = data / "postgres.location"
    if note.exists():
        shutil.rmtree(note.read_text(encoding="utf-8").strip(), ignore_errors=True)


def _read_url(line: bytes) -> str:
    """Return the URL in the line that a server prints when it answers, "" where it printed none."""
    try:
        return str(json.loads(line)["url"])
    except (ValueError, KeyError, TypeError):
        return ""


def _last_words(log: Path, began: int) -> str:
    """Return the sentence that the server left before it gave up."""
    with log.open("rb") as file:
        file.seek(began)
        lines = file.read().decode(errors="replace").splitlines()
    said = [line.removeprefix("bahi-server: ") for line in lines if line.startswith("bahi-server: ")]
    return said[-1] if said else "The book on this computer could not be opened."


def _unstartable(error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return f"The book on this computer could not be opened: {reason}."


def _raise(sentence: str) -> str:
    raise OfflineError(sentence)


def _environment() -> dict[str, str]:
    # If the user's shell names a database, this computer's book must not be looked for there.
    named = {"DATABASE_URL", "BAHI_DATABASE_URL"}
    return {name: value for name, value in os.environ.items() if name not in named}


def _source_folder() -> str | None:
    return None if getattr(sys, "frozen", False) else str(Path(__file__).parent.parent)
