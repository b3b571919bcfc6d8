"""Answering calls: the application on a socket, the ready line, and what ends it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from server.app import create_app, make_services, set_public_url
from server.config import Config
from server.db.embedded import EmbeddedPostgres
from server.errors import StartError

_GRACE_SECONDS = 5


def listen(
    config: Config,
    listening: socket.socket,
    parent_fd: int | None,
    postgres: EmbeddedPostgres | None,
    asked_to_end: threading.Event,
) -> None:
    """Answer calls on `listening` until a signal, the end of `parent_fd` or of `postgres`.

    `asked_to_end` is set where a signal came before this server could hear it.
    """
    host, port = listening.getsockname()[:2]
    services = make_services(config)
    url = config.public_url or (f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    set_public_url(services, url)
    server = _AnnouncingServer(
        uvicorn.Config(
            create_app(services),
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            lifespan="on",
        ),
        {"ready": True, "url": url, "serverId": config.server_id},
        asked_to_end,
    )
    if parent_fd is not None:
        threading.Thread(target=_end_with_parent, args=(parent_fd, server), daemon=True).start()
    if postgres is not None:
        threading.Thread(target=_end_with_postgres, args=(postgres, server), daemon=True).start()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listening]))
    if not server.started:
        raise StartError("The server did not start; the lines above say why.")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return uvloop where there is one; else a selector loop: psycopg cannot use Windows' proactor."""
    try:
        import uvloop
    except ImportError:
        return asyncio.SelectorEventLoop
    return uvloop.new_event_loop


class _AnnouncingServer(uvicorn.Server):
    """Prints its one JSON line once it answers, and ends without raising the signal that ended it again."""

    def __init__(
        self, config: uvicorn.Config, line: dict[str, object], asked_to_end: threading.Event
    ) -> None:
        super().__init__(config)
        self._line = line
        self._asked_to_end = asked_to_end

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        kept = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        self.should_exit = self._asked_to_end.is_set()  # from now on signals come to us
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            sys.stdout.write(json.dumps(self._line) + "\n")
            sys.stdout.flush()


def _end_with_parent(parent_fd: int, server: uvicorn.Server) -> None:
    with contextlib.suppress(OSError):
        while os.read(parent_fd, 1024):
            pass
    server.should_exit = True


def _end_with_postgres(postgres: EmbeddedPostgres, server: uvicorn.Server) -> None:
    """End the server where its PostgreSQL has died: whoever watches it starts both anew."""
    postgres.wait()
    server.should_exit = True
