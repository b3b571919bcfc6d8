"""Texts of one search key are one, over HTTP: search, suggestions, totals, the filter and the CSV."""

import asyncio
import csv
import io
import threading
import unicodedata
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.contract import shapes
from server.contract.search_key import search_key, search_words
from server.entries import search as search_room
from server.entries.spellings import apart_if_many, category_key
from server.journal.rollup import fold_all
from tests.support.api import BookApi, an_entry, new_id, now_us
from tests.support.examples import examples
from tests.support.journal import JournalRow, entry_row, write_journal
from tests.support.servers import RunningServer

Start = Callable[..., RunningServer]
CAFE = ("Café", "CAFÉ", "cafe\u0301", "cafe")
KALAM = ("क\u093cलम", "\u0958लम")  # a letter and a sign, or one code point
NUMBERS = ("१२३ रुपये", "１２３ yen", "no. 123")


def _fill(server: RunningServer, book: BookApi, rows: list[JournalRow]) -> None:
    write_journal(server.config.database_url, book.book_id, rows)


@pytest.fixture(params=["folded", "not folded"])
def filled(
    request: pytest.FixtureRequest, start_server: Start, monkeypatch: pytest.MonkeyPatch
) -> Callable[[list[JournalRow]], BookApi]:
    """Make a book of these rows, before or after their totals were folded."""
    monkeypatch.setattr("server.journal.rollup._PAUSE_SECONDS", 3_600.0)
    server = start_server()
    book = server.api().register()

    def fill(rows: list[JournalRow]) -> BookApi:
        _fill(server, book, rows)
        if request.param == "folded":
            server.run(fold_all(server.services.pool))
        return book

    return fill


# --- as typed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["cafe\u0301", "\u0958लम", "\u200ebill\u200b", "１２３ ﬁle", "\ufeffa  b", "ZWJ क्\u200dष"]
)
def test_a_text_is_stored_as_it_was_sent_whatever_its_form(book: BookApi, text: str) -> None:
    saved = book.create(an_entry(category=text, description=text))
    listed = book.get(saved.entry.id).entry
    assert (listed.category, listed.description) == (text, text)
    assert [(entry.category, entry.description) for entry in book.all(q=text)] == [(text, text)]


# --- search -------------------------------------------------------------------------------------------


FOUND: list[tuple[str, set[str]]] = [
    *((spelling, {*CAFE, "Cafés"}) for spelling in (*CAFE, "ＣＡＦＥ", "ca\u200bfe")),
    *((spelling, set(KALAM)) for spelling in (*KALAM, "क\u093c")),
    ("123", set(NUMBERS)),
    ("१२३", set(NUMBERS)),
    ("किराया", {"किराया"}),
    ("किरायी", set()),
    ("straße", {"STRASSE"}),
    ("no.\r\n123", {"no. 123"}),
    ("१,२५०.००", {"a great sum"}),
    ("\u200e1,250.00", {"a great sum"}),
]


def test_a_search_finds_what_has_its_key(book: BookApi) -> None:
    descriptions = (*CAFE, "Cafés", *KALAM, *NUMBERS, "किराया", "STRASSE")
    for description in descriptions:
        book.add(description=description, amount="7.00", category="Misc", human_code="T01-000009")
    book.add(description="a great sum", amount="1250.00", category="Misc")
    for text, found in FOUND:
        assert {entry.description for entry in book.all(q=text)} == found


WORDS = st.sampled_from(
    [
        *(
            "cafe",
            "CAFÉ",
            "fe",
            "क़",
            "\u0958",
            "लम",
            "का",
            "12",
            "१२",
            "１",
            "0.0",
            "m7a",
            "7a-",
            "-0",
            "ß",
            "ss",
            "a-b",
        ),
        *("S", "ς", "m7a-000001", "taxi", "7", "zzz", ".", "₹1,250", "\u0301e", "कि\u200dत"),
    ]
)
TEXTS = st.lists(
    st.sampled_from(
        [*CAFE, *KALAM, "किताब", "१२३", "１２", "Straße", "ΟΔΟΣ", "taxi", "a-b", "x\u00a0y", "M7A", ""]
    ),
    max_size=4,
).map(lambda parts: " ".join(parts).strip())


@settings(
    max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=5, max_size=20), st.lists(WORDS, min_size=1, max_size=6))
def test_a_search_gives_what_a_filter_by_the_key_gives(
    server: RunningServer, texts: list[tuple[str, str]], words: list[str]
) -> None:
    book = server.api().register()
    rows = [
        entry_row(description=description, category=category or "x", code=f"M7A-{number:06}")
        for number, (description, category) in enumerate(texts)
    ]
    _fill(server, book, rows)
    text = " ".join(words)
    expected = {row.id for row in rows if _matches(row.doc, text)}
    assert {entry.id for entry in book.all(q=text)} == expected
    with pytest.MonkeyPatch.context() as patch:  # so that the index is used after five rows
        patch.setattr(search_room, "WALK", 5)
        patch.setattr(search_room, "MAX_WALKED", 10)
        assert {entry.id for entry in book.all(q=text)} == expected
    assert book.summary(q=text).count == len(expected)


def _matches(doc: dict[str, str], text: str) -> bool:
    key = search_key(f"{doc['description']} {doc['category']} {doc['humanCode']} {doc['amount']}")
    return all(word in key for word in search_words(text))


# --- categories ---------------------------------------------------------------------------------------


def _rows_of(spellings: tuple[str, ...], **values: str) -> list[JournalRow]:
    now = now_us()
    return [entry_row(category=spelling, ver=now + n, **values) for n, spelling in enumerate(spellings)]


@pytest.mark.parametrize(
    ("spellings", "shown"),
    [
        (("cafe", "Café", "Café", "CAFÉ"), "Café"),  # the most used
        (("Café", "cafe\u0301", "CAFÉ"), "CAFÉ"),  # then the newest
        (("क़लम", "\u0958लम", "\u0958लम"), "\u0958लम"),
        (("किराया", "\u200bकिराया"), "\u200bकिराया"),
    ],
)
def test_categories_of_one_key_are_one(
    filled: Callable[[list[JournalRow]], BookApi], spellings: tuple[str, ...], shown: str
) -> None:
    count = len(spellings)
    book = filled([*_rows_of(spellings, day="2026-04-10"), entry_row(category="Rent", amount="7.00")])
    total = shapes.CategoryTotal(shown, count, f"{1250 * count}.00", "0.00")
    rent = shapes.CategoryTotal("Rent", 1, "7.00", "0.00")
    assert book.summary().by_category == sorted([total, rent], key=lambda each: each.category)
    for spelling in (*spellings, unicodedata.normalize("NFC", spellings[0]).upper()):
        by_key = book.summary(category=spelling)
        assert (by_key.count, by_key.by_category) == (count, [total])
        # An odd range, a text, and the listing and the export of a category go other ways.
        assert book.summary(category=spelling, first="2026-04-02").by_category == [total]
        assert book.summary(category=spelling, q="paper").by_category == [total]
        assert sorted(entry.category for entry in book.all(category=spelling)) == sorted(spellings)
        assert _exported(book, category=spelling) == [shown] * count
    assert sorted(_exported(book)) == sorted([shown] * count + ["Rent"])
    assert [(s.text, s.uses) for s in book.categories(shown[:2])] == [(shown, count)]
    assert [(s.text, s.category) for s in book.descriptions("pap")] == [("Paper and pens", "Rent")]


def _exported(book: BookApi, **query: str) -> list[str]:
    text = book.export(**query).decode("utf-8-sig")
    return [row["Category"] for row in csv.DictReader(io.StringIO(text, newline=""))]


def test_a_category_that_the_book_does_not_have_gives_nothing(book: BookApi) -> None:
    book.add(category="Rent")
    assert book.all(category="Nowhere") == []
    assert book.all(category="Nowhere", q="paper", status="all") == []
    assert book.summary(category="Nowhere") == shapes.Summary(0, "0.00", "0.00", "0.00", [], [])
    assert _exported(book, category="Nowhere") == []


def test_the_spelling_of_the_whole_book_is_shown_also_where_another_was_used(
    filled: Callable[[list[JournalRow]], BookApi],
) -> None:
    book = filled([*_rows_of(("Café", "Café"), day="2026-04-10"), *_rows_of(("CAFE",), day="2026-05-10")])
    assert [total.category for total in book.summary(first="2026-05-01").by_category] == ["Café"]
    assert _exported(book, first="2026-05-01") == ["Café"]
    assert [entry.category for entry in book.all(first="2026-05-01")] == ["CAFE"]


def test_voided_entries_are_found_by_a_category_that_is_nowhere_else(
    filled: Callable[[list[JournalRow]], BookApi],
) -> None:
    book = filled([entry_row(category="Café", voided=True), entry_row(category="CAFE")])
    assert len(book.all(category="café", status="all")) == 2
    assert [entry.category for entry in book.all(category="cafe", status="voided")] == ["Café"]
    assert book.summary(category="cafe", status="all").by_category == [
        shapes.CategoryTotal("CAFE", 2, "1250.00", "0.00")
    ]
    assert _exported(book, status="all") == ["CAFE", "CAFE"]


def test_categories_with_long_runs_of_digits_are_one_too(
    filled: Callable[[list[JournalRow]], BookApi],
) -> None:
    book = filled(_rows_of(("Loan 12345", "LOAN 12345", "LOAN 12345", "loan १२३४५")))
    assert [(t.category, t.count) for t in book.summary().by_category] == [("LOAN 12345", 4)]
    assert _exported(book) == ["LOAN 12345"] * 4
    assert book.categories("loan") == []


def test_the_history_says_what_was_typed(book: BookApi) -> None:
    book.add(category="Café")
    book.add(category="Café")
    saved = book.add(category="CAFE")
    history = book.send("GET", f"/v1/entries/{saved.entry.id}/history", shapes.EntryHistory)
    assert [version.entry.category for version in history.versions] == ["CAFE"]


# --- suggestions --------------------------------------------------------------------------------------


def test_a_description_is_suggested_once_in_its_most_used_spelling(
    filled: Callable[[list[JournalRow]], BookApi],
) -> None:
    now = now_us()
    spellings = ("Café bill", "cafe\u0301 bill", "CAFÉ BILL", "CAFÉ BILL", "Cafeteria")
    book = filled(
        [
            *(entry_row(description=d, category="Food", ver=now + n) for n, d in enumerate(spellings)),
            entry_row(description="Café bill", category="FOOD", cr_dr="CR", ver=now + 9),
        ]
    )
    assert book.descriptions("CAFE") == [
        shapes.DescriptionSuggestion("Café bill", 5, "Food", "CR"),
        shapes.DescriptionSuggestion("Cafeteria", 1, "Food", "DR"),
    ]


def test_hindi_is_suggested_in_both_forms(filled: Callable[[list[JournalRow]], BookApi]) -> None:
    book = filled([entry_row(description=text, category=text) for text in (*KALAM, "कलम")])
    for prefix in ("क़", "\u0958", "क़ल", "\u0958ल"):
        assert [s.uses for s in book.categories(prefix)] == [2]
        assert [s.uses for s in book.descriptions(prefix)] == [2]
        assert search_key(book.categories(prefix)[0].text) == search_key(KALAM[0])


def test_changes_of_spelling_move_the_totals_exactly(
    filled: Callable[[list[JournalRow]], BookApi],
) -> None:
    id_, now = new_id(), now_us()
    book = filled(
        [
            entry_row(category="Café", amount="10.00", id_=id_, ver=now),
            entry_row(category="CAFE", amount="20.00", id_=id_, ver=now + 1),
            entry_row(category="cafe", amount="1.00", ver=now - 5),
        ]
    )
    (total,) = book.summary().by_category
    assert (total.category, total.count, Decimal(total.money_out)) == ("CAFE", 2, Decimal(21))


# --- many spellings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "apart"), [(1, False), (200, False), (201, True), (5_000, True)])
def test_the_keys_of_many_spellings_do_not_hold_up_the_event_loop(count: int, apart: bool) -> None:
    async def thread() -> int:
        return await apart_if_many(count, threading.get_ident)

    assert (asyncio.run(thread()) != threading.get_ident()) is apart


def test_the_keys_of_categories_that_are_kept_are_bounded() -> None:
    for number in range(5_000):
        assert category_key(f"CAFÉ {number}") == f"cafe {number}"
    assert category_key.cache_info().currsize <= 4_096


def test_the_totals_of_many_categories_are_those_of_few(
    filled: Callable[[list[JournalRow]], BookApi],
) -> None:
    names = [f"Category \ufdfa{number}" for number in range(250)]
    book = filled([entry_row(category=name, amount="2.00") for name in [*names, *map(str.upper, names)]])
    for query in ({}, {"hasDocument": "false"}):
        totals = book.summary(**query).by_category
        assert (len(totals), {each.money_out for each in totals}) == (250, {"4.00"})
    assert book.summary(category=names[7].upper()).count == 2
    assert len(book.all(category=names[7])) == 2
