"""Running a server: database, socket, the ready line, and a clean end."""

import asyncio
import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import msgspec
import uvicorn

from server.app import create_app, make_services, set_public_url
from server.config import Config
from server.db.embedded import EmbeddedPostgres
from server.db.migrate import migrate
from server.errors import StartError
from server.lock import lock_folder

_GRACE_SECONDS = 5


def serve(config: Config, parent_fd: int | None = None) -> None:
    """Serve until SIGTERM, SIGINT, or the end of `parent_fd`. Raises StartError with a sentence."""
    folder = config.folder
    with lock_folder(folder), _database(config) as url:
        migrate(url)
        config = msgspec.structs.replace(
            config, database_url=url, server_id=config.server_id or _kept_server_id(folder)
        )
        with _listen(config) as listening:
            _run(config, listening, parent_fd)


def read_secret(parent_fd: int) -> str:
    """Read the line that the program hands over first."""
    taken = bytearray()
    while not taken.endswith(b"\n"):
        piece = os.read(parent_fd, 1)
        if not piece:
            raise StartError("The program ended before it handed over the secret.")
        taken += piece
    return taken.decode("ascii").strip()


@contextlib.contextmanager
def _database(config: Config) -> Iterator[str]:
    if config.database_url:
        yield config.database_url
        return
    embedded = EmbeddedPostgres(config.folder)
    try:
        yield embedded.start()
    finally:
        embedded.stop()


def _listen(config: Config) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it; without, each small answer waits 40 ms for a delayed ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((config.host, config.port))
    except OSError as error:
        listening.close()
        raise StartError(f"Port {config.port} on {config.host} cannot be used: {error.strerror}.") from error
    return listening


def _run(config: Config, listening: socket.socket, parent_fd: int | None) -> None:
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
    )
    if parent_fd is not None:
        threading.Thread(target=_end_with_parent, args=(parent_fd, server), daemon=True).start()
    asyncio.run(server.serve(sockets=[listening]))


class _AnnouncingServer(uvicorn.Server):
    """Prints its one JSON line once it answers."""

    def __init__(self, config: uvicorn.Config, line: dict[str, object]) -> None:
        super().__init__(config)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(json.dumps(self._line) + "\n")
            sys.stdout.flush()


def _end_with_parent(parent_fd: int, server: uvicorn.Server) -> None:
    with contextlib.suppress(OSError):
        while os.read(parent_fd, 1024):
            pass
    server.should_exit = True


def _kept_server_id(folder: Path) -> str:
    """Return the id that this folder's server was given at its first start."""
    path = folder / "server-id"
    if not path.exists():
        partial = path.with_suffix(".new")
        partial.write_text(f"local-{uuid4().hex[:12]}", encoding="ascii")
        partial.replace(path)
    return path.read_text(encoding="ascii")
