"""Runs the API server on a socket until a signal, or the end of its parent or database, stops it."""

import contextlib
import logging
import os
import signal
import socket
import ssl
import threading
from types import FrameType

import uvicorn

from server.api.state import ServerState
from server.app import create_app, make_services, set_public_url
from server.config import Config
from server.contract.allocator import give_back_freed_memory
from server.db.embedded import EmbeddedPostgres
from server.errors import StartError
from server.process.ready_line import KEEP_ALIVE_SECONDS, AnnouncingServer

_log = logging.getLogger(__name__)
_GRACE_SECONDS = 5


def listen(
    config: Config,
    listening: socket.socket,
    parent_fd: int | None,
    postgres: EmbeddedPostgres | None,
    asked_to_end: threading.Event,
) -> None:
    """Answer calls on `listening` until a signal, or until `parent_fd` is closed or `postgres` ends.

    `asked_to_end` is set if a signal came before this server could handle it. Raises StartError.
    """
    give_back_freed_memory()
    host, port = listening.getsockname()[:2]
    services = make_services(config)
    config = services.config  # completed with the values of the roster
    url = config.public_url or _address(config, host, port)
    set_public_url(services, url)
    server = _DrainingServer(
        uvicorn.Config(
            create_app(services),
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            lifespan="on",
            ssl_certfile=config.tls_certificate or None,
            ssl_keyfile=config.tls_key or None,
        ),
        services,
        {"ready": True, "url": url, "serverId": config.server_id},
        asked_to_end,
    )
    if parent_fd is not None:
        threading.Thread(target=_end_with_parent, args=(parent_fd, server), daemon=True).start()
    if postgres is not None:
        threading.Thread(target=_end_with_postgres, args=(postgres, server), daemon=True).start()
    try:
        server.config.load()
    except (OSError, ssl.SSLError) as error:
        raise StartError(f"Cannot use the TLS certificate or its key: {error.strerror or error}.") from error
    server.run_on(listening)


def _address(config: Config, host: str, port: int) -> str:
    scheme = "https" if config.tls_certificate else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class _DrainingServer(AnnouncingServer):
    """Drains on SIGTERM if other servers of the cluster can take the clients.

    It answers calls until all sessions have moved, and then ends. A second signal ends it at once.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        services: ServerState,
        line: dict[str, object],
        asked_to_end: threading.Event,
    ) -> None:
        super().__init__(config, line, asked_to_end)
        self._services = services
        self._drain_asked = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        may_drain = len(self._services.membership.roster.servers) > 1
        if sig == signal.SIGTERM and self.started and may_drain and not self._drain_asked:
            # Only a flag: a signal handler runs between any two instructions. `on_tick` checks the flag ten
            # times a second.
            self._drain_asked = True
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if self._drain_asked and not self.should_exit:
            await self._drain()
        return await super().on_tick(counter)

    async def _drain(self) -> None:
        services, now = self._services, self._services.clock()
        if not services.lifecycle.is_draining:
            _log.info("drain started", extra={"pinned": services.load.pinned.count(now)})
            services.lifecycle.drain(now, services.config.drain_seconds)
        pinned = services.load.pinned.count(now)
        if services.lifecycle.is_drained(now, pinned=pinned > 0, called=services.load.in_flight > 0):
            _log.info("drain finished", extra={"pinned": pinned})
            await services.heartbeats.leave()
            self.should_exit = True


def _end_with_parent(parent_fd: int, server: uvicorn.Server) -> None:
    """End the server when the other end of `parent_fd` is closed, as it is even if the parent is killed."""
    with contextlib.suppress(OSError):
        while os.read(parent_fd, 1024):
            pass
    server.should_exit = True


def _end_with_postgres(postgres: EmbeddedPostgres, server: uvicorn.Server) -> None:
    """End the server when its PostgreSQL has ended. The program that started the server starts both again."""
    postgres.wait()
    server.should_exit = True
