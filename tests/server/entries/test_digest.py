"""The digest of a book: equal for equal books, and different as soon as one byte of one version is."""

from dataclasses import replace
from typing import Final
from uuid import uuid4

import psycopg
import pytest

from server.contract import paths, shapes
from tests.support.api import BookApi, a_document, an_entry, now_us
from tests.support.journal import JournalRow, document_row, entry_row, write_journal
from tests.support.servers import RunningServer

NOTHING: Final = shapes.BookDigest(0, 0, 0, "0" * 32)


def digest(book: BookApi) -> shapes.BookDigest:
    return book.send("GET", paths.BOOK_DIGEST, shapes.BookDigest)


def some_rows() -> list[JournalRow]:
    made = now_us()
    first = entry_row(id_=str(uuid4()), ver=made)
    later = entry_row(id_=first.id, ver=made + 1, description="चाय", voided=True)
    return [first, later, document_row(first.id, ver=made), entry_row(ver=made, code="T01-000002")]


def written(server: RunningServer, rows: list[JournalRow]) -> shapes.BookDigest:
    """Return the digest of a new book that holds `rows`."""
    book = server.api().register()
    write_journal(server.config.database_url, book.book_id, rows)
    return digest(book)


def test_an_empty_book_holds_nothing(book: BookApi) -> None:
    assert digest(book) == NOTHING


def test_entries_bills_and_versions_are_counted_voided_ones_too(server: RunningServer) -> None:
    found = written(server, some_rows())
    assert (found.entries, found.documents, found.versions) == (2, 1, 4)
    assert len(found.digest) == 32


def test_who_wrote_a_version_and_in_which_order_they_came_makes_no_difference(server: RunningServer) -> None:
    rows = some_rows()
    by_another = [replace(row, author=str(uuid4())) for row in reversed(rows)]
    assert written(server, rows) == written(server, by_another)


def test_a_book_that_got_the_same_calls_by_another_user_has_the_same_digest(server: RunningServer) -> None:
    bill = a_document()
    body = an_entry(documents=[bill.pinned()])
    void = shapes.VoidEntry(str(uuid4()), body.ver + 1, body.ver)
    digests = []
    for book in (server.api().register(), server.api().register()):
        book.upload(bill)
        book.create(body)
        book.send("POST", paths.ENTRY_VOID.format(id=body.id), shapes.EntrySaved, void)
        digests.append(digest(book))
    assert digests[0] == digests[1] != NOTHING


@pytest.mark.parametrize(
    "statement",
    [
        "update public.journal set doc = replace(doc, 'Paper', 'Pager') where {row}",
        "update public.journal set ver = ver + 1 where {row}",
        "update public.journal set op_id = gen_random_uuid() where {row}",
        "update public.journal set id = gen_random_uuid() where {row}",
        "update public.journal set kind = 'document' where {row}",
        "delete from public.journal where {row}",
    ],
)
def test_whatever_differs_in_one_version_shows(server: RunningServer, statement: str) -> None:
    rows = some_rows()
    book = server.api().register()
    write_journal(server.config.database_url, book.book_id, rows)
    before = digest(book)
    assert before == written(server, rows)
    one_row = f"book_id = '{book.book_id}' and op_id = '{rows[0].op_id}'"
    with psycopg.connect(server.config.database_url) as connection:
        cursor = connection.execute(statement.format(row=one_row))  # type: ignore[arg-type]
        assert cursor.rowcount == 1
    assert digest(book).digest != before.digest


def test_two_rows_that_change_places_show(server: RunningServer) -> None:
    """Sums of parts would not tell them apart; each row is hashed as a whole."""
    rows = some_rows()
    swapped = [replace(rows[0], doc=rows[3].doc), *rows[1:3], replace(rows[3], doc=rows[0].doc)]
    assert written(server, rows).digest != written(server, swapped).digest


def test_other_kinds_of_the_journal_are_no_part_of_it(server: RunningServer, book: BookApi) -> None:
    book.create(an_entry())
    before = digest(book)
    password = shapes.PasswordChange("a long enough password", "another long password")
    book.send("POST", paths.AUTH_PASSWORD, shapes.SessionsEnded, password)
    assert digest(book) == before


def test_what_other_books_hold_is_no_part_of_it(server: RunningServer, book: BookApi) -> None:
    server.api().register().add(a_document())
    assert digest(book) == NOTHING


def test_a_history_says_which_version_each_was_made_from(book: BookApi) -> None:
    saved = book.create(an_entry())
    void = shapes.VoidEntry(str(uuid4()), saved.entry.ver + 1, saved.entry.ver)
    book.send("POST", paths.ENTRY_VOID.format(id=saved.entry.id), shapes.EntrySaved, void)
    path = paths.ENTRY_HISTORY.format(id=saved.entry.id)
    versions = book.send("GET", path, shapes.EntryHistory).versions
    assert [version.based_on for version in versions] == [saved.entry.ver, 0]


def test_a_bill_that_was_taken_away_can_still_be_fetched(book: BookApi) -> None:
    bill = a_document()
    saved = book.add(bill)
    entry = saved.entry
    edit = shapes.EditEntry(
        *(str(uuid4()), entry.ver + 1, entry.ver, entry.entry_date, entry.amount, entry.cr_dr),
        *(entry.category, entry.description),
        remove_documents=[bill.id],
    )
    book.send("PUT", paths.ENTRY.format(id=entry.id), shapes.EntrySaved, edit)
    assert book.get(entry.id).documents == []
    assert book.fetch(bill.id) == bill.data
