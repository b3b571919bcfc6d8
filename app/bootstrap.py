"""The composition root: the only file that knows every part."""

import contextlib
import os
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import AppError
from app.paths import Paths, default_paths

if TYPE_CHECKING:
    from app.local_server import LocalServer
    from app.remote.endpoint import Endpoint
    from app.services import Services
    from app.services.accounts import Remote
    from app.store.database import Database
    from app.store.drafts import DraftStore
    from app.store.files import Files
    from app.store.outbox import Outbox
    from app.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Desk:
    """The program without its windows."""

    services: "Services"
    local_server: "LocalServer"
    database: "Database"

    def close(self) -> None:
        """End the server of this computer and close the files."""
        self.local_server.stop()
        self.database.close()


def make_desk(paths: Paths, local_server: "LocalServer | None" = None) -> Desk:
    """Build the services over the files below `paths`. Raises StoreError where they cannot be opened."""
    # Here, not above: the first screen is painted before any of them is read from the disk.
    from app.local_server import LocalServer
    from app.services import Services
    from app.services.accounts import Accounts
    from app.services.documents import Documents
    from app.services.drafts import Drafts
    from app.services.entries import Entries
    from app.services.exports import Exports
    from app.services.sync import Sync
    from app.store.cache import ReadCache
    from app.store.database import Database
    from app.store.drafts import DraftStore
    from app.store.files import Files
    from app.store.outbox import Outbox
    from app.store.settings import Settings
    from app.store.vault import Vault

    server = local_server or LocalServer(paths.server)
    database = Database(paths.database)
    outbox, cache, settings = Outbox(database), ReadCache(database), Settings(database)
    files, drafts = Files(paths.bills), DraftStore(database)
    vault = Vault(settings.device_id)
    accounts = Accounts(settings, outbox, server.endpoint, partial(_connect, vault), vault=vault)
    entries = Entries(accounts, outbox, cache)
    services = Services(
        accounts=accounts,
        entries=entries,
        documents=Documents(accounts, files),
        drafts=Drafts(database, drafts, entries, files),
        exports=Exports(accounts, outbox),
        sync=Sync(accounts, outbox, cache, files),
        settings=settings,
    )
    _tidy_later(files, outbox, drafts)
    return Desk(services, server, database)


def run_tour(folder: Path) -> int:
    """Drive the real program, in empty folders of its own and without a display; return the exit status."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    import tempfile

    from app.local_server import forget_server_data
    from app.ui.tour.run import run_tour as run_in

    with tempfile.TemporaryDirectory(prefix="bahi-tour-") as home:
        paths = Paths(Path(home))
        try:
            return run_in(folder, lambda: open_services(paths))
        finally:
            forget_server_data(paths.server)


@contextlib.contextmanager
def open_services(paths: Paths) -> Generator["Services", None, None]:
    """Open the services, and end their server at the end."""
    desk = make_desk(paths)
    try:
        yield desk.services
    finally:
        desk.close()


def _connect(vault: "Vault", endpoint: Callable[[], "Endpoint"]) -> "Remote":
    from app.remote.api import Api
    from app.remote.auth import Tokens
    from app.remote.client import Client
    from app.services.accounts import Remote

    client = Client(endpoint)
    tokens = Tokens(client, vault)
    return Remote(client, tokens, Api(client, tokens))


def _tidy_later(files: "Files", outbox: "Outbox", drafts: "DraftStore") -> None:
    """Remove bills that nothing waiting and no draft names: each can be fetched again."""

    def tidy() -> None:
        with contextlib.suppress(AppError):
            # in this order: a draft's bill that is saved in between is then in both, never in neither
            files.remove_unused(drafts.file_hashes() | outbox.file_hashes())

    threading.Thread(target=tidy, name="tidy", daemon=True).start()


def run(argv: list[str]) -> int:
    """Open the program and return its exit status."""
    from app.store.peek import kept_setting
    from app.ui.application import run_program
    from app.ui.theme import THEME_KEY

    paths = default_paths()
    desks: list[Desk] = []

    def open_desk() -> "Services":  # only once it is sure that no other program has these files open
        desks.append(make_desk(paths))
        return desks[0].services

    try:
        mode = kept_setting(paths.database, THEME_KEY)
        return run_program(paths.home, mode, open_desk, argv)
    finally:
        for desk in desks:
            desk.close()
