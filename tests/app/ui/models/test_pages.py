"""Pages as ranges of keys: waiting entries in their places, and nothing lost when a page is read again."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.domain.entry import EntryState, ListedEntry, ListedPage
from app.ui.models.pages import (
    KEPT_PAGES,
    Page,
    Pages,
    fill,
    insertions,
    merged_rows,
    read_range,
    removals,
)
from tests.support.fake_services import shop_entries


def waiting_copy(row: ListedEntry, entry_id: str) -> ListedEntry:
    return replace(row, id=entry_id, state=EntryState.WAITING)


def server(rows: Sequence[ListedEntry], size: int = 10):
    def fetch(cursor: str | None) -> ListedPage:
        start = int(cursor or 0)
        more = str(start + size) if start + size < len(rows) else None
        return ListedPage(tuple(rows[start : start + size]), more)

    return fetch


def test_an_unsent_entry_is_placed_by_its_date() -> None:
    rows = shop_entries(6)
    waiting = waiting_copy(rows[3], "zzz")
    page = Page(None, None, None, served=tuple(rows))
    shown = merged_rows(page, [waiting])
    assert [row.id for row in shown] == [*(r.id for r in rows[:3]), "zzz", *(r.id for r in rows[3:])]


def test_an_entry_sent_in_between_is_shown_once_as_on_the_server() -> None:
    rows = shop_entries(3)
    page = Page(None, None, None, served=tuple(rows))
    shown = merged_rows(page, [replace(rows[1], state=EntryState.WAITING)])
    assert shown == rows


def test_an_unsent_change_replaces_the_servers_row() -> None:
    rows = shop_entries(3)
    page = Page(None, None, None, served=tuple(rows))
    changed = replace(rows[1], category="Meals", state=EntryState.WAITING)
    assert merged_rows(page, [changed], {rows[1].id}) == [rows[0], changed, rows[2]]


def test_an_entry_with_an_unsent_void_is_not_shown_as_active() -> None:
    rows = shop_entries(3)
    page = Page(None, None, None, served=tuple(rows))
    assert merged_rows(page, [], {rows[1].id}) == [rows[0], rows[2]]


def test_an_entry_moved_to_another_date_leaves_its_page() -> None:
    rows = shop_entries(20)
    first = Page(None, None, rows[9].sort_key, served=tuple(rows[:10]))
    second = Page("10", rows[9].sort_key, None, served=tuple(rows[10:]))
    moved = replace(rows[2], entry_date=rows[15].entry_date, state=EntryState.WAITING)
    assert moved not in merged_rows(first, [moved], {moved.id})
    assert moved in merged_rows(second, [moved], {moved.id})


def test_an_unsent_entry_is_in_one_page_only() -> None:
    rows = shop_entries(20)
    first = Page(None, None, rows[9].sort_key, served=tuple(rows[:10]))
    second = Page("10", rows[9].sort_key, None, served=tuple(rows[10:]))
    waiting = [waiting_copy(row, f"w{number}") for number, row in enumerate(rows)]
    shown = merged_rows(first, waiting) + merged_rows(second, waiting)
    assert len(shown) == 40
    assert shown == sorted(shown, key=lambda row: row.sort_key, reverse=True)


def test_reading_a_range_again_includes_rows_added_in_between() -> None:
    rows = shop_entries(30)
    end = rows[12].sort_key
    chunk = read_range(server(rows), None, end)
    assert [row.id for row in chunk.rows] == [row.id for row in rows[:13]]


def test_an_open_range_is_one_page() -> None:
    rows = shop_entries(30)
    chunk = read_range(server(rows), "10", None)
    assert chunk.rows == tuple(rows[10:20])
    assert chunk.cursor == "20"


def test_rows_are_found_across_pages() -> None:
    pages = Pages()
    for start in (0, 10, 20):
        page = pages.next_page()
        page.count = 10
        pages.append(page)
        assert pages.first_row(len(pages.pages) - 1) == start
    assert pages.count == 30
    assert pages.locate(0) == (0, 0)
    assert pages.locate(10) == (1, 0)
    assert pages.locate(29) == (2, 9)


def test_an_empty_page_in_between_is_skipped() -> None:
    pages = Pages()
    for count in (10, 0, 5):
        page = pages.next_page()
        page.count = count
        pages.append(page)
    assert pages.locate(10) == (2, 0)
    assert pages.locate(9) == (0, 9)


def test_only_the_most_recently_used_pages_keep_their_rows() -> None:
    pages = Pages()
    rows = shop_entries(2)
    for _ in range(KEPT_PAGES + 5):
        page = pages.next_page()
        page.rows, page.count = list(rows), 2
        pages.append(page)
    pages.touch(0)
    pages.evict()
    assert pages.pages[0].rows is not None
    assert [page.rows is None for page in pages.pages].count(True) == 5
    assert pages.count == 2 * (KEPT_PAGES + 5)


def test_the_next_page_starts_where_the_last_one_ends() -> None:
    rows = shop_entries(30)
    page = Page(None, None)
    fill(page, read_range(server(rows), None, None), last=True)
    assert page.end == rows[9].sort_key
    fill(page, read_range(server(rows[:5]), None, None), last=True)
    assert page.end is None


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_removing_and_inserting_the_ranges_turns_old_rows_into_new_ones(
    before: set[int], after: set[int]
) -> None:
    keys = [row.sort_key for row in shop_entries(31)]
    old, new = [keys[n] for n in sorted(before)], [keys[n] for n in sorted(after)]
    shown = list(old)
    for start, stop in removals(old, new):
        del shown[start : stop + 1]
    for start, stop in insertions(old, new):
        shown[start:start] = new[start : stop + 1]
    assert shown == new
