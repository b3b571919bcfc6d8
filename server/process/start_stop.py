"""Running a server: database, socket, the ready line, and a clean end."""

import contextlib
import importlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType

import msgspec

from server.config import Config
from server.db.embedded import LOGICAL, EmbeddedPostgres
from server.errors import StartError
from server.node.folder_lock import lock_folder
from server.node.identity import kept_server_id

# A program that was killed leaves a server that is still closing its database; the next one waits for it.
_PATIENCE_SECONDS = 20.0


def serve(config: Config, parent_fd: int | None = None) -> None:
    """Serve until SIGTERM, SIGINT, or the end of `parent_fd`. Raises StartError with a sentence."""
    folder = config.folder
    asked_to_end = end_on_signals()
    patience = _PATIENCE_SECONDS if parent_fd is not None else 0.0
    with lock_folder(folder, patience), _database(config) as (url, postgres):
        # Only now: these imports take as long as PostgreSQL's start, and run beside it.
        from server.db.migrate import migrate
        from server.process.api_server import listen

        end_if(asked_to_end)
        migrate(url)
        config = msgspec.structs.replace(
            config, database_url=url, server_id=config.server_id or kept_server_id(folder)
        )
        with open_socket(config.host, config.port) as listening:
            listen(config, listening, parent_fd, postgres, asked_to_end)


def read_secret(parent_fd: int) -> str:
    """Read the line that the program hands over first. Raises StartError: without it anybody could call."""
    taken = bytearray()
    while not taken.endswith(b"\n"):
        try:
            piece = os.read(parent_fd, 1)
        except OSError as error:
            raise StartError(f"The secret cannot be read from {parent_fd}: {error.strerror}.") from error
        if not piece:
            raise StartError("The program ended before it handed over the secret.")
        taken += piece
    if not (secret := taken.strip()) or not secret.isascii():
        raise StartError("The program handed over no secret.")
    return secret.decode("ascii")


@contextlib.contextmanager
def _database(config: Config) -> Iterator[tuple[str, EmbeddedPostgres | None]]:
    if config.database_url:
        yield config.database_url, None
        return
    settings = LOGICAL if config.replication else {}
    embedded = EmbeddedPostgres(config.folder, settings, config.database_port)
    try:
        yield embedded.start(meanwhile=lambda: importlib.import_module("server.process.api_server")), embedded
    finally:
        embedded.stop()


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to where calls are to come in. Raises StartError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it; without, each small answer waits 40 ms for a delayed ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise StartError(f"Port {port} on {host} cannot be used: {error.strerror}.") from error
    return listening


def end_on_signals() -> threading.Event:
    """Let SIGTERM and SIGINT end this process at any moment, cleanly: PostgreSQL must never be left behind.

    What a handler raises is lost where Python happens to be in a callback that cannot raise (an import's
    lock, a finaliser). So the wish is noted too, and looked at again before the server answers.
    """
    asked_to_end = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        asked_to_end.set()
        raise SystemExit(0)  # a KeyboardInterrupt that crosses some C modules' imports spoils the exit status

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, interrupt)
    return asked_to_end


def end_if(asked_to_end: threading.Event) -> None:
    """End here where a signal asked for it."""
    if asked_to_end.is_set():
        raise SystemExit(0)
