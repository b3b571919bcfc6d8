"""Sending what waits: one item that cannot go, two people on one computer, clocks. Over a real server."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.entry import Attachment, Direction, EntryDraft, EntryFilter, Shown
from app.domain.outbox_item import OutboxItem, OutboxKind, OutboxState
from app.errors import AppError, ServerError, SignInError
from app.remote.client import Client
from app.services import sync as room
from app.services.entries import draft_of
from app.services.exports import Exports
from app.services.sync import Sync, create_of
from app.store.cache import ReadCache
from app.store.files import Files
from server.contract.errors import ErrorCode
from server.contract.shapes import CreateEntry, EntrySaved
from tests.app.services.test_accounts import Desk, create
from tests.app.store.samples import PNG
from tests.support.api import PASSWORD, a_name
from tests.support.servers import MovingClock, RunningServer

Start = Callable[..., RunningServer]


class SendingDesk(Desk):
    """A desk that sends, with a clock of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.files = Files(folder / "bills")
        self.sync = Sync(self.accounts, self.outbox, ReadCache(self.databases[0]), self.files)

    def save(self, text: str, *bills: Attachment) -> str:
        draft = EntryDraft(date(2026, 11, 22), Decimal("12.50"), Direction.DEBIT, "Travel", text, bills)
        return self.entries.save(draft).id

    def change(self, entry_id: str, text: str, *bills: Attachment) -> None:
        before = self.entries.detail(entry_id)
        self.entries.edit(before, replace(draft_of(before), description=text, attachments=bills))

    def served(self) -> list[str]:
        return sorted(entry.description for entry in self.entries.page(EntryFilter(), None).entries)

    def states(self) -> list[tuple[OutboxKind, OutboxState]]:
        return [(item.kind, item.state) for item in self.sync.items()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SendingDesk]:
    made = SendingDesk(tmp_path / "desk")
    yield made
    made.close()


def lost_bill() -> Attachment:
    """A bill whose bytes went from this computer."""
    return Attachment("lost", "lost.png", "image/png", 5, "ab" * 32)


# --- one item that cannot go ----------------------------------------------------------------------


def test_changes_after_a_refused_one_wait_for_it_and_do_not_block_others(
    desk: SendingDesk, server: RunningServer
) -> None:
    create(desk, server)
    entry = desk.save("Taxi")
    desk.sync.send_pending()
    desk.change(entry, "Taxi with a bill", lost_bill())
    desk.change(entry, "Taxi again")
    desk.save("Later")
    for _ in range(2):
        report = desk.sync.send_pending()
        assert report.error is None
    assert desk.states() == [
        (OutboxKind.EDIT, OutboxState.REFUSED),
        (OutboxKind.EDIT, OutboxState.WAITING),
    ]
    assert desk.served() == ["Later", "Taxi"]


def test_a_change_is_sent_without_the_discarded_one_before_it(
    desk: SendingDesk, server: RunningServer
) -> None:
    create(desk, server)
    entry = desk.save("Taxi")
    desk.sync.send_pending()
    desk.change(entry, "Taxi with a bill", lost_bill())
    desk.change(entry, "Taxi again")
    desk.sync.send_pending()
    desk.sync.discard(desk.sync.items()[0].op_id)
    assert desk.sync.send_pending().waiting == 0
    assert desk.served() == ["Taxi again"]


def test_discarding_a_refused_new_entry_discards_its_changes(
    desk: SendingDesk, server: RunningServer
) -> None:
    create(desk, server)
    entry = desk.save("Taxi", lost_bill())
    desk.change(entry, "Taxi again", *draft_of(desk.entries.detail(entry)).attachments)
    desk.entries.void(desk.entries.detail(entry))
    desk.save("Later")
    assert desk.sync.send_pending().refused == 1
    assert [state for _, state in desk.states()] == [OutboxState.REFUSED] + [OutboxState.WAITING] * 2
    desk.sync.discard(desk.sync.items()[0].op_id)
    assert desk.sync.items() == ()
    assert desk.entries.totals(EntryFilter()).count == 1


def test_an_item_is_sent_when_its_missing_bill_is_back(desk: SendingDesk, server: RunningServer) -> None:
    create(desk, server)
    kept = desk.files.keep_bytes(PNG, "bill.png")
    moved = desk.files.path(kept.sha256).rename(desk.folder / "away")
    entry = desk.save("Taxi", kept)
    desk.change(entry, "Taxi again", *draft_of(desk.entries.detail(entry)).attachments)
    assert desk.sync.send_pending().refused == 1
    moved.rename(desk.files.path(kept.sha256))
    desk.sync.retry(desk.sync.items()[0].op_id)
    assert desk.sync.send_pending().waiting == 0
    assert desk.served() == ["Taxi again"]


@pytest.mark.parametrize(
    ("error", "goes_on"),
    [
        (ServerError("Too large.", code=""), True),  # as a proxy says it
        (ServerError("This link has expired.", code=ErrorCode.LINK_EXPIRED), True),
        (ServerError("No database.", code=ErrorCode.DATABASE_UNAVAILABLE, retryable=True), False),
        (SignInError("Please sign in.", code=ErrorCode.UNAUTHENTICATED), False),
    ],
)
def test_an_error_stops_the_run_only_if_it_concerns_all_items(
    desk: SendingDesk,
    server: RunningServer,
    monkeypatch: pytest.MonkeyPatch,
    error: AppError,
    goes_on: bool,
) -> None:
    create(desk, server)
    desk.save("With a bill", desk.files.keep_bytes(PNG, "bill.png"))
    desk.save("Without")

    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(Client, "put_file", refuse)
    report = desk.sync.send_pending()
    assert (report.sent, report.waiting, report.refused) == ((1, 1, 0) if goes_on else (0, 2, 0))
    assert report.error is error


class NewerCreateEntry(CreateEntry, frozen=True):
    """As a program of a later version sends it."""

    note: str = "paid in two parts"


def test_an_item_that_an_older_server_does_not_know_waits_for_the_upgrade(
    desk: SendingDesk, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(desk, server)
    desk.save("Taxi")
    with monkeypatch.context() as newer:
        newer.setattr(
            room, "create_of", lambda item: NewerCreateEntry(**msgspec.structs.asdict(create_of(item)))
        )
        report = desk.sync.send_pending()
    assert (report.sent, report.waiting, report.refused) == (0, 1, 0)
    assert "older than your program" in desk.sync.items()[0].last_error
    assert desk.sync.send_pending().sent == 1
    assert desk.served() == ["Taxi"]


def test_an_unreadable_bill_is_the_error_of_its_item(desk: SendingDesk, server: RunningServer) -> None:
    create(desk, server)
    kept = desk.files.keep_bytes(PNG, "bill.png")
    desk.save("With a bill", kept)
    file = desk.files.path(kept.sha256)
    file.symlink_to(file.rename(file.with_name("elsewhere")))  # a link is not followed, whoever reads
    assert desk.sync.send_pending().refused == 1
    error = desk.sync.items()[0].last_error
    assert error is not None
    assert error.startswith("A bill of this entry cannot be read: ")


# --- two devices ----------------------------------------------------------------------------------


def test_a_superseded_change_is_reported_and_not_cached(
    desk: SendingDesk, server: RunningServer, tmp_path: Path
) -> None:
    name = create(desk, server)
    entry = desk.save("Taxi")
    desk.sync.send_pending()
    desk.change(entry, "Mine, made first and sent last")
    other = SendingDesk(tmp_path / "other")
    other.accounts.sign_in_remote(server.url, name, PASSWORD)
    other.change(entry, "Theirs")
    assert other.sync.send_pending().superseded == ()
    other.close()
    code = desk.sync.items()[0].human_code
    assert desk.sync.send_pending().superseded == (code,)
    assert desk.served() == ["Theirs"]
    assert [
        row.description for row in ReadCache(desk.databases[0]).page(_book(desk), EntryFilter(), None, 9)
    ] == ["Theirs"]


def _book(desk: SendingDesk) -> str:
    return desk.accounts.require_session().book_id


# --- two people -----------------------------------------------------------------------------------


def test_items_of_one_user_are_never_sent_to_the_book_of_the_next(
    desk: SendingDesk, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = create(desk, server)
    desk.save("Mine")
    desk.save("Mine too")
    sending, go_on, confirm = threading.Event(), threading.Event(), desk.sync._confirm

    def slow(item: OutboxItem, receipt: EntrySaved, sent: Any) -> None:
        sending.set()
        assert go_on.wait(20)
        confirm(item, receipt, sent)

    monkeypatch.setattr(desk.sync, "_confirm", slow)
    thread = threading.Thread(target=desk.sync.send_pending)
    thread.start()
    assert sending.wait(20)
    desk.accounts.sign_out()
    create(desk, server, a_name())
    go_on.set()
    thread.join(20)
    assert desk.served() == []
    assert desk.sync.items() == ()
    desk.accounts.sign_out()
    desk.accounts.sign_in_remote(server.url, first, PASSWORD)
    assert [item.description for item in desk.sync.items()] == ["Mine too"]
    assert desk.sync.send_pending().sent == 1
    assert desk.served() == ["Mine", "Mine too"]


# --- clocks ---------------------------------------------------------------------------------------


def test_an_entry_made_while_the_clock_was_a_year_ahead_can_be_changed_afterwards(
    desk: SendingDesk, start_server: Start
) -> None:
    clock = MovingClock()
    server, year = start_server(clock), 365 * 24 * 3600

    def now() -> int:
        return int(clock() * 1_000_000)

    desk.entries._now_us = desk.sync._now_us = desk.accounts.remote.server_clock._now_us = now
    name = create(desk, server)
    clock.advance(year)
    desk.accounts.sign_in_remote(server.url, name, PASSWORD)
    entry, other = desk.save("Taxi"), desk.save("Bus")
    assert desk.sync.send_pending().waiting == 0
    clock.advance(-year)
    desk.accounts.sign_in_remote(server.url, name, PASSWORD)

    desk.change(entry, "Taxi again")
    desk.entries.void(desk.entries.detail(other))
    desk.change(entry, "Taxi once more")
    desk.save("Today")
    for _ in range(3):  # what the first run learns of the clock helps the next
        desk.sync.send_pending()
    assert desk.states() == []
    assert desk.served() == ["Taxi once more", "Today"]


# --- exports --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", Shown)
def test_an_export_contains_all_entries_of_its_filter_including_voided_ones(
    desk: SendingDesk, server: RunningServer, tmp_path: Path, shown: Shown
) -> None:
    create(desk, server)
    desk.save("Stays")
    desk.entries.void(desk.entries.detail(desk.save("Goes")))
    assert desk.sync.send_pending().waiting == 0
    wanted, exports = EntryFilter(shown=shown), Exports(desk.accounts, desk.outbox)
    made = exports.write_csv(wanted, tmp_path / "out.csv", lambda _rows: None, lambda: False)
    assert made.totals == desk.entries.totals(wanted)
    assert made.rows == (2 if shown is Shown.ALL else 1)
    # A voided entry is a row, but its money is nobody's.
    assert (made.totals.money_out == 0) is (shown is Shown.VOIDED)
    assert made.totals.money_out == (
        0 if shown is Shown.VOIDED else desk.entries.totals(EntryFilter()).money_out
    )
