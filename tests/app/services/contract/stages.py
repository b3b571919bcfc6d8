"""A server and the installations that use it: over the real services, or over the fakes.

A test of the contract sees only `Stage` and `Desk`, so that it says the same of both.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Protocol, cast
from uuid import uuid4

from app.bootstrap import make_desk
from app.domain.entry import Attachment, Direction, EntryDetail, EntryDraft, EntryFilter, ListedEntry
from app.domain.wording import words_of
from app.errors import OfflineError
from app.local_server import LocalServer
from app.paths import Paths
from app.remote.endpoint import Endpoint
from app.services import Services
from app.services.accounts import Accounts, BookSession
from app.services.documents import Documents
from app.services.drafts import Drafts
from app.services.entries import Entries, draft_of
from app.services.exports import Exports
from app.services.moving import Moving
from app.services.sync import Sync
from app.store.last_folders import LastFolders
from app.store.settings import Settings
from server.contract.signing import decode_key, fingerprint
from server.tokens.invites import make_invite
from tests.support.api import PASSWORD, a_name
from tests.support.fake_keyring import FakeKeyring
from tests.support.fake_services import FakeServices
from tests.support.fakes.accounts import Computer
from tests.support.fakes.book import FINGERPRINT, SERVER_ID, Book
from tests.support.fakes.shop import HOME
from tests.support.ports import steady_port
from tests.support.postgres import Cluster
from tests.support.servers import RunningServer, region_config, running_server

TODAY = date(2026, 11, 22)


Opened = tuple[Services, Callable[[], None]]
"""The services, and what ends them."""


class Stage(Protocol):
    """One server that takes accounts, and any number of installations."""

    address: str
    fingerprint: str
    server_id: str
    region: str

    def desk(self) -> "Desk":
        """Return a new installation, on which nobody is signed in."""

    def stop(self) -> None:
        """Let the server answer no more."""

    def start(self) -> None:
        """Let it answer again."""

    def invite(self) -> str:
        """Return a code with which one account can be made."""


class Desk:
    """One installation. `open_services` starts the program over its files and returns what ends it."""

    def __init__(
        self, stage: Stage, open_services: Callable[[], tuple[Services, Callable[[], None]]]
    ) -> None:
        self.stage = stage
        self._open = open_services
        self.name = ""
        self.services, self._end = open_services()

    # The services, by the names that the windows use.

    @property
    def accounts(self) -> Accounts:
        return self.services.accounts

    @property
    def entries(self) -> Entries:
        return self.services.entries

    @property
    def documents(self) -> Documents:
        return self.services.documents

    @property
    def drafts(self) -> Drafts:
        return self.services.drafts

    @property
    def exports(self) -> Exports:
        return self.services.exports

    @property
    def sync(self) -> Sync:
        return self.services.sync

    @property
    def settings(self) -> Settings:
        return self.services.settings

    @property
    def folders(self) -> LastFolders:
        return self.services.folders

    @property
    def moving(self) -> Moving:
        return self.services.moving

    # What a test does with it.

    def refused(self) -> ListedEntry:
        """Let an entry be refused, because its bill is gone from this computer; return it."""
        bill = self.documents.attach_bytes(b"%PDF-1.7 gone", "gone.pdf")
        saved = self.save("With a lost bill", "1", bill)
        self.documents.fetch(bill).unlink()
        self.send_some()
        return self.entries.detail(saved.id).entry

    def close(self) -> None:
        """End the program."""
        self._end()

    def restart(self) -> None:
        """End the program and start it over the same files."""
        self._end()
        self.services, self._end = self._open()

    def register(self, *, remember: bool = False) -> BookSession:
        """Make an account with an empty book at the server, and open it."""
        self.name = a_name()
        return self.accounts.sign_in_remote(
            self.stage.address, self.name, PASSWORD, create=True, remember=remember
        )

    def login(self, name: str) -> BookSession:
        """Open the book of an account that exists."""
        self.name = name
        return self.accounts.sign_in_remote(self.stage.address, name, PASSWORD)

    def elsewhere(self) -> "Desk":
        """Return another installation on which the same book is open."""
        other = self.stage.desk()
        other.login(self.name)
        return other

    def end_session_from_elsewhere(self) -> None:
        """Let another installation end the session of this one."""
        other = self.elsewhere()
        for session in other.accounts.sessions():
            if not session.this_one:
                other.accounts.end_session(session.family)
        other.close()

    def save(self, text: str = "Taxi", amount: str = "12.50", *bills: Attachment, **more: Any) -> ListedEntry:
        """Save an entry, ₹12.50 spent on travel today but for what is given."""
        return self.entries.save(a_draft(text, amount, *bills, **more))

    def change(self, entry_id: str, *bills: Attachment, **changes: Any) -> EntryDetail:
        """Change fields of an entry; with `bills`, these are added to those that it has."""
        before = self.entries.detail(entry_id)
        draft = replace(draft_of(before), **changes)
        return self.entries.edit(before, replace(draft, attachments=(*draft.attachments, *bills)))

    def listed(self, filter_: EntryFilter | None = None) -> list[str]:
        """Return the descriptions of the first page, in its order."""
        return [row.description for row in self.entries.page(filter_ or EntryFilter(), None).entries]

    def send(self) -> None:
        """Send what waits; all of it is taken."""
        report = self.sync.send_pending()
        assert (report.error, report.waiting) == (None, 0)

    def send_some(self) -> None:
        """Send what can be sent; the rest is refused, or was made from what is."""
        assert self.sync.send_pending().error is None

    def confirm(self, text: str = "Taxi", *values: Any, **more: Any) -> EntryDetail:
        """Save an entry as `save` does, send it, and return it as the server has it."""
        saved = self.save(text, *values, **more)
        self.send()
        return self.entries.detail(saved.id)


def a_draft(text: str = "Taxi", amount: str = "12.50", *bills: Attachment, **more: Any) -> EntryDraft:
    """Return a draft: ₹12.50 spent on travel today, but for what is given."""
    values: dict[str, Any] = {"entry_date": TODAY, "direction": Direction.DEBIT, "category": "Travel"}
    return EntryDraft(amount=Decimal(amount), description=text, attachments=bills, **{**values, **more})


# --- the real one ---------------------------------------------------------------------------------


class OwnServer:
    """The server of one computer, started by the first call."""

    def __init__(self, start: Callable[[], RunningServer]) -> None:
        self._start = start
        self._running: RunningServer | None = None
        self.away = False

    def endpoint(self) -> Endpoint:
        if self.away:
            raise OfflineError(words_of(is_local=True).unreachable)
        self._running = self._running or self._start()
        return Endpoint(self._running.url, self._running.config.local_secret)

    def stop(self) -> None:
        """It goes on: the program is started again in the same test."""


class RealStage:
    """A regional server in a thread over PostgreSQL, and one of its own for each computer that wants one."""

    def __init__(self, cluster: Cluster, folder: Path, shared: RunningServer | None, **settings: Any) -> None:
        self._cluster, self._folder, self._settings = cluster, folder, settings
        self._desks, self._databases, self._servers = ExitStack(), ExitStack(), ExitStack()
        self._own: list[OwnServer] = []
        self._url = ""
        self._server = shared or self._start_own()
        self.address = self._server.url
        self.server_id, self.region = self._server.config.server_id, self._server.config.region
        roster = self._server.services.membership.roster
        self.fingerprint = fingerprint(decode_key(roster.cluster_key))

    def desk(self) -> Desk:
        own = OwnServer(self._start_local)
        self._own.append(own)
        paths = Paths(self._folder / f"desk-{len(self._own)}")

        def open_services() -> Opened:
            desk = make_desk(paths, cast(LocalServer, own))
            return desk.services, desk.close

        made = Desk(self, open_services)
        self._desks.callback(made.close)
        return made

    def stop(self) -> None:
        assert self._url, "the server is shared with other tests"
        self._servers.close()
        for own in self._own:
            own.away = True

    def start(self) -> None:
        self._server = self._start_own()
        for own in self._own:
            own.away = False

    def invite(self) -> str:
        services = self._server.services
        return make_invite(services.signer, self.server_id, uuid4(), 7, int(services.clock()))

    def close(self) -> None:
        for each in (self._desks, self._servers, self._databases):
            each.close()

    def _start_own(self) -> RunningServer:
        if not self._url:
            self._url = self._databases.enter_context(self._cluster.database())
            self._settings = {
                "server_id": "in-mum-1",
                "region": "ap-south-1",
                "port": steady_port(),
                **self._settings,
            }
        config = region_config(self._url, self._folder / "server", **self._settings)
        return self._servers.enter_context(running_server(config))

    def _start_local(self) -> RunningServer:
        url = self._databases.enter_context(self._cluster.database())
        local = {"local": True, "local_secret": "s", "region": "local", "region_letter": "0"}
        config = region_config(url, self._folder / f"local-{uuid4().hex[:8]}", **local)
        return self._servers.enter_context(running_server(config))


# --- the fake one ---------------------------------------------------------------------------------


class FakeStage:
    """The server of the fakes; every installation is a `FakeServices` with a folder of its own."""

    address = "https://books.example.com"
    fingerprint = FINGERPRINT
    server_id, region = SERVER_ID, HOME

    def __init__(self, folder: Path, registration: str = "open", *, key_store: FakeKeyring) -> None:
        self._book = Book(registration=registration)
        self._folder, self._key_store = folder, key_store
        self._desks = ExitStack()
        self._numbers = count(1)

    def desk(self) -> Desk:
        folder = self._folder / f"desk-{next(self._numbers)}"
        computer = Computer(store="memory" if self._key_store.trouble else "keyring")

        def open_services() -> Opened:
            made = FakeServices(folder, book=self._book, computer=computer)
            return made.services(), made.close

        desk = Desk(self, open_services)
        self._desks.callback(desk.close)
        return desk

    def stop(self) -> None:
        self._book.offline = True

    def start(self) -> None:
        self._book.offline = False

    def invite(self) -> str:
        code = f"code-{next(self._numbers)}"
        self._book.invites.add(code)
        return code

    def close(self) -> None:
        self._desks.close()
