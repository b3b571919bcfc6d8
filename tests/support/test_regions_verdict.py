"""The check of several regions finds each kind of error. Otherwise a campaign would prove nothing."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from server.db.pool import make_pool
from server.journal.rollup import fold_all
from tests.support.journal import JournalRow, document_row, entry_row, write_journal
from tests.support.postgres import Cluster, rows
from tests.support.regions_verdict import (
    bills_of,
    diverged_rows,
    forget_book,
    missing_operations,
    not_whole,
    wait_until_equal,
)

BOOK = str(UUID(int=9))
Urls = dict[str, str]


@pytest.fixture
def urls(cluster: Cluster) -> Iterator[Urls]:
    with cluster.database() as here, cluster.database() as there:
        yield {"here": here, "there": there}


def write(urls: Urls, written: list[JournalRow]) -> None:
    for url in urls.values():
        write_journal(url, BOOK, written)


def test_regions_that_hold_the_same_are_equal_in_whatever_order_it_came(urls: Urls) -> None:
    entry = entry_row(ver=1_000_000)
    edited = entry_row(id_=entry.id, ver=2_000_000, amount="7.00")
    write_journal(urls["here"], BOOK, [entry, edited])
    write_journal(urls["there"], BOOK, [edited, entry])
    wait_until_equal(urls, 0)  # at the first look
    assert diverged_rows(urls) == 0
    assert missing_operations(urls, {entry.op_id: 1, edited.op_id: 1}) == 0


def test_a_row_that_one_region_lacks_is_counted_in_journal_and_table(urls: Urls) -> None:
    entry = entry_row()
    write_journal(urls["here"], BOOK, [entry])
    assert diverged_rows(urls) == 2
    assert missing_operations(urls, {entry.op_id: 1}) == 1
    with pytest.raises(AssertionError, match="accounting_entry"):
        wait_until_equal(urls, 0.1)


def test_another_version_of_the_same_row_is_counted(urls: Urls) -> None:
    entry = entry_row()
    write(urls, [entry])
    rows(urls["there"], "update public.accounting_entry set amount = 1")
    assert diverged_rows(urls) == 2  # that of here, and that of there


@pytest.mark.parametrize("folded", [False, True])
def test_a_book_that_is_forgotten_leaves_nothing_whether_it_was_folded_or_not(
    urls: Urls, folded: bool
) -> None:
    entry = entry_row()
    write(urls, [entry, document_row(entry.id)])
    for url in urls.values():
        assert not folded or asyncio.run(fold(url)) == 1
        forget_book(url, BOOK)
    assert diverged_rows(urls) == 0


async def fold(url: str) -> int:
    async with make_pool(url, 2) as pool:
        return await fold_all(pool)


def test_an_operation_of_which_a_record_is_missing_is_not_there(urls: Urls) -> None:
    entry = entry_row()
    bill = replace(document_row(entry.id), op_id=entry.op_id)
    write_journal(urls["here"], BOOK, [entry, bill])
    write_journal(urls["there"], BOOK, [entry])
    assert missing_operations(urls, {entry.op_id: 2}) == 1


def test_an_entry_is_whole_once_its_bills_rows_and_bytes_are_there(urls: Urls, tmp_path: Path) -> None:
    entry, url = entry_row(), urls["here"]
    bill = document_row(entry.id)
    wanted = {entry.id: [str(bill.doc["sha256"])]}
    assert not_whole(url, tmp_path, wanted) == [entry.id]
    write_journal(url, BOOK, [entry])
    assert not_whole(url, tmp_path, wanted) == [entry.id]
    write_journal(url, BOOK, [bill])
    assert not_whole(url, tmp_path, wanted) == [entry.id]
    assert bills_of(url) == bills_of(url, [bill.op_id]) == wanted
    assert bills_of(url, [entry.op_id]) == {}
    ((path,),) = rows(url, "select file_path from public.accounting_document")
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_bytes(b"x" * (int(bill.doc["byteSize"]) - 1))
    assert not_whole(url, tmp_path, wanted) == [entry.id]
    (tmp_path / path).write_bytes(b"x" * int(bill.doc["byteSize"]))
    assert not_whole(url, tmp_path, wanted) == []
