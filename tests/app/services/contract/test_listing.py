"""Listing, filtering, totalling and completing entries, with and without a server."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.entry import Direction, EntryFilter, EntryState, ListedEntry, Shown, Suggestion, Totals
from app.services import entries
from tests.app.services.contract.conftest import StartStage
from tests.app.services.contract.refusals import (
    LONG_SEARCH,
    OFFLINE,
    STRANGE_CURSOR,
    refusal,
)
from tests.app.services.contract.stages import TODAY, Desk
from tests.app.store.samples import PNG

ALL = EntryFilter()
ONLY_WAITING = EntryFilter(waiting_only=True)


def texts(rows: tuple[ListedEntry, ...]) -> list[str]:
    return [row.description for row in rows]


@pytest.fixture
def shop(book: Desk) -> Desk:
    """A book with five entries at the server, one of them voided and one with a bill."""
    _fill(book)
    book.send()
    return book


def _fill(desk: Desk) -> None:
    bill = desk.documents.attach_bytes(PNG, "bill.png")
    day = timedelta(days=1)
    desk.save("Taxi to Pune", "1234.50", category="Travel", entry_date=TODAY - 2 * day)
    desk.save("Chai", "5", bill, category="Meals", entry_date=TODAY - day)
    desk.save("Counter sale", "48250", category="Sales", direction=Direction.CREDIT)
    desk.save("Refund, chai", "1120", category="Travel", direction=Direction.CREDIT, entry_date=TODAY - day)
    gone = desk.save("Train", "640", category="Travel")
    desk.entries.void(desk.entries.detail(gone.id))


@pytest.fixture
def pages_of_five(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page be of five rows: two hundred take long to be sent."""
    monkeypatch.setattr(entries, "PAGE", 5)


# --- the listing ----------------------------------------------------------------------------------


def test_a_listing_is_newest_first_by_date_and_then_by_id(shop: Desk) -> None:
    page = shop.entries.page(ALL, None)
    assert texts(page.entries) == ["Counter sale", "Refund, chai", "Chai", "Taxi to Pune"]
    assert (page.cursor, page.from_cache) == (None, False)
    assert {row.state for row in page.entries} == {EntryState.CONFIRMED}
    assert [row.document_count for row in page.entries] == [0, 0, 1, 0]
    assert page.entries[0] == shop.entries.detail(page.entries[0].id).entry


def test_unsent_entries_are_not_in_a_page(book: Desk) -> None:
    book.save("Taxi")
    assert book.entries.page(ALL, None).entries == ()
    assert texts(book.entries.pending(ALL)) == ["Taxi"]


FILTERS = [
    (EntryFilter("chai"), ["Refund, chai", "Chai"]),
    (EntryFilter(" CHAI  refund "), ["Refund, chai"]),
    (EntryFilter("travel"), ["Refund, chai", "Taxi to Pune"]),
    (EntryFilter("travel taxi"), ["Taxi to Pune"]),
    (EntryFilter("1,234"), ["Taxi to Pune"]),
    (EntryFilter("₹48,250.00"), ["Counter sale"]),
    (EntryFilter("-000002"), ["Chai"]),
    (EntryFilter("%"), []),
    (EntryFilter("nothing like it"), []),
    (EntryFilter(first=TODAY), ["Counter sale"]),
    (EntryFilter(last=TODAY - timedelta(days=2)), ["Taxi to Pune"]),
    (EntryFilter(first=TODAY - timedelta(days=1), last=TODAY - timedelta(days=1)), ["Refund, chai", "Chai"]),
    (EntryFilter(first=TODAY, last=TODAY - timedelta(days=1)), []),
    (EntryFilter(direction=Direction.CREDIT), ["Counter sale", "Refund, chai"]),
    (EntryFilter(direction=Direction.DEBIT), ["Chai", "Taxi to Pune"]),
    (EntryFilter(without_document=True), ["Counter sale", "Refund, chai", "Taxi to Pune"]),
    (EntryFilter(shown=Shown.VOIDED), ["Train"]),
    (EntryFilter(shown=Shown.ALL), ["Train", "Counter sale", "Refund, chai", "Chai", "Taxi to Pune"]),
    (EntryFilter("ravel", direction=Direction.CREDIT, shown=Shown.ALL), ["Refund, chai"]),
    (ONLY_WAITING, []),
]


def test_each_filter_selects_the_same_in_page_pending_totals_and_cache(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    _fill(desk)
    desk.send()
    told = {}
    for filter_, expected in FILTERS:
        rows = desk.entries.page(filter_, None).entries
        assert (filter_, texts(rows)) == (filter_, expected)
        told[filter_] = rows
        assert desk.entries.totals(filter_) == totals_of(rows)
    desk.entries.page(EntryFilter(shown=Shown.ALL), None)
    stage.stop()
    for filter_, expected in FILTERS:
        page = desk.entries.page(filter_, None)
        assert (filter_, texts(page.entries)) == (filter_, expected)
        assert page.entries == told[filter_]
        assert page.from_cache is not filter_.waiting_only


def test_each_filter_selects_the_same_unsent_entries(book: Desk) -> None:
    _fill(book)
    for filter_, expected in FILTERS:
        if filter_ == ONLY_WAITING:
            continue
        rows = book.entries.pending(filter_)
        assert (filter_, texts(rows)) == (filter_, expected)
        assert book.entries.pending(replace(filter_, waiting_only=True)) == rows
        assert book.entries.totals(filter_) == replace(totals_of(rows), waiting=len(rows))


def totals_of(rows: tuple[ListedEntry, ...]) -> Totals:
    out, into = Decimal(0), Decimal(0)
    for row in rows:
        if not row.voided:
            out += row.amount if row.direction is Direction.DEBIT else 0
            into += row.amount if row.direction is Direction.CREDIT else 0
    return Totals(len(rows), out, into)


def test_a_search_that_is_too_long_is_refused(book: Desk) -> None:
    assert refusal(lambda: book.entries.page(EntryFilter("x" * 101), None)) == LONG_SEARCH
    assert refusal(lambda: book.entries.totals(EntryFilter("x" * 101))) == LONG_SEARCH


@pytest.mark.parametrize("text", ["taxi\nairport", "\u200eairport\u2028 TAXI\u200b", "tax\x00i"])
def test_a_search_is_one_whatever_was_pasted_with_it(book: Desk, text: str) -> None:
    book.confirm("Taxi to the airport", "100")
    book.save("Airport taxi", "50")
    wanted = EntryFilter(text)
    assert [row.description for row in book.entries.page(wanted, None).entries] == ["Taxi to the airport"]
    assert [row.description for row in book.entries.pending(wanted)] == ["Airport taxi"]
    assert (book.entries.totals(wanted).count, book.entries.totals(wanted).money_out) == (2, Decimal(150))


@pytest.mark.usefixtures("pages_of_five")
def test_a_long_listing_comes_in_pages(book: Desk) -> None:
    for number in range(13):
        book.save(f"Entry {number}", entry_date=TODAY - timedelta(days=number // 3))
    book.send()
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = book.entries.page(ALL, cursor)
        assert not page.from_cache
        found += texts(page.entries)
        cursor = page.cursor
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 13
    days = {text: int(text.split()[1]) // 3 for text in found}
    assert found == sorted(found, key=lambda text: (days[text], -int(text.split()[1])))
    first = book.entries.page(ALL, None)
    assert 0 < len(first.entries) < 13
    assert first.cursor is not None
    assert texts(book.entries.page(ALL, first.cursor).entries)[0] == found[len(first.entries)]


def test_an_invalid_cursor_is_refused(book: Desk) -> None:
    assert refusal(lambda: book.entries.page(ALL, "no cursor")) == STRANGE_CURSOR


@pytest.mark.usefixtures("pages_of_five")
def test_a_listing_that_grows_during_paging_has_no_gaps_or_duplicates(book: Desk) -> None:
    for number in range(13):
        book.save(f"Entry {number}")
    book.send()
    page = book.entries.page(ALL, None)
    book.save("Newer")
    book.send()
    found = list(texts(page.entries))
    while page.cursor is not None:
        page = book.entries.page(ALL, page.cursor)
        found += texts(page.entries)
    assert found == [f"Entry {number}" for number in reversed(range(13))]


# --- what waits -----------------------------------------------------------------------------------


def test_unsent_entries_are_listed_once_newest_first_as_they_will_be(book: Desk) -> None:
    first = book.save("Old", entry_date=TODAY - timedelta(days=1))
    book.save("Newer")
    book.save("Newest")
    book.change(first.id, description="Old, changed")
    rows = book.entries.pending(ALL)
    assert texts(rows) == ["Newest", "Newer", "Old, changed"]
    assert {row.state for row in rows} == {EntryState.WAITING}
    assert texts(book.entries.pending(EntryFilter("changed"))) == ["Old, changed"]
    assert book.entries.pending(EntryFilter("Taxi")) == ()
    book.send()
    assert book.entries.pending(ALL) == ()


def test_the_page_of_unsent_entries_is_empty_and_calls_no_server(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    desk.confirm("Taxi")
    desk.save("Chai")
    stage.stop()
    page = desk.entries.page(ONLY_WAITING, None)
    assert (page.entries, page.cursor, page.from_cache) == ((), None, False)
    assert desk.entries.totals(ONLY_WAITING) == Totals(1, Decimal("12.50"), Decimal(0), waiting=1)


def test_entries_with_unsent_changes_are_overridden(book: Desk) -> None:
    one, two = book.confirm("One").entry, book.confirm("Two").entry
    assert book.entries.overridden() == frozenset()
    book.change(one.id, description="One, changed")
    new = book.save("New")
    assert book.entries.overridden() == {one.id, new.id}
    assert set(texts(book.entries.page(ALL, None).entries)) == {"One", "Two"}  # the server's word, as it is
    book.send()
    assert book.entries.overridden() == frozenset()
    assert two.id not in book.entries.overridden()


# --- totals ---------------------------------------------------------------------------------------


def test_totals_count_a_changed_entry_once_as_it_will_be(book: Desk) -> None:
    taxi = book.confirm("Taxi", "100").entry
    book.confirm("Sale", "1000", direction=Direction.CREDIT)
    assert book.entries.totals(ALL) == Totals(2, Decimal(100), Decimal(1000))
    book.change(taxi.id, amount=Decimal(70))
    assert book.entries.totals(ALL) == Totals(2, Decimal(70), Decimal(1000), waiting=1)
    book.change(taxi.id, description="Chai")
    assert book.entries.totals(ALL) == Totals(2, Decimal(70), Decimal(1000), waiting=1)
    assert book.entries.totals(EntryFilter("Taxi")) == Totals()
    assert book.entries.totals(EntryFilter("Chai")) == Totals(1, Decimal(70), Decimal(0), waiting=1)
    assert book.entries.totals(ALL).net == Decimal(930)
    book.send()
    assert book.entries.totals(ALL) == Totals(2, Decimal(70), Decimal(1000))


def test_totals_exclude_an_entry_with_an_unsent_void(book: Desk) -> None:
    taxi = book.confirm("Taxi", "100")
    book.entries.void(taxi)
    assert book.entries.totals(ALL) == Totals()
    assert book.entries.totals(EntryFilter(shown=Shown.VOIDED)) == Totals(1, waiting=1)
    assert book.entries.totals(EntryFilter(shown=Shown.ALL)) == Totals(1, waiting=1)
    book.send()
    assert book.entries.totals(EntryFilter(shown=Shown.ALL)) == Totals(1)


def test_totals_count_a_refused_entry_as_waiting(book: Desk) -> None:
    book.refused()
    assert book.entries.totals(ALL).waiting == 1


# --- completing -----------------------------------------------------------------------------------


@pytest.fixture
def words(book: Desk) -> Desk:
    """A book with a few categories and descriptions, some used twice."""
    for text, category, direction in [
        ("Train", "Travel", "DR"),
        ("Taxi", "Travel", "DR"),
        ("Tinned", "Trade", "CR"),
        ("Lunch, the team", "Meals", "DR"),
        ("Taxi", "Freight", "CR"),
    ]:
        book.save(text, category=category, direction=Direction(direction))
    book.send()
    return book


def test_categories_are_completed_by_use_and_then_by_time(words: Desk) -> None:
    complete = words.entries.suggest_categories
    assert complete("tr") == [Suggestion("Travel", 2), Suggestion("Trade", 1)]
    assert complete(" TRA ") == [Suggestion("Travel", 2), Suggestion("Trade", 1)]
    assert [s.text for s in complete("")] == ["Travel", "Freight", "Meals", "Trade"]
    assert complete("ravel") == complete("%") == complete("x" * 300) == []


def test_descriptions_are_completed_with_their_last_category_and_direction(words: Desk) -> None:
    complete = words.entries.suggest_descriptions
    assert complete("t") == [
        Suggestion("Taxi", 2, "Freight", Direction.CREDIT),
        Suggestion("Tinned", 1, "Trade", Direction.CREDIT),
        Suggestion("Train", 1, "Travel", Direction.DEBIT),
    ]
    assert complete("lunch, the") == [Suggestion("Lunch, the team", 1, "Meals", Direction.DEBIT)]
    assert complete("team") == complete("_") == []


def test_unsent_voided_and_replaced_texts_are_not_completions(words: Desk) -> None:
    words.save("Toner", category="Office")
    lunch = words.entries.page(EntryFilter("lunch"), None).entries[0]
    words.entries.void(words.entries.detail(lunch.id))
    tin = words.entries.page(EntryFilter("tinned"), None).entries[0]
    assert words.entries.suggest_categories("off") == words.entries.suggest_descriptions("ton") == []
    assert [s.text for s in words.entries.suggest_categories("m")] == ["Meals"]
    words.change(tin.id, description="Pot")
    words.send()
    assert words.entries.suggest_categories("m") == words.entries.suggest_descriptions("tin") == []
    assert [s.text for s in words.entries.suggest_descriptions("p")] == ["Pot"]
    assert [s.text for s in words.entries.suggest_categories("off")] == ["Office"]


def test_completions_are_found_and_counted_by_their_search_key(book: Desk) -> None:
    for text, category in [("Chai", "Café"), ("CHAI", "CAFE"), ("Chai", "Café"), ("Naan", "Food")]:
        book.save(text, category=category)
    book.send()
    found = book.entries.suggest_categories("cafe")
    assert found == [Suggestion("Café", 3)]
    assert book.entries.suggest_categories("ＣＡＦ") == found
    assert [(s.text, s.uses) for s in book.entries.suggest_descriptions("CHA")] == [("Chai", 3)]


def test_there_are_at_most_twenty_completions(book: Desk) -> None:
    for number in range(25):
        book.save(f"Entry {number}", category=f"Category {number}")
    book.send()
    assert len(book.entries.suggest_categories("c")) == len(book.entries.suggest_descriptions("e")) == 20


# --- where changes are ----------------------------------------------------------------------------


def test_the_local_book_has_no_replication_status(desk: Desk) -> None:
    desk.accounts.sign_in_local("asha", "")
    desk.save()
    assert desk.entries.replication() == {}
    desk.send()
    assert desk.entries.replication() == {}
    desk.accounts.sign_out()
    assert desk.entries.replication() == {}


def test_at_a_server_entries_have_the_replication_status_of_their_last_change(book: Desk) -> None:
    assert book.entries.replication() == {}
    saved = book.save()
    told = book.entries.replication()[saved.id]
    assert (told.ver, told.regions, told.server, told.at_us) == (saved.ver, frozenset(), "", 0)
    book.send()
    session = book.accounts.require_session()
    told = book.entries.replication()[saved.id]
    assert (told.ver, told.regions) == (saved.ver, {session.region})
    assert (told.server, told.region) == (session.server_id, session.region)
    assert told.at_us > 0
    changed = book.change(saved.id, description="Chai")
    assert book.entries.replication()[saved.id].ver == changed.entry.ver
    assert book.elsewhere().entries.replication() == {}


# --- without a server, and without a session ------------------------------------------------------


def test_without_a_server_the_last_entries_seen_are_listed(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    other = desk.elsewhere()
    other.confirm("Seen")
    assert desk.listed() == ["Seen"]
    other.confirm("Never seen")
    desk.save("Waiting")
    stage.stop()
    page = desk.entries.page(ALL, None)
    assert (texts(page.entries), page.cursor, page.from_cache) == (["Seen"], None, True)
    assert {row.state for row in page.entries} == {EntryState.CONFIRMED}
    assert texts(desk.entries.pending(ALL)) == ["Waiting"]
    desk.restart()
    assert desk.accounts.resume() is None  # it was not to be remembered


@pytest.mark.usefixtures("pages_of_five")
def test_a_listing_from_the_server_is_not_continued_from_the_cache(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    for number in range(13):
        desk.save(f"Entry {number}")
    desk.send()
    first = desk.entries.page(ALL, None)
    assert first.cursor is not None
    stage.stop()
    assert refusal(lambda: desk.entries.page(ALL, first.cursor)) == OFFLINE
    cached = desk.entries.page(ALL, None)
    found = list(texts(cached.entries))
    while cached.cursor is not None:  # a listing from the cache is gone on with from there
        cached = desk.entries.page(ALL, cached.cursor)
        assert cached.from_cache
        found += texts(cached.entries)
    assert found == [f"Entry {number}" for number in reversed(range(13))]


def test_without_a_server_there_are_no_totals(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    stage.stop()
    assert refusal(lambda: desk.entries.totals(ALL)) == OFFLINE


def test_without_a_server_completions_come_from_this_computer(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    for text, category in [("Lunch", "Café"), ("Tea", "Café"), ("Coffee", "CAFE\u0301"), ("Train", "Travel")]:
        desk.save(text, category=category)
    desk.send()
    desk.entries.page(ALL, None)
    waiting = desk.save("Coffee", category="Canteen", direction=Direction.CREDIT)
    stage.stop()
    assert desk.entries.suggest_categories("CAFE") == [Suggestion("Café", 3)]
    assert [s.text for s in desk.entries.suggest_categories("")] == ["Café", "Canteen", "Travel"]
    assert desk.entries.suggest_categories("rave") == []
    assert desk.entries.suggest_descriptions("co") == [Suggestion("Coffee", 2, "Canteen", Direction.CREDIT)]
    assert desk.entries.known_categories() == desk.entries.suggest_categories("")
    desk.entries.void(desk.entries.detail(waiting.id))
    assert desk.entries.suggest_categories("can") == []


def test_nothing_is_known_while_no_book_is_open(desk: Desk) -> None:
    assert desk.entries.known_categories() == []
