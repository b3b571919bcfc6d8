"""Listing, searching, totals and suggestions, over HTTP, against plain Python over the same entries."""

import itertools
import random
import threading
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.contract import paths, shapes
from server.entries import search as search_room
from server.journal.rollup import fold_all
from tests.support.api import BookApi, a_document, new_id, now_us, refusal
from tests.support.examples import examples
from tests.support.journal import JournalRow, document_row, entry_row, write_journal
from tests.support.servers import RunningServer

Start = Callable[..., RunningServer]
CATEGORIES = ("Travel", "Stationery", "Rent", "किराया")
SHARED = [HealthCheck.function_scoped_fixture]


def _some_rows(count: int, seed: int = 1) -> list[JournalRow]:
    choose = random.Random(seed)
    first = date(2025, 1, 1)
    return [
        entry_row(
            first + timedelta(days=choose.randrange(500)),
            f"{choose.randrange(1, 10_000_000) / 100:.2f}",
            choose.choice(("CR", "DR")),
            choose.choice(CATEGORIES),
            choose.choice(("Taxi to the airport", "Paper, pens", "Office rent", "दुकान का किराया", "")),
            code=f"T01-{number:06}",
        )
        for number in range(count)
    ]


def _fill(server: RunningServer, book: BookApi, rows: list[JournalRow]) -> None:
    write_journal(server.config.database_url, book.book_id, rows)


def _ids(entries: list[shapes.Entry]) -> list[str]:
    return [entry.id for entry in entries]


def _sorted_ids(rows: list[JournalRow]) -> list[str]:
    return [row.id for row in sorted(rows, key=lambda r: (r.doc["entryDate"], r.id), reverse=True)]


# --- pages --------------------------------------------------------------------------------------------


def test_pages_put_together_are_the_sorted_list(server: RunningServer, book: BookApi) -> None:
    rows = _some_rows(1_203)
    _fill(server, book, rows)
    for limit in (1_000, 200, 97):
        if limit > 200:
            assert refusal(lambda limit=limit: book.page(limit=limit)).code == "invalid_fields"
            continue
        pages = list(book.pages(limit=limit))
        assert [id_ for page in pages for id_ in _ids(page.entries)] == _sorted_ids(rows)
        assert [len(page.entries) for page in pages[:-1]] == [limit] * (len(pages) - 1)


def test_a_last_page_that_is_just_full_has_no_cursor(server: RunningServer, book: BookApi) -> None:
    _fill(server, book, _some_rows(10))
    assert book.page(limit=10).next_cursor is None
    assert book.page(limit=9).next_cursor is not None
    assert book.page().next_cursor is None


def test_many_entries_of_one_day_are_listed_without_gaps_or_doubles(
    server: RunningServer, book: BookApi
) -> None:
    rows = [entry_row("2026-04-15", code=f"T01-{n:06}") for n in range(250)]
    _fill(server, book, rows)
    assert _ids(book.all(limit=50)) == _sorted_ids(rows)


def test_paging_while_others_insert_skips_and_doubles_nothing(server: RunningServer, book: BookApi) -> None:
    rows = _some_rows(600)
    _fill(server, book, rows)
    stop = threading.Event()

    def insert() -> None:
        for seed in itertools.count(2):
            _fill(server, book, _some_rows(20, seed))
            if stop.is_set():
                return

    inserting = threading.Thread(target=insert)
    inserting.start()
    try:
        seen = _ids(book.all(limit=50))
    finally:
        stop.set()
        inserting.join()
    assert len(seen) == len(set(seen))
    known = {row.id for row in rows}
    assert [id_ for id_ in seen if id_ in known] == _sorted_ids(rows)


@pytest.mark.parametrize("cursor", ["x", "MjAyNi0wMS0wMQ==", "%00", "MjAyNi0wMS0wMS8xMjM=", "é"])
def test_a_cursor_of_somebody_elses_making_is_refused(book: BookApi, cursor: str) -> None:
    error = refusal(lambda: book.page(cursor=cursor))
    assert (error.status, error.code) == (HTTPStatus.BAD_REQUEST, "bad_request")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "000001999999"])
def test_a_page_size_out_of_range_is_refused(book: BookApi, limit: str) -> None:
    assert list(refusal(lambda: book.page(limit=limit)).fields) == ["limit"]


@pytest.mark.parametrize(
    "path", [paths.ENTRIES, paths.ENTRIES_SUMMARY, paths.EXPORT_CSV], ids=["page", "summary", "export"]
)
def test_a_wrong_filter_is_refused_everywhere(book: BookApi, path: str) -> None:
    answer = book.call("GET", path, params={"from": "yesterday", "crDr": "XX"})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    fields = [error["field"] for error in answer.json()["error"]["detail"]["fields"]]
    assert fields == ["from", "crDr"]


# --- filters ------------------------------------------------------------------------------------------


def test_each_filter_gives_what_plain_python_gives(server: RunningServer, book: BookApi) -> None:
    rows = _some_rows(300)
    _fill(server, book, rows)
    first, last = "2025-03-05", "2025-11-20"

    def matching(keep: Callable[[dict[str, str]], bool]) -> list[str]:
        return _sorted_ids([row for row in rows if keep(row.doc)])

    assert _ids(book.all(first=first)) == matching(lambda d: d["entryDate"] >= first)
    assert _ids(book.all(last=last)) == matching(lambda d: d["entryDate"] <= last)
    assert _ids(book.all(cr_dr="CR")) == matching(lambda d: d["crDr"] == "CR")
    assert _ids(book.all(category="किराया")) == matching(lambda d: d["category"] == "किराया")
    assert _ids(book.all(first=last, last=first)) == []
    both = book.all(first=first, last=last, cr_dr="DR", category="Rent", q="airport", limit=7)
    assert _ids(both) == matching(
        lambda d: (
            first <= d["entryDate"] <= last
            and (d["crDr"], d["category"]) == ("DR", "Rent")
            and "airport" in d["description"]
        )
    )


def test_entries_with_and_without_a_document_are_told_apart(book: BookApi) -> None:
    with_bill, without = book.add(a_document()), book.add()
    assert _ids(book.all(has_document=True)) == [with_bill.entry.id]
    assert _ids(book.all(has_document=False)) == [without.entry.id]
    assert book.all(has_document=True)[0].document_count == 1
    assert book.summary(has_document=True).count == 1


def test_voided_entries_are_listed_when_asked_for(server: RunningServer, book: BookApi) -> None:
    active, voided = entry_row("2026-04-01"), entry_row("2026-04-02", voided=True)
    _fill(server, book, [active, voided])
    assert _ids(book.all()) == [active.id]
    assert _ids(book.all(status="voided")) == [voided.id]
    assert _ids(book.all(status="all")) == [voided.id, active.id]
    assert _ids(book.all(status="all", q="paper")) == [voided.id, active.id]
    assert [book.summary(status=s).count for s in ("active", "voided", "all")] == [1, 1, 2]
    assert book.get(voided.id).entry.voided_at is not None


# --- search -------------------------------------------------------------------------------------------


@pytest.fixture
def searched(server: RunningServer, book: BookApi) -> Callable[[str], set[str]]:
    """Search a book of a few strange descriptions; gives the descriptions found."""
    descriptions = (
        *("Taxi to Airport", "Airport parking", "100% cotton", "1000 cotton", "snake_case", "snakeXcase"),
        *(r"back\slash", "backslash", "दुकान का किराया", "चाय", "x", "It's 'quoted'", "अ"),
    )
    _fill(server, book, [entry_row(description=d, amount="7.00", category="Misc") for d in descriptions])
    _fill(server, book, [entry_row(description="dear", amount="125000.50", category="Gold")])
    return lambda text: {entry.description for entry in book.all(q=text)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("airport", {"Taxi to Airport", "Airport parking"}),
        ("AIRPORT taxi", {"Taxi to Airport"}),
        ("parking taxi", set()),
        ("100%", {"100% cotton"}),
        ("0% c", {"100% cotton"}),
        ("%", {"100% cotton"}),
        ("_", {"snake_case"}),
        ("e_c", {"snake_case"}),
        ("\\", {"back\\slash"}),
        ("k\\s", {"back\\slash"}),
        ("'quoted'", {"It's 'quoted'"}),
        ("किराया", {"दुकान का किराया"}),
        ("चा", {"चाय"}),
        ("दुकान किराया", {"दुकान का किराया"}),
        ("अ", {"अ"}),
        ("x", {"x", "snakeXcase", "Taxi to Airport"}),
        ("ax", {"Taxi to Airport"}),
        ("125000.50", {"dear"}),
        ("₹1,25,000.50", {"dear"}),
        ("1,25,000", {"dear"}),
        ("gold 125000", {"dear"}),
        ("t01-000001 dear", {"dear"}),
        ("nowhere", set()),
    ],
)
def test_a_search_finds_each_word_anywhere_and_literally(
    searched: Callable[[str], set[str]], text: str, found: set[str]
) -> None:
    assert searched(text) == found


@pytest.fixture
def short_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a walk 50 rows long, so that a small book exercises every way of searching."""
    monkeypatch.setattr(search_room, "WALK", 50)
    monkeypatch.setattr(search_room, "MAX_WALKED", 200)


@pytest.mark.usefixtures("short_walks")
@pytest.mark.parametrize("limit", [3, 40, 200])
def test_a_search_far_down_the_book_finds_what_plain_python_finds(
    server: RunningServer, book: BookApi, limit: int
) -> None:
    rows = _some_rows(700)
    _fill(server, book, rows)
    for text in ("airport", "ta", "taxi to", "का", "e", "zz", "zzz", "rent"):
        found = book.all(q=text, limit=limit, status="all" if limit == 40 else "active")
        assert _ids(found) == _sorted_ids(
            [
                row
                for row in rows
                if all(w in f"{row.doc['description']} {row.doc['category']}".lower() for w in text.split())
            ]
        )


# --- totals -------------------------------------------------------------------------------------------


def _plain_summary(rows: list[JournalRow], keep: Callable[[dict[str, str]], bool]) -> shapes.Summary:
    docs = [row.doc for row in rows if keep(row.doc)]

    def totals(of: list[dict[str, str]]) -> tuple[int, Decimal, Decimal]:
        out = sum((Decimal(d["amount"]) for d in of if d["crDr"] == "DR"), Decimal("0.00"))
        into = sum((Decimal(d["amount"]) for d in of if d["crDr"] == "CR"), Decimal("0.00"))
        return len(of), out, into

    count, out, into = totals(docs)

    def grouped(key: Callable[[dict[str, str]], str]) -> list[tuple[str, int, str, str]]:
        names = sorted({key(d) for d in docs})
        found = [(name, totals([d for d in docs if key(d) == name])) for name in names]
        return [(name, n, f"{o:.2f}", f"{i:.2f}") for name, (n, o, i) in found]

    return shapes.Summary(
        count=count,
        money_out=f"{out:.2f}",
        money_in=f"{into:.2f}",
        net=f"{into - out:.2f}",
        by_category=[shapes.CategoryTotal(*group) for group in grouped(lambda d: d["category"])],
        by_month=[shapes.MonthTotal(*group) for group in grouped(lambda d: d["entryDate"][:7])],
    )


@pytest.fixture
def half_folded(start_server: Start, monkeypatch: pytest.MonkeyPatch) -> tuple[BookApi, list[JournalRow]]:
    """A book of which one half is folded into month totals, and the other is not."""
    monkeypatch.setattr("server.journal.rollup._PAUSE_SECONDS", 3_600.0)
    server = start_server()
    book = server.api().register()
    old, new = _some_rows(200), _some_rows(200, seed=2)
    _fill(server, book, old)
    server.run(fold_all(server.services.pool))
    _fill(server, book, new)
    return book, old + new


@settings(max_examples=examples(60), suppress_health_check=SHARED)
@given(
    st.one_of(st.none(), st.dates(date(2024, 12, 1), date(2026, 7, 1))),
    st.one_of(st.none(), st.dates(date(2024, 12, 1), date(2026, 7, 1))),
    st.sampled_from(["", "CR", "DR"]),
    st.sampled_from(["", *CATEGORIES, "None of them"]),
    st.sampled_from(["", "", "", "airport"]),
)
def test_a_summary_is_what_a_plain_group_by_gives(
    half_folded: tuple[BookApi, list[JournalRow]],
    first: date | None,
    last: date | None,
    cr_dr: str,
    category: str,
    text: str,
) -> None:
    book, rows = half_folded
    query = {"first": first or "", "last": last or "", "cr_dr": cr_dr, "category": category, "q": text}
    assert book.summary(**query) == _plain_summary(
        rows,
        lambda d: (
            (first is None or d["entryDate"] >= first.isoformat())
            and (last is None or d["entryDate"] <= last.isoformat())
            and d["crDr"] in (cr_dr or "CRDR")
            and d["category"] == (category or d["category"])
            and text in d["description"]
        ),
    )


def test_the_totals_of_an_empty_book_are_nought(book: BookApi) -> None:
    assert book.summary() == shapes.Summary(0, "0.00", "0.00", "0.00", [], [])


def test_changed_and_voided_entries_leave_the_totals(server: RunningServer, book: BookApi) -> None:
    id_, moved = new_id(), new_id()
    now = now_us()
    _fill(
        server,
        book,
        [
            entry_row("2026-01-10", "100.00", id_=id_, ver=now),
            entry_row("2026-01-10", "50.00", id_=moved, ver=now),
            entry_row("2026-01-10", "100.00", id_=id_, ver=now + 1, voided=True),
            entry_row("2026-02-10", "70.00", "CR", "Sales", id_=moved, ver=now + 1),
        ],
    )
    assert book.summary() == shapes.Summary(
        1,
        "0.00",
        "70.00",
        "70.00",
        [shapes.CategoryTotal("Sales", 1, "0.00", "70.00")],
        [shapes.MonthTotal("2026-02", 1, "0.00", "70.00")],
    )


# --- suggestions --------------------------------------------------------------------------------------


def test_categories_rank_by_use_and_then_by_the_last_use(server: RunningServer, book: BookApi) -> None:
    now = now_us()
    used = ["Rent", "Travel", "Travel", "Rent", "Rice", "Tea"]
    _fill(server, book, [entry_row(category=c, ver=now + n) for n, c in enumerate(used)])
    assert [(s.text, s.uses) for s in book.categories()] == [
        ("Rent", 2),
        ("Travel", 2),
        ("Tea", 1),
        ("Rice", 1),
    ]
    assert [s.text for s in book.categories("r")] == ["Rent", "Rice"]
    assert [s.text for s in book.categories("RI")] == ["Rice"]
    assert book.categories("ent") == []


def test_a_description_proposes_what_it_last_went_with(server: RunningServer, book: BookApi) -> None:
    now = now_us()
    _fill(
        server,
        book,
        [
            entry_row(description="Milk", category="Food", ver=now),
            entry_row(description="Milk", category="Food", ver=now + 1),
            entry_row(description="Milk", category="Sales", cr_dr="CR", ver=now + 2),
            entry_row(description="Mill", category="Work", ver=now + 3),
        ],
    )
    expected = [
        shapes.DescriptionSuggestion("Milk", 3, "Sales", "CR"),
        shapes.DescriptionSuggestion("Mill", 1, "Work", "DR"),
    ]
    assert book.descriptions("mil") == expected


def test_suggestions_are_the_same_before_and_after_folding(
    half_folded: tuple[BookApi, list[JournalRow]], start_server: Start
) -> None:
    book, _ = half_folded
    before = (book.categories(), book.descriptions(), book.descriptions("ta"), book.summary())
    server = start_server()
    server.run(fold_all(server.services.pool))
    assert (book.categories(), book.descriptions(), book.descriptions("ta"), book.summary()) == before


def test_a_prefix_is_taken_literally(server: RunningServer, book: BookApi) -> None:
    texts = ("100% off", "1000 off", "a_b", "axb", "back\\slash", "किराया")
    _fill(server, book, [entry_row(description=text) for text in texts])
    for prefix, found in {
        "100%": ["100% off"],
        "%": [],
        "_": [],
        "a_": ["a_b"],
        "back\\": ["back\\slash"],
        "कि": ["किराया"],
        "\x00a_\n": ["a_b"],
        "'": [],
    }.items():
        assert [s.text for s in book.descriptions(prefix)] == found


def test_texts_with_long_runs_of_digits_are_not_suggested(server: RunningServer, book: BookApi) -> None:
    texts = ("Invoice 12345", "Invoice 1234", "UPI/998877665544", "")
    _fill(server, book, [entry_row(description=text) for text in texts])
    assert [s.text for s in book.descriptions()] == ["Invoice 1234"]


def test_the_texts_of_voided_entries_are_not_suggested(server: RunningServer, book: BookApi) -> None:
    id_, now = new_id(), now_us()
    _fill(server, book, [entry_row(category="Slip", id_=id_, ver=now)])
    assert [s.text for s in book.categories()] == ["Slip"]
    _fill(server, book, [entry_row(category="Slip", id_=id_, ver=now + 1, voided=True)])
    assert book.categories() == []
    assert book.descriptions() == []


def test_at_most_twenty_are_suggested(server: RunningServer, book: BookApi) -> None:
    _fill(server, book, [entry_row(category=f"Category {n}") for n in range(30)])
    assert len(book.categories()) == 20
    assert book.categories("x" * 5_000) == []


def test_the_count_of_documents_follows_the_documents(server: RunningServer, book: BookApi) -> None:
    row = entry_row()
    _fill(server, book, [document_row(row.id), row, document_row(row.id)])
    assert book.page().entries[0].document_count == 2
    assert book.get(row.id).entry.document_count == 2
