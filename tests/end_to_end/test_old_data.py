"""A data folder that the program of commit 016f26e left, opened by the program of today.

`old_data/client.sql` is a dump of its `client.sqlite`, `old_data/keyring.json` what it kept in the keyring
(the token is shortened). That program made them, with the server of its time: Asha saved an entry with a bill
on a cluster of two regions; then her server was killed; then she saved one entry more, changed the first, and
was typing a third. Nobody listens on the ports of the roster.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import keyring
import pytest

from app.bootstrap import make_desk
from app.domain.entry import EntryFilter, EntryState
from app.domain.outbox_item import OutboxKind
from app.domain.sync_state import ReplicationStatus
from app.paths import Paths
from app.services.accounts import Accounts
from app.services.entries import Entries
from app.store.database import Database
from app.store.drafts import DraftStore
from app.store.files import Files
from app.store.outbox import Outbox
from app.store.replay_log import ReplayLog
from app.store.settings import Settings
from app.store.vault import SERVICE, TokenRecord, Vault
from app.ui.desktop import Desktop
from tests.support.fake_keyring import FakeKeyring

OLD = Path(__file__).parent / "old_data"
BOOK = "f6ebae26-7820-4eb1-bea7-c17961eda250"
TAXI = "01a22470-6353-7933-b450-02fd4d291ec8"
SAVED_US = 1_795_907_675_000_000
BILLS = ("taxi-receipt.jpg", "hotel-invoice.pdf", "stationery-bill.png")


class SystemKeyring(FakeKeyring):
    """A keyring that the vault takes for one of the system's."""

    __module__ = "keyring.backends.SecretService"


@pytest.fixture
def old_keyring(monkeypatch: pytest.MonkeyPatch) -> SystemKeyring:
    """The system's keyring, with what the old program kept."""
    found: dict[str, dict[str, str]] = json.loads((OLD / "keyring.json").read_text(encoding="utf-8"))
    made = SystemKeyring()
    for name, record in found.items():
        service, _, user = name.partition("|")
        made.kept[service, user] = json.dumps(record, separators=(",", ":"))
    monkeypatch.setattr(keyring, "get_keyring", lambda: made)
    return made


@pytest.fixture
def home(tmp_path: Path, samples: Path) -> Path:
    """The data folder."""
    folder = tmp_path / "old"
    (folder / "bills").mkdir(parents=True)
    with closing(sqlite3.connect(folder / "client.sqlite")) as connection:
        connection.executescript((OLD / "client.sql").read_text(encoding="utf-8"))
    for name in BILLS:
        content = (samples / name).read_bytes()
        (folder / "bills" / hashlib.sha256(content).hexdigest()).write_bytes(content)
    return folder


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    """The old database, opened."""
    opened = Database(home / "client.sqlite")
    yield opened
    opened.close()


def _columns(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"PRAGMA table_info({name})").fetchall() for name in tables}


def test_the_tables_are_those_of_a_database_that_is_made_today(home: Path, tmp_path: Path) -> None:
    Database(home / "client.sqlite").close()
    Database(tmp_path / "new" / "client.sqlite").close()
    assert _columns(home / "client.sqlite") == _columns(tmp_path / "new" / "client.sqlite")


def test_what_waited_still_waits_and_its_bills_are_named_and_here(database: Database, home: Path) -> None:
    new, changed = Outbox(database).items(BOOK)
    assert (new.kind, new.human_code, new.description) == (OutboxKind.CREATE, "M2N-000002", "Hotel in Pune")
    assert (changed.kind, changed.entry_id, f"{changed.amount}") == (OutboxKind.EDIT, TAXI, "1205.00")
    assert changed.base is not None
    assert f"{changed.base.entry.amount}" == "1250.00"
    bills = [(bill.doc_code, bill.file_name) for item in (new, changed) for bill in item.documents]
    assert bills == [("2N-000002-1", "hotel-invoice.pdf"), ("2N-000001-1", "taxi-receipt.jpg")]
    assert all(Files(home / "bills").has(bill.sha256) for bill in (*new.documents, *changed.documents))


def test_the_replay_log_knows_what_was_confirmed_and_by_which_region(database: Database) -> None:
    log = ReplayLog(database)
    confirmed, *waiting = log.recent(BOOK, SAVED_US)
    assert confirmed == ReplicationStatus(
        "01a22470-6353-7933-8a8e-e73a15d26fae",
        TAXI,
        1_795_907_674_963_575,
        frozenset({"ap-south-1"}),
        frozenset({"ap-south-1"}),
        "in-mum-1",
        1_795_907_675_091_084,
        "ap-south-1",
        pin_id="b05c3dca8df049e5baef0883f54f5d39",
    )
    assert [item.ver for item in waiting] == [1_795_907_675_129_215, 1_795_907_675_137_498]
    assert [item.description for item in log.items(BOOK, [confirmed.op_id])] == ["Taxi to the airport"]


def test_the_draft_comes_back(database: Database) -> None:
    form = DraftStore(database).get(BOOK)
    assert form is not None
    assert (form.date, form.amount, form.direction) == ("22 Nov 2026", "99.5", "DR")
    assert (form.category, form.description) == ("Office", "Pens and pa")
    assert [bill.file_name for bill in form.attachments] == ["stationery-bill.png"]


def test_the_record_of_the_session_is_read_and_kept_as_it_was(
    database: Database, old_keyring: SystemKeyring
) -> None:
    before = dict(old_keyring.kept)
    vault = Vault(Settings(database).device_id)
    record = vault.load()
    assert record == TokenRecord(
        "a.refresh.token", "2ee3978adc4f4f7c89a8b84d4b0441c1", "http://127.0.0.1:9", "in-mum-1/0", BOOK
    )
    vault.keep(record)
    assert old_keyring.kept.keys() == before.keys() == {(SERVICE, Settings(database).device_id())}
    kept, was = (json.loads(next(iter(each.values()))) for each in (old_keyring.kept, before))
    assert kept == was


@pytest.mark.usefixtures("old_keyring")
def test_the_session_goes_on_at_the_server_that_it_was_pinned_to(home: Path) -> None:
    with closing(make_desk(Paths(home))) as desk:
        _assert_resumed(desk.services.accounts, desk.services.entries)


def _assert_resumed(accounts: Accounts, entries: Entries) -> None:
    session = accounts.resume()
    assert session is not None
    assert (session.user_name, session.book_id, session.code_prefix) == ("asha", BOOK, "M2N")
    assert (session.server_id, session.region) == ("in-mum-1", "ap-south-1")
    assert (accounts.machine.server, accounts.machine.epoch, accounts.regions) == ("in-mum-1", 0, 2)
    listed = {entry.human_code: (f"{entry.amount}", entry.state) for entry in entries.pending(EntryFilter())}
    assert listed == {
        "M2N-000001": ("1205.00", EntryState.WAITING),
        "M2N-000002": ("4500.50", EntryState.WAITING),
    }


@pytest.mark.usefixtures("old_keyring")
def test_the_windows_show_what_waits_and_the_draft(open_program, home: Path) -> None:
    asked: list[str] = []

    def confirm(_parent: object, question: str, explanation: str, *_buttons: str) -> bool:
        asked.append(f"{question} {explanation}")
        return True

    with open_program(Desktop(confirm=confirm), home) as (driver, desk):
        driver.wait("the book to open", lambda: driver.window.signed_in)
        driver.wait("what waits to be counted", lambda: driver.text("outbox_badge") == "2")
        driver.wait("the draft", lambda: driver.text("description_field") == "Pens and pa")
        assert driver.text("amount_field") == "99.5"
        driver.wait("its bill", lambda: len(driver.window.entry.documents.attachments()) == 1)
        assert [bill.file_name for bill in driver.window.entry.documents.attachments()] == [BILLS[2]]
        assert desk.services.accounts.machine.server == "in-mum-1"
    assert asked == ["Quit now? 2 entries are only on this computer; they will be sent at the next start."]
