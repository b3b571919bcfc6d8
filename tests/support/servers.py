"""Real servers over real HTTP, in a thread of the test or as a process."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import uvicorn

from server.api.state import ServerState
from server.app import create_app, make_services, set_public_url
from server.config import Config
from tests.support.api import Api
from tests.support.environment import clean_environment

_T = TypeVar("_T")
_SECONDS: Final = 30
ROOT: Final = Path(__file__).parents[2]


class MovingClock:
    """Real time, moved by hand: `clock.advance(301)`."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        """Return seconds since 1970."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move on, or back."""
        self._ahead += seconds


class StillClock(MovingClock):
    """Moved by hand alone: for what ends to the second, or grows by the hour, however long a test takes."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.time()

    def __call__(self) -> float:
        """Return seconds since 1970."""
        return self._began + self._ahead


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server in a thread: `services` are its own, to look into or to replace."""

    url: str
    config: Config
    services: ServerState = field(repr=False)  # megabytes
    loop: asyncio.AbstractEventLoop = field(repr=False)

    def api(self) -> Api:
        """Return a client that nobody has signed in to."""
        return Api(self.url, secret=self.config.local_secret)

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run `work` in the server's event loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(_SECONDS)


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.answers.set()


def region_config(database_url: str, data: Path, **settings: Any) -> Config:
    """Return the configuration of a regional server that takes new accounts."""
    values: dict[str, Any] = {
        "data": str(data),
        "database_url": database_url,
        "server_id": "test-1",
        "region": "test",
        "region_letter": "T",
        "registration": "open",
        "pool_size": 6,
    }
    return msgspec.convert({**values, **settings}, Config)


@contextlib.contextmanager
def running_server(config: Config, clock: Callable[[], float] = time.time) -> Iterator[RunningServer]:
    """Serve `config` (its database is migrated) from a thread until the block ends."""
    listening = socket.create_server((config.host, config.port))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as `server.process.start_stop` does
    url = f"http://{config.host}:{listening.getsockname()[1]}"
    services = make_services(config, clock)
    set_public_url(services, url)
    server = _Server(
        uvicorn.Config(
            create_app(services),
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=5,
        )
    )
    thread = threading.Thread(target=asyncio.run, args=(server.serve([listening]),), name="server")
    thread.start()
    try:
        assert server.answers.wait(_SECONDS)
        assert server.loop is not None
        yield RunningServer(url, config, services, server.loop)
    finally:
        server.should_exit = True
        thread.join(_SECONDS)
        listening.close()


# --- processes ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """`python -m server …` that has printed its ready line."""

    process: subprocess.Popen[bytes]
    ready: dict[str, Any]
    secret: str
    line: bytes

    def api(self) -> Api:
        """Return a client that nobody has signed in to."""
        return Api(str(self.ready["url"]), secret=self.secret)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(_SECONDS)

    def hang_up(self) -> int:
        """Close the pipe that stands for the parent and return the exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(_SECONDS)


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has run to its end."""

    status: int
    out: str
    errors: str


def command(*arguments: str, environment: Mapping[str, str] | None = None, folder: Path = ROOT) -> Ended:
    """Run `bahi-server …` in `folder` to its end."""
    done = subprocess.run(
        _command(arguments),
        capture_output=True,
        check=False,
        timeout=_SECONDS * 2,
        cwd=folder,
        env=_environment(environment),
        stdin=subprocess.DEVNULL,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


@contextlib.contextmanager
def server_process(
    *arguments: str, secret: str = "", environment: Mapping[str, str] | None = None, folder: Path = ROOT
) -> Iterator[ServerProcess]:
    """Start `bahi-server …` in `folder` and yield it once it answers; killed at the end if it still runs.

    With a `secret`, standard input is the parent's pipe (`--parent-fd 0` is added).
    """
    extra = ("--parent-fd", "0") if secret else ()
    process = subprocess.Popen(
        _command((*arguments, *extra)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        env=_environment(environment),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if secret:
            process.stdin.write(secret.encode() + b"\n")
            process.stdin.flush()
        line = process.stdout.readline()
        assert line, "the server gave up; its words are on standard error"
        yield ServerProcess(process, json.loads(line), secret, line)
    finally:
        _let_go(process)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "server", *arguments]


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    return {**clean_environment(), **(more or {})}
