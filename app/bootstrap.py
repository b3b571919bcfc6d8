"""The composition root: the only file that knows every part."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import AppError
from app.paths import Paths, default_paths

if TYPE_CHECKING:
    from logging import Handler

    from app.local_server import LocalServer
    from app.remote.endpoint import Endpoint
    from app.services import Services
    from app.services.login import Remote
    from app.services.replication_tracker import Following
    from app.store.database import Database
    from app.store.drafts import DraftStore
    from app.store.files import Files
    from app.store.outbox import Outbox
    from app.store.replay_log import Retained
    from app.store.settings import Settings
    from app.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Desk:
    """The program without its windows."""

    services: "Services"
    local_server: "LocalServer"
    database: "Database"
    log: "Handler"
    following: "Following"

    def close(self) -> None:
        """End the server of this computer and close the files."""
        from app.log import end_log

        self.following.close()
        self.services.accounts.close()
        self.local_server.stop()
        self.database.close()
        end_log(self.log)


def make_desk(paths: Paths, local_server: "LocalServer | None" = None) -> Desk:
    """Build the services over the files below `paths`. Raises StoreError where they cannot be opened."""
    # Here, not above: the first screen is painted before any of them is read from the disk.
    from app.local_server import LocalServer
    from app.log import log_to_file
    from app.services import Services
    from app.services.accounts import Accounts
    from app.services.connection_status import Link
    from app.services.documents import Documents
    from app.services.drafts import Drafts
    from app.services.entries import Entries
    from app.services.exports import Exports
    from app.services.moving import Moving
    from app.services.replication_tracker import Following
    from app.services.sync import Sync
    from app.store.cache import ReadCache
    from app.store.database import Database
    from app.store.drafts import DraftStore
    from app.store.files import Files
    from app.store.outbox import Outbox
    from app.store.replay_log import Retained
    from app.store.settings import Settings
    from app.store.vault import Vault

    server = local_server or LocalServer(paths.server)
    database = Database(paths.database)
    outbox, cache, settings = Outbox(database), ReadCache(database), Settings(database)
    files, drafts = Files(paths.bills), DraftStore(database)
    vault = Vault(settings.device_id)
    connect = partial(_connect, server.endpoint, settings)
    accounts = Accounts(settings, outbox, server.endpoint, connect, vault=vault)
    sync, retained = Sync(accounts, outbox, cache, files), Retained(database)
    entries = Entries(accounts, outbox, cache, retained=retained)
    following = Following(accounts, sync, retained)
    link = Link(accounts, retained, following)
    link.send, sync.on_run = sync.send_pending, link.sent
    services = Services(
        accounts=accounts,
        entries=entries,
        documents=Documents(accounts, files),
        drafts=Drafts(database, drafts, entries, files),
        exports=Exports(accounts, outbox),
        sync=sync,
        settings=settings,
        link=link,
        moving=Moving(accounts, sync, outbox, settings, accounts.open_beside),
    )
    _tidy_later(files, outbox, retained, drafts)
    return Desk(services, server, database, log_to_file(paths.log), following)


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


def _connect(local: Callable[[], "Endpoint"], settings: "Settings", vault: "Vault") -> "Remote":
    from app.remote.api import Api
    from app.remote.auth import Tokens
    from app.remote.call_monitor import Watch
    from app.remote.client import Client
    from app.remote.cluster import Cluster
    from app.remote.session_runner import Pinning
    from app.services.login import Remote

    watch, cluster = Watch(time.monotonic), Cluster(settings)
    client = Client(watch)
    tokens = Tokens(client, vault)
    pinning = Pinning(client, tokens, cluster, watch, local)
    return Remote(client, tokens, cluster, pinning, Api(client, pinning))


def _tidy_later(files: "Files", outbox: "Outbox", retained: "Retained", drafts: "DraftStore") -> None:
    """Remove bills that nothing waiting and no draft names: each can be fetched again."""

    def tidy() -> None:
        with contextlib.suppress(AppError):
            # in this order: what moves on in between is then in both, never in neither
            files.remove_unused(drafts.file_hashes() | outbox.file_hashes() | retained.file_hashes())

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
