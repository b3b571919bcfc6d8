"""The composition root: the only file that imports every part of the program."""

import contextlib
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from app.errors import AppError
from app.paths import Paths, default_paths

if TYPE_CHECKING:
    from logging import Handler
    from pathlib import Path

    from app.domain.send_schedule import Draw
    from app.local_server import LocalServer
    from app.remote.endpoint import Endpoint
    from app.remote.session_runner import SessionListener
    from app.services import Services
    from app.services.login import Remote
    from app.store.database import Database
    from app.store.drafts import DraftStore
    from app.store.files import Files
    from app.store.last_end import EndMark
    from app.store.outbox import Outbox
    from app.store.replay_log import ReplayLog
    from app.store.settings import Settings
    from app.store.vault import Vault


_TIDY_AFTER_S: Final = 3.0
_NO_LIBRARY: Final = "Bahi needs a system library that is missing. `make setup` installs it."


@dataclass(frozen=True, slots=True)
class Desk:
    """The program without its windows: the services and what they need."""

    services: "Services"
    local_server: "LocalServer"
    database: "Database"
    log: "Handler"

    def close(self) -> None:
        """Stop the threads and the local server, and close the files."""
        from app.log import end_log

        self.services.previews.close()
        self.services.worker.close()
        self.services.accounts.close()
        self.local_server.stop()
        self.database.close()
        end_log(self.log)


def make_desk(
    paths: Paths,
    local_server: "LocalServer | None" = None,
    draw: "Draw" = random.uniform,
    *,
    serve_at_once: bool = False,
) -> Desk:
    """Build the services on the files of `paths`. Raises StoreError if they cannot be opened.

    `draw` decides how long the sync worker pauses between two looks. With `serve_at_once`, the local server
    is started before it is asked for, if the last book was on this computer.
    """
    # Imported here, because the opening window is painted before these modules are loaded.
    from app.domain.book_location import LOCATION_KEY, SERVER
    from app.local_server import LocalServer, reset_command
    from app.store.database import Database
    from app.store.settings import Settings

    paths.restrict()
    server, database = local_server or LocalServer(paths.server), Database(paths.database)
    settings = Settings(database)
    if serve_at_once and settings.get(LOCATION_KEY) != SERVER:
        server.start_soon()  # starting takes longer than everything below

    from app.log import log_to_file
    from app.services import Services
    from app.services.accounts import Accounts
    from app.services.connection_status import ConnectionTracker
    from app.services.documents import Documents
    from app.services.drafts import Drafts
    from app.services.entries import Entries
    from app.services.exports import Exports
    from app.services.moving import Moving
    from app.services.outbox_items import OutboxItems
    from app.services.previews import Previews
    from app.services.recovery import Recovery
    from app.services.replication_tracker import ReplicationTracker
    from app.services.sync import Sync
    from app.services.sync_worker import SyncWorker
    from app.store.bill_turns import BillTurns
    from app.store.cache import ReadCache
    from app.store.drafts import DraftStore
    from app.store.files import Files
    from app.store.last_folders import LastFolders
    from app.store.outbox import Outbox
    from app.store.replay_log import ReplayLog
    from app.store.vault import Vault
    from server.contract.allocator import give_back_freed_memory

    give_back_freed_memory()  # of this process, from here on
    outbox, cache = Outbox(database), ReadCache(database)
    files, drafts, folders = Files(paths.bills), DraftStore(database), LastFolders(settings)
    vault = Vault(settings.device_id)
    connect = partial(_connect, server.endpoint, settings)
    accounts = Accounts(settings, outbox, server.endpoint, connect, vault=vault)
    sync, replay_log = Sync(accounts, outbox, cache, files), ReplayLog(database)
    entries = Entries(accounts, outbox, cache, replay_log=replay_log)
    tracker = ReplicationTracker(accounts, sync, replay_log)
    connection = ConnectionTracker(accounts, replay_log, tracker)
    worker = SyncWorker(accounts, sync, tracker, connection, draw=draw)
    documents = Documents(accounts, files, BillTurns(database), folders)
    services = Services(
        accounts=accounts,
        entries=entries,
        documents=documents,
        drafts=Drafts(database, drafts, entries, files),
        exports=Exports(accounts, outbox),
        sync=sync,
        outbox_items=OutboxItems(accounts, outbox, documents),
        settings=settings,
        worker=worker,
        moving=Moving(accounts, worker.send_and_wait, outbox, settings, accounts.open_pending),
        previews=Previews(),
        recovery=Recovery(accounts, settings, server.endpoint, partial(reset_command, paths.server)),
        folders=folders,
    )
    _tidy_later(paths.home, files, outbox, replay_log, drafts)
    return Desk(services, server, database, log_to_file(paths.log))


def _connect(
    local: Callable[[], "Endpoint"], settings: "Settings", vault: "Vault", listener: "SessionListener"
) -> "Remote":
    from app.remote.api import Api
    from app.remote.auth import SessionTokens
    from app.remote.call_monitor import CallMonitor
    from app.remote.client import Client
    from app.remote.cluster import Cluster
    from app.remote.health_checks import HealthChecks
    from app.remote.server_clock import ServerClock
    from app.remote.server_session import ClusterSession, LocalSession
    from app.remote.session_runner import SessionRunner
    from app.services.login import Remote

    monitor, cluster, server_clock = CallMonitor(time.monotonic), Cluster(settings), ServerClock()
    client = Client(monitor)
    tokens = SessionTokens(client, vault)
    checks = HealthChecks(client, cluster, server_clock, time.monotonic)
    at_cluster = ClusterSession(client, cluster, monitor, checks, random.uniform)
    at_home = LocalSession(local, checks)
    runner = SessionRunner(tokens, at_home, at_cluster, monitor, listener, server_clock)
    return Remote(client, tokens, cluster, runner, Api(client, runner), server_clock)


def _tidy_later(
    home: "Path", files: "Files", outbox: "Outbox", replay_log: "ReplayLog", drafts: "DraftStore"
) -> None:
    """Do what can wait until the window has opened.

    Note which program has used the book. Remove bills that no draft and no operation on this computer needs;
    they can be downloaded again.
    """

    def tidy() -> None:
        from importlib import metadata

        from app.store.last_program import note_program

        note_program(home, metadata.version("bahi"))
        with contextlib.suppress(AppError):
            # In this order: a bill that moves from one to the next meanwhile is then in both, not in neither.
            files.remove_unused(drafts.file_hashes() | outbox.file_hashes() | replay_log.file_hashes())

    later = threading.Timer(_TIDY_AFTER_S, tidy)
    later.name, later.daemon = "tidy", True
    later.start()


def run(argv: list[str]) -> int:
    """Run the program; return its exit status."""
    from app.store.peek import kept_setting

    try:
        from app.ui.application import run_program
    except ImportError as error:  # of a library of the system that Qt needs
        sys.stderr.write(f"bahi: {_NO_LIBRARY}\n{error}\n")
        return 1
    paths = default_paths()
    desks: list[Desk] = []
    marks: list[EndMark] = []

    @cache
    def local_server() -> "LocalServer":  # one for all attempts: the first may have failed after its start
        from app.local_server import LocalServer

        return LocalServer(paths.server)

    def open_desk() -> "Services":  # called when it is certain that no other program uses these files
        from app.store.last_end import EndMark

        desks.append(make_desk(paths, local_server(), serve_at_once=True))
        marks.append(EndMark(paths.end_mark))
        return replace(desks[-1].services, unexpected_end=marks[-1].left)

    try:
        return run_program(paths.home, partial(kept_setting, paths.database), open_desk, argv)
    finally:
        for desk in desks:
            desk.close()
        for mark in marks:
            mark.close()
