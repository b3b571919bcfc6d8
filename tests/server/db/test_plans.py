"""Every statement of a call uses the index that was made for it, in a book of 100,000 among others."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from server.auth.store import SQL as AUTH
from server.contract.shapes import Status
from server.documents.service import SQL as DOCUMENTS
from server.entries import search, store
from server.entries.search import Filter
from server.journal.append import SQL as JOURNAL
from tests.support.postgres import Cluster
from tests.support.seed import seed_book, vacuum

BOOK: Final = UUID(int=1)
USER: Final = UUID(int=2)
COUNT: Final = 100_000
MONTH: Final = Filter(first=date(2022, 3, 1), last=date(2022, 3, 31))
TAXI: Final = Filter(words=("taxi",))

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Plan:
    """How a statement was run: (node, index or table, rows that it gave, loops) of each scan, in order."""

    scans: tuple[tuple[str, str, float, float], ...]
    sorts: int
    rows: float

    @property
    def names(self) -> set[str]:
        """The indexes that were used, and the tables that were read whole."""
        return {name for _, name, _, _ in self.scans}

    @property
    def whole_tables(self) -> set[str]:
        """The tables that were read row by row."""
        return {name for node, name, _, _ in self.scans if node in ("Seq Scan", "Parallel Seq Scan")}

    def rows_of(self, name: str) -> float:
        """Return how many rows a scan gave in all."""
        return sum(rows * loops for _, other, rows, loops in self.scans if other == name)


@dataclass(frozen=True, slots=True)
class Desk:
    """The database, and an entry of the middle of the book with its version."""

    connection: psycopg.Connection[tuple[Any, ...]]
    entry_id: UUID
    op_id: UUID
    ver: int

    def plan(self, statement: LiteralString, values: dict[str, object]) -> Plan:
        """Run `statement` under EXPLAIN, and take back what it did."""
        explain: LiteralString = f"explain (analyze, format json) {statement}"
        with self.connection.transaction(force_rollback=True):
            row = self.connection.execute(explain, values, prepare=False).fetchone()
        assert row is not None
        root = row[0][0]["Plan"]
        nodes = list(_nodes(root))
        scans = [
            (n["Node Type"], n.get("Index Name") or n["Relation Name"], n["Actual Rows"], n["Actual Loops"])
            for n in nodes
            if n["Node Type"] != "Bitmap Heap Scan" and ("Index Name" in n or "Relation Name" in n)
        ]
        sorts = sum(n["Node Type"] == "Sort" and n["Actual Rows"] > 1000 for n in nodes)
        return Plan(tuple(s for s in scans if s[3]), sorts, root["Actual Rows"])


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


@pytest.fixture(scope="module")
def desk(cluster: Cluster) -> Iterator[Desk]:
    """100,000 entries of one book, a few of them voided, beside two smaller books."""
    with cluster.database() as url:
        seed_book(url, BOOK, USER, COUNT)
        for other in (3, 4):
            seed_book(url, UUID(int=other), USER, 15_000)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_VOID)
            vacuum(connection)
            middle = (
                "select id, op_id, ver from public.accounting_entry where human_code = %s and book_id = %s"
            )
            found = connection.execute(middle, ("0S0-050000", BOOK)).fetchone()
            assert found is not None
            yield Desk(connection, *found)


_VOID: Final = """
insert into public.journal (book_id, op_id, kind, id, ver, doc, author, device, region)
select book_id, md5(op_id::text)::uuid, kind, id, ver + 5,
    (doc::jsonb || jsonb_build_object('voidedVer', ver + 5, 'basedOn', ver))::text, author, device, region
from public.journal where kind = 'entry' and abs(hashtext(id::text)) % 100 = 7
"""


def _listing(
    name: str, filter_: Filter, after: store.Key = search.NO_CURSOR, match: LiteralString = ""
) -> Any:
    values = {**store._values(BOOK, filter_, after, 51), "walk": search.WALK}
    return store._fill(name, filter_, match or search.rest_match(filter_)), values


# --- the listing ----------------------------------------------------------------------------------


def test_a_page_reads_its_own_rows_of_the_list_index_and_no_more(desk: Desk) -> None:
    for after in (search.NO_CURSOR, (date(2022, 6, 30), UUID(int=0))):
        plan = desk.plan(*_listing("page", Filter(), after))
        assert plan.names == {"accounting_entry_list", "accounting_document_of_entry"}
        assert plan.rows_of("accounting_entry_list") == 51


def test_a_page_of_an_old_month_does_not_walk_what_is_newer(desk: Desk) -> None:
    statement, values = _listing("page", MONTH)
    with desk.connection.transaction(force_rollback=True):
        row = desk.connection.execute(
            f"explain (analyze, buffers, format json) {statement}", values
        ).fetchone()
    assert row is not None
    blocks = row[0][0]["Plan"]["Shared Hit Blocks"] + row[0][0]["Plan"]["Shared Read Blocks"]
    assert blocks < 250  # the rows and their bills; what is newer would be some 900 more


@pytest.mark.parametrize(
    ("status", "indexes"),
    [
        ("voided", {"accounting_entry_voided"}),
        ("all", {"accounting_entry_voided", "accounting_entry_list"}),
    ],
)
def test_a_page_with_voided_entries_reads_only_what_it_shows(
    desk: Desk, status: Status, indexes: set[str]
) -> None:
    plan = desk.plan(*_listing("page", Filter(status=status)))
    assert plan.names == indexes | {"accounting_document_of_entry"}
    assert sum(plan.rows_of(index) for index in indexes) <= 102


@pytest.mark.parametrize("category", ["Rent", "A category that nobody uses"])
def test_a_page_of_a_category_passes_over_the_others_in_the_index(desk: Desk, category: str) -> None:
    plan = desk.plan(*_listing("page_of_keys", Filter(category=category)))
    assert ("Index Only Scan", "accounting_entry_list") in {(node, name) for node, name, _, _ in plan.scans}
    assert plan.whole_tables == set()


# --- searching ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["active", "all"])
def test_a_walk_reads_the_newest_rows_only(desk: Desk, status: Status) -> None:
    filter_ = Filter(words=("taxi",), status=status)
    plan = desk.plan(*_listing("walk", filter_, match=search.words_match_in_walk(filter_)))
    assert plan.whole_tables == set()
    assert plan.rows_of("accounting_entry_list") <= search.WALK
    assert "accounting_entry_key" not in plan.names


@pytest.mark.parametrize("words", [("taxi",), ("taxi", "andheri"), ("zzzz",), ("भुगतान",), ("0s0-0500",)])
def test_a_search_of_the_whole_book_goes_through_the_trigram_index(
    desk: Desk, words: tuple[str, ...]
) -> None:
    plan = desk.plan(*_listing("find", Filter(words=words)))
    assert "accounting_entry_key" in plan.names
    assert plan.whole_tables == set()


def test_a_search_of_voided_entries_too_adds_their_own_index(desk: Desk) -> None:
    plan = desk.plan(*_listing("find", Filter(words=("taxi",), status="all")))
    assert {"accounting_entry_key", "accounting_entry_voided"} <= plan.names
    assert plan.whole_tables == set()


# --- one entry ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "indexes"),
    [
        ("entry", {"accounting_entry_pkey", "accounting_document_of_entry"}),
        ("documents", {"accounting_document_of_entry"}),
        ("current_version", {"accounting_entry_pkey"}),
        ("version_doc", {"journal_record"}),
        ("versions", {"journal_record"}),
        ("document_versions", {"accounting_document_of_entry", "journal_record"}),
    ],
)
def test_what_is_asked_of_one_entry_is_found_by_its_key(desk: Desk, name: str, indexes: set[str]) -> None:
    plan = desk.plan(store.SQL[name], {"book_id": BOOK, "id": desk.entry_id, "ver": desk.ver})
    assert {n for n in plan.names if n.startswith(("accounting", "journal"))} == indexes
    assert plan.rows <= 2


def test_one_bill_is_found_by_its_key(desk: Desk) -> None:
    plan = desk.plan(DOCUMENTS["document"], {"book_id": BOOK, "id": uuid4()})
    assert plan.names == {"accounting_document_pkey"}


# --- totals and suggestions -----------------------------------------------------------------------


def test_totals_of_a_range_read_month_totals_and_the_edges_in_the_index_alone(desk: Desk) -> None:
    filter_ = Filter(first=date(2022, 3, 10), last=date(2024, 9, 20))
    values = {**search.parameters(BOOK, filter_), **store._month_values(filter_)}
    plan = desk.plan(store.SQL["summary_of_months"], values)
    assert {"entry_month_pkey", "accounting_entry_list"} <= plan.names
    assert "accounting_entry" not in plan.names
    assert plan.rows_of("accounting_entry_list") < 4_000


def test_totals_of_words_and_of_voided_entries_go_through_their_indexes(desk: Desk) -> None:
    words = desk.plan(*_listing("summary_of_matches", TAXI, match=search.words_match(TAXI)))
    assert {n for n in words.names if n.startswith("accounting")} == {"accounting_entry_key"}
    voided = desk.plan(*_listing("summary_of_matches", Filter(status="voided")))
    assert {n for n in voided.names if n.startswith("accounting")} == {"accounting_entry_voided"}


@pytest.mark.parametrize("prefix", ["", "t", "received from", "भु", "zz"])
@pytest.mark.parametrize("name", ["suggest_categories", "suggest_descriptions"])
def test_suggestions_read_a_bounded_number_of_rows(desk: Desk, name: str, prefix: str) -> None:
    plan = desk.plan(store.SQL[name], {"book_id": BOOK, "pattern": f"{prefix}%", "limit": 20})
    assert plan.whole_tables <= {"entry_delta"}
    assert plan.rows_of("suggestion_rank") <= 1_000
    assert plan.rows_of("suggestion_pkey") < 15_000


def test_the_export_of_a_quarter_walks_the_list_index(desk: Desk) -> None:
    filter_ = Filter(first=date(2022, 4, 1), last=date(2022, 6, 30))
    copy = store.export_statement(filter_, {})
    _, _, inner = copy.partition("(")
    inner, _, _ = inner.rpartition(") to stdout")
    plan = desk.plan(inner, search.parameters(BOOK, filter_))
    assert "accounting_entry_list" in plan.names
    assert plan.whole_tables <= {"app_user", "accounting_document"}
    assert plan.rows_of("journal_record") < 1_000  # only those that changed are asked for their versions


# --- writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("creates", [True, False])
def test_appending_looks_records_up_by_key_and_never_scans_the_journal(desk: Desk, creates: bool) -> None:
    plan = desk.plan(JOURNAL["append"], _operation(desk.entry_id, creates=creates, ver=desk.ver + 1_000))
    assert plan.whole_tables == set()
    assert {n for n in plan.names if n.startswith("journal_")} <= {"journal_pkey", "journal_record"}
    assert plan.rows_of("journal_record") <= 5
    assert plan.rows == 1


def test_appending_twenty_records_at_once_still_looks_each_up(desk: Desk) -> None:
    values = _operation(*(uuid4() for _ in range(20)), creates=True, ver=desk.ver)
    plan = desk.plan(JOURNAL["append"], values)
    assert plan.whole_tables == set()
    assert plan.rows == 20


def test_an_operation_that_comes_again_is_found_by_its_key(desk: Desk) -> None:
    values = _operation(desk.entry_id, creates=True, ver=desk.ver)
    plan = desk.plan(JOURNAL["append"], {**values, "op_id": desk.op_id})
    assert "journal_pkey" in plan.names
    assert plan.whole_tables == set()


def test_whether_operations_have_arrived_is_a_look_at_the_key_of_each(desk: Desk) -> None:
    op_ids = [desk.op_id, *(uuid4() for _ in range(199))]
    plan = desk.plan(JOURNAL["find_operations"], {"book_id": BOOK, "op_ids": op_ids})
    assert plan.names == {"journal_pkey"}
    assert plan.whole_tables == set()
    assert plan.rows == 1


def test_what_a_device_did_lately_is_in_a_few_pages_at_the_end_of_the_journal(desk: Desk) -> None:
    values = {"book_id": BOOK, "device": uuid4(), "seconds": 0, "limit": 1_001}
    plan = desk.plan(JOURNAL["recent_of_device"], values)
    assert plan.names == {"journal_at"}


def _operation(*ids: UUID, creates: bool, ver: int) -> dict[str, object]:
    doc = (
        '{"amount":"1.00","category":"Rent","createdVer":1,"crDr":"CR","currency":"INR","description":"d",'
        '"entryDate":"2024-01-01","humanCode":"0S0-000001"}'
    )
    same: dict[str, object] = {
        "book_id": BOOK,
        "op_id": uuid4(),
        "author": USER,
        "device": USER,
        "region": "x",
    }
    count = len(ids)
    lists = {
        "creates": [creates] * count,
        "kinds": ["entry"] * count,
        "ids": list(ids),
        "docs": [doc] * count,
    }
    return {**same, **lists, "ver": ver}


@pytest.mark.parametrize("prefix", ["0S0", "0ZZ"])
def test_the_last_code_of_a_device_is_one_look_at_an_index(desk: Desk, prefix: str) -> None:
    plan = desk.plan(AUTH["last_code"], {"book_id": BOOK, "prefix": prefix})
    assert plan.names == {"accounting_entry_code"}
    assert plan.rows_of("accounting_entry_code") <= 1


def test_the_last_code_is_the_highest_number_even_past_a_million(desk: Desk) -> None:
    with desk.connection.transaction(force_rollback=True):
        for code in ("0ZZ-999999", "0ZZ-1000000", "0ZZ-000007", "0ZX-2000000"):
            desk.connection.execute(_CODED, (BOOK, uuid4(), code))
        row = desk.connection.execute(AUTH["last_code"], {"book_id": BOOK, "prefix": "0ZZ"}).fetchone()
    assert row == (1_000_000,)


_CODED: Final = """
insert into public.accounting_entry (
    book_id, id, entry_date, amount, cr_dr, currency, category, description, human_code, created_at,
    updated_at, ver, op_id, author
) values (%s, %s, '2024-01-01', 1, 'CR', 'INR', '', '', %s, now(), now(), 1,
    gen_random_uuid(), gen_random_uuid())
"""
