"""The accountant's CSV, over HTTP."""

import contextlib
import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from http import HTTPStatus

import pytest

from server.contract import paths
from server.db.pool import make_blocking_pool
from server.entries.export import CsvExport
from tests.support.api import BookApi, a_document, a_name, new_id, now_us, refusal
from tests.support.journal import document_row, entry_row, write_journal
from tests.support.postgres import rows
from tests.support.servers import RunningServer
from tests.support.waiting import wait_until

BOM = b"\xef\xbb\xbf"
HEADINGS = (  # the order of the product's document
    "Code,Date,Money Out,Money In,Net,CR/DR,Currency,Category,Description,Document Count,Document Files,"
    "Status,Entered By,Created UTC,Modified UTC,Revision"
)


def _table(file: bytes) -> list[dict[str, str]]:
    text = file.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_file_has_a_bom_and_headings_and_crlf_even_when_it_is_empty(book: BookApi) -> None:
    assert book.export() == BOM + HEADINGS.encode() + b"\r\n"


def test_a_row_holds_the_entry_plainly(server: RunningServer) -> None:
    name = a_name()
    book = server.api().register(name)
    bill, other = a_document(), a_document(b"%PDF-1.7 x", media_type="application/pdf")
    saved = book.add(
        *(bill, other),
        amount="1234567.5",
        entry_date="2026-04-09",
        category="Rent",
        description='He said "go, then"',
        human_code="0K7-000042",
    )
    file = book.export()
    (row,) = _table(file)
    assert b',"He said ""go, then""",' in file
    assert file.count(b"\r\n") == file.count(b"\n") == 2
    assert list(row) == HEADINGS.split(",")
    made = saved.entry.created_at[:19] + "Z"
    assert list(row.values()) == [
        *("0K7-000042", "2026-04-09", "1234567.50", "", "-1234567.50", "DR", "INR", "Rent"),
        *('He said "go, then"', "2"),
        f"Documents/2026-04/{bill.doc_code}.png;Documents/2026-04/{other.doc_code}.pdf",
        *("active", name, made, made, "1"),
    ]


def test_money_in_is_positive_and_stands_in_its_own_column(book: BookApi) -> None:
    book.add(amount="9999999999999999.99", cr_dr="CR")
    (row,) = _table(book.export())
    assert (row["Money Out"], row["Money In"], row["Net"]) == ("", *["9999999999999999.99"] * 2)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "-", "=दो"])
def test_a_text_that_a_spreadsheet_would_run_is_guarded(server: RunningServer, text: str) -> None:
    name = f"={a_name()}"
    book = server.api().register(name)
    book.add(category=text, description=text)
    (row,) = _table(book.export())
    assert row["Category"] == row["Description"] == f"'{text}"
    assert row["Entered By"] == f"'{name}"
    assert row["Net"] == "-1250.00"


@pytest.mark.parametrize("text", ["\t=1", "\r=1", "\n=1", "a\nb", "a\r\nb"])
def test_control_characters_that_came_from_elsewhere_break_no_row(
    server: RunningServer, book: BookApi, text: str
) -> None:
    write_journal(server.config.database_url, book.book_id, [entry_row(description=text)])
    file = book.export()
    (row,) = _table(file)
    assert file.count(b"\n") == file.count(b"\r\n") == 2
    assert row["Description"][0] in "'a "
    assert "\n" not in row["Description"]


def test_a_text_that_is_harmless_stays_as_it_is(book: BookApi) -> None:
    texts = ["किराया, “दुकान” 🏪", "a=b", "'quoted", "x; y", "\\.", "100%"]
    for n, text in enumerate(texts):
        book.add(description=text, entry_date=f"2026-01-0{n + 1}")
    assert [row["Description"] for row in _table(book.export())] == texts


def test_rows_ascend_by_date_and_then_by_id(server: RunningServer, book: BookApi) -> None:
    first = date(2025, 1, 1)
    entries = [entry_row(first + timedelta(days=n * 7 % 31), code=f"T01-{n:06}") for n in range(500)]
    write_journal(server.config.database_url, book.book_id, entries)
    expected = sorted(entries, key=lambda r: (r.doc["entryDate"], r.id))
    assert [row["Code"] for row in _table(book.export())] == [r.doc["humanCode"] for r in expected]


def test_the_whole_filter_is_exported_and_nothing_else(server: RunningServer, book: BookApi) -> None:
    entries = [
        entry_row("2026-01-01", category="Rent", description="Office", code="T01-000001"),
        entry_row("2026-02-01", category="Rent", description="100% office", code="T01-000002"),
        entry_row("2026-03-01", category="Travel", description="Office taxi", code="T01-000003"),
        entry_row("2026-04-01", category="Rent", cr_dr="CR", description="Office", code="T01-000004"),
        entry_row("2026-05-01", category="Rent", description="Office", code="T01-000005", voided=True),
    ]
    write_journal(server.config.database_url, book.book_id, [*entries, document_row(entries[0].id)])

    def codes(**query: object) -> str:
        return "".join(row["Code"][-1] for row in _table(book.export(**query)))

    assert codes() == "1234"
    assert codes(first="2026-02-01", last="2026-03-01") == "23"
    assert codes(category="Rent") == "124"
    assert codes(cr_dr="CR") == "4"
    assert codes(q="office taxi") == "3"
    assert codes(q="0% o") == "2"
    assert codes(has_document=True) == "1"
    assert codes(status="voided") == "5"
    assert codes(status="all") == "12345"
    assert [row["Status"] for row in _table(book.export(status="voided"))] == ["voided"]


def test_an_injected_filter_stays_a_text(book: BookApi) -> None:
    book.add()
    for text in ("'; drop table journal; --", "%(book_id)s", "\\'", "{match}", "$1"):
        assert _table(book.export(q=text, category=text)) == []
    assert len(_table(book.export())) == 1


def test_the_revision_counts_the_versions_of_an_entry(server: RunningServer, book: BookApi) -> None:
    id_, now = new_id(), now_us()
    versions = [entry_row(id_=id_, ver=now + n, amount=f"{n + 1}.00") for n in range(3)]
    for version in versions:
        version.doc["createdVer"] = now
    write_journal(server.config.database_url, book.book_id, versions)
    (row,) = _table(book.export())
    assert (row["Revision"], row["Money Out"]) == ("3", "3.00")


def test_the_answer_is_a_streamed_download(server: RunningServer, book: BookApi) -> None:
    _fill(server, book, 3_000)
    answer = book.call("GET", paths.EXPORT_CSV, stream=True)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Transactions.csv"'
    assert "Content-Length" not in answer.headers
    assert sum(1 for _ in answer.iter_lines()) == 3_001


def test_an_export_without_a_session_is_refused_before_it_begins(server: RunningServer) -> None:
    answer = server.api().call("GET", paths.EXPORT_CSV)
    assert answer.status_code == HTTPStatus.UNAUTHORIZED


def test_an_export_that_the_database_refuses_fails_before_it_begins(
    server: RunningServer, book: BookApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.closing(make_blocking_pool("postgresql://127.0.0.1:1/x", 1)) as nowhere:
        monkeypatch.setattr(server.services, "exports", CsvExport(nowhere))
        error = refusal(book.export)
    assert (error.status, error.code) == (HTTPStatus.SERVICE_UNAVAILABLE, "database_unavailable")


def _fill(server: RunningServer, book: BookApi, count: int) -> None:
    many = (entry_row(description="x" * 400, code=f"T01-{n:06}") for n in range(count))
    write_journal(server.config.database_url, book.book_id, many)


def _running(server: RunningServer) -> list[object]:
    query = """select query from pg_stat_activity where datname = current_database()
        and query ilike 'copy (%%' and state <> 'idle'"""
    return list(rows(server.config.database_url, query.replace("%%", "%")))


@contextlib.contextmanager
def _half_read(book: BookApi) -> Iterator[None]:
    with book.call("GET", paths.EXPORT_CSV, stream=True) as answer:
        pieces = answer.iter_content(1_000)  # kept: the connection ends with it
        next(pieces)
        yield


def test_a_client_that_goes_away_leaves_no_running_query(
    server: RunningServer, book: BookApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More rows than every buffer on the way can hold, and none of them has to be written first.
    endless = "copy (select repeat('x', 1000) from generate_series(1, 10000000)) to stdout"
    monkeypatch.setattr("server.entries.store.export_statement", lambda *_: endless)
    with _half_read(book):
        wait_until(lambda: _running(server))
    wait_until(lambda: not _running(server))
    monkeypatch.undo()
    assert book.export() == BOM + HEADINGS.encode() + b"\r\n"
