"""Starts and stops a regional or local server: data folder, database, socket, signals."""

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
from server.db.embedded import EmbeddedPostgres
from server.errors import StartError
from server.node.folder_lock import lock_folder
from server.node.identity import kept_server_id
from server.node.own_files import restrict_own_files

# If the program was killed and started again, the old server may still be closing its database. The new
# server waits this long for the lock on the data folder.
_LOCK_TIMEOUT_SECONDS = 20.0


def serve(config: Config, parent_fd: int | None = None) -> None:
    """Serve until SIGTERM, SIGINT, or until `parent_fd` is closed. Raises StartError."""
    folder = config.folder
    asked_to_end = end_on_signals()
    timeout = _LOCK_TIMEOUT_SECONDS if parent_fd is not None else 0.0
    with lock_folder(folder, timeout), _database(config) as (url, postgres):
        restrict_own_files(folder)
        # Imported here, because `_database` imports these modules while PostgreSQL starts.
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
    """Read the local secret, one line, from `parent_fd`.

    Raises StartError if there is none. Without it, every program on this computer could call the server.
    """
    received = bytearray()
    while not received.endswith(b"\n"):
        try:
            byte = os.read(parent_fd, 1)
        except OSError as error:
            raise StartError(
                f"Cannot read the secret from descriptor {parent_fd}: {error.strerror}."
            ) from error
        if not byte:
            raise StartError("The program ended before it sent the secret.")
        received += byte
    if not (secret := received.strip()) or not secret.isascii():
        raise StartError("The program sent no valid secret.")
    return secret.decode("ascii")


@contextlib.contextmanager
def _database(config: Config) -> Iterator[tuple[str, EmbeddedPostgres | None]]:
    if config.database_url:
        yield config.database_url, None
        return
    # PostgreSQL takes as long to start as the server's modules to import, so both happen at the same time.
    embedded = EmbeddedPostgres.of(config)
    try:
        yield embedded.start(meanwhile=lambda: importlib.import_module("server.process.api_server")), embedded
    finally:
        embedded.stop()


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to `host` and `port` (0: a free one). Raises StartError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit this option. Without it, each small answer waits 40 ms for a delayed ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise StartError(f"Cannot listen on port {port} of {host}: {error.strerror}.") from error
    return listening


def end_on_signals() -> threading.Event:
    """Let SIGTERM and SIGINT end this process cleanly at any moment, so that PostgreSQL is always stopped.

    The returned event is set by the signal.
    """
    # Python drops what a signal handler raises while it runs a callback that cannot raise (an import lock, a
    # finaliser). So the handler sets an event too, and `end_if` checks it before the server answers calls.
    asked_to_end = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        asked_to_end.set()
        # Not KeyboardInterrupt: raised during the import of some C modules, it changes the exit status.
        raise SystemExit(0)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, interrupt)
    return asked_to_end


def end_if(asked_to_end: threading.Event) -> None:
    """End the process if a signal has asked for it."""
    if asked_to_end.is_set():
        raise SystemExit(0)
