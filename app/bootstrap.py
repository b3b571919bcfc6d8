"""The composition root: the only file that knows every part."""

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from app.errors import AppError
from app.local_server import LocalServer, forget_server_data
from app.paths import Paths, default_paths
from app.remote.endpoint import Endpoint
from app.services import Services
from app.services.accounts import Accounts, Remote
from app.services.documents import Documents
from app.services.entries import Entries
from app.services.exports import Exports
from app.services.sync import Sync
from app.store.cache import ReadCache
from app.store.database import Database
from app.store.files import Files
from app.store.outbox import Outbox
from app.store.settings import Settings


@dataclass(frozen=True, slots=True)
class Desk:
    """The program without its windows."""

    services: Services
    local_server: LocalServer
    database: Database

    def close(self) -> None:
        """End the server of this computer and close the files."""
        self.local_server.stop()
        self.database.close()


def make_desk(paths: Paths, local_server: LocalServer | None = None) -> Desk:
    """Build the services over the files below `paths`. Raises StoreError where they cannot be opened."""
    server = local_server or LocalServer(paths.server)
    database = Database(paths.database)
    outbox, cache, settings = Outbox(database), ReadCache(database), Settings(database)
    files = Files(paths.bills)
    accounts = Accounts(settings, outbox, server.endpoint, _connect)
    services = Services(
        accounts=accounts,
        entries=Entries(accounts, outbox, cache),
        documents=Documents(accounts, files),
        exports=Exports(accounts, outbox),
        sync=Sync(accounts, outbox, cache, files),
        settings=settings,
    )
    _tidy_later(files, outbox)
    return Desk(services, server, database)


def run_tour(folder: Path) -> int:
    """Drive the real program, in empty folders of its own and without a display; return the exit status."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from app.ui.tour.run import run_tour as run_in

    with tempfile.TemporaryDirectory(prefix="bahi-tour-") as home:
        paths = Paths(Path(home))
        try:
            return run_in(folder, lambda: open_services(paths))
        finally:
            forget_server_data(paths.server)


@contextlib.contextmanager
def open_services(paths: Paths) -> Generator[Services, None, None]:
    """Open the services, and end their server at the end."""
    desk = make_desk(paths)
    try:
        yield desk.services
    finally:
        desk.close()


def _connect(endpoint: Callable[[], Endpoint]) -> Remote:
    from app.remote.api import Api
    from app.remote.auth import Tokens
    from app.remote.client import Client

    client = Client(endpoint)
    tokens = Tokens(client)
    return Remote(client, tokens, Api(client, tokens))


def _tidy_later(files: Files, outbox: Outbox) -> None:
    """Remove bills that nothing waiting names: each can be fetched again."""

    def tidy() -> None:
        with contextlib.suppress(AppError):
            files.remove_unused(outbox.file_hashes())

    threading.Thread(target=tidy, name="tidy", daemon=True).start()


def run(argv: list[str]) -> int:
    """Open the program and return its exit status."""
    from app.ui.application import run_program

    paths = default_paths()
    desks: list[Desk] = []

    def open_desk() -> Services:  # only once it is sure that no other program has these files open
        desks.append(make_desk(paths))
        return desks[0].services

    try:
        return run_program(paths.home, open_desk, argv)
    finally:
        for desk in desks:
            desk.close()
