"""What is kept after a server confirmed it, and when it is let go of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.outbox_item import OutboxItem
from app.domain.sync_state import ReplicationStatus, arrived, overdue
from app.store.database import Database
from app.store.outbox import Outbox
from app.store.replay_log import RECENT_US, Confirmed, ReplayLog
from tests.app.store.samples import bill, draft

BOOK, MUM, DUB, PIN = "book", "ap-south-1", "eu-west-1", "here"
NOW = 10 * RECENT_US


class Store:
    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "client.sqlite")
        self.outbox, self.retained = Outbox(self.database), ReplayLog(self.database)

    def sent(self, keep: bool = True, now_us: int = NOW) -> OutboxItem:
        """Save an entry with a bill, and let a server confirm it."""
        item = self.outbox.add(BOOK, draft("Tea", bill()), "M7A", now_us)
        self.outbox.confirm(item.op_id, Confirmed("in-mum-1", MUM, PIN), now_us, keep=keep)
        return item

    def known(self, book_id: str = BOOK) -> list[ReplicationStatus]:
        return self.retained.known(book_id, lambda _: False)

    def regions(self) -> list[tuple[str, frozenset[str]]]:
        return [(w.op_id, w.regions) for w in self.retained.recent(BOOK, NOW)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.database.close()


def test_a_confirmed_operation_is_kept_completely(store: Store) -> None:
    item = store.sent()
    assert store.outbox.count(BOOK) == 0
    assert store.retained.items(BOOK, [item.op_id]) == [item]
    assert store.retained.file_hashes() == {item.documents[0].sha256}
    places = (frozenset({MUM}), frozenset({MUM}))
    assert store.known() == [
        ReplicationStatus(item.op_id, item.entry_id, item.ver, *places, "in-mum-1", NOW, MUM, pin_id=PIN)
    ]


def test_an_operation_is_released_after_a_day_if_two_regions_have_row_and_bills(store: Store) -> None:
    item = store.sent()
    store.retained.learn({item.op_id: ([MUM, DUB], [MUM])}, PIN)
    assert store.retained.release(BOOK, 2, NOW + RECENT_US) == 0
    assert store.retained.items(BOOK, [item.op_id]) == [item]
    store.retained.learn({item.op_id: ([MUM, DUB], [MUM, DUB])}, PIN)
    assert store.retained.release(BOOK, 2, NOW + RECENT_US - 1) == 0
    assert store.retained.items(BOOK, [item.op_id]) == [item]
    assert store.regions() == [(item.op_id, frozenset({MUM, DUB}))]
    assert store.retained.release(BOOK, 2, NOW + RECENT_US) == 1
    assert store.retained.items(BOOK, [item.op_id]) == []
    assert store.retained.file_hashes() == set()
    assert store.known() == []


def test_a_status_found_under_an_earlier_pin_does_not_count(store: Store) -> None:
    item = store.sent()
    store.retained.learn({item.op_id: ([MUM, DUB], [MUM, DUB])}, PIN)
    for recent in (store.retained.recent(BOOK, NOW), store.retained.recent_counted(BOOK, NOW)):
        assert arrived(recent, MUM, PIN) == (1, 1, 0)
        assert arrived(recent, MUM, "another") == (0, 1, 1)
    store.retained.learn({item.op_id: ([DUB], [DUB])}, "another")  # that region was made anew
    assert arrived(store.retained.recent(BOOK, NOW), MUM, "another") == (0, 1, 0)
    assert arrived(store.retained.recent(BOOK, NOW), DUB, "another") == (1, 1, 0)


def test_a_status_that_got_worse_replaces_the_earlier_one(store: Store) -> None:
    item = store.sent()
    store.retained.learn({item.op_id: ([DUB], [])}, PIN)
    assert store.regions() == [(item.op_id, frozenset())]


def test_with_one_region_nothing_is_kept_and_one_region_is_the_status(store: Store) -> None:
    item = store.sent(keep=False)
    assert store.retained.items(BOOK, [item.op_id]) == []
    assert store.regions() == [(item.op_id, frozenset({MUM}))]


def test_unsent_operations_are_recent_and_in_no_region(store: Store) -> None:
    waiting = store.outbox.add(BOOK, draft(), "M7A", NOW)
    assert store.regions() == [(waiting.op_id, frozenset())]
    store.outbox.refuse(waiting.op_id, "No.")
    assert store.regions() == []


def test_after_a_day_only_operations_that_are_not_safe_are_kept(store: Store) -> None:
    safe, unsafe = store.sent(now_us=NOW - RECENT_US), store.sent(now_us=NOW - RECENT_US)
    not_kept = store.sent(keep=False, now_us=NOW - RECENT_US)
    store.retained.learn({safe.op_id: ([MUM, DUB], [MUM, DUB])}, PIN)
    new = store.sent()
    assert store.retained.release(BOOK, 2, NOW) == 2
    assert {op_id for op_id, _ in store.regions()} == {unsafe.op_id, new.op_id}
    assert {each.op_id for each in store.known()} == {unsafe.op_id, new.op_id}
    assert store.retained.items(BOOK, [safe.op_id, not_kept.op_id, unsafe.op_id]) == [unsafe]


def test_a_second_confirmation_changes_nothing(store: Store) -> None:
    item = store.sent()
    store.retained.learn({item.op_id: ([MUM, DUB], [MUM])}, PIN)
    store.outbox.confirm(item.op_id, Confirmed("in-mum-2", MUM, PIN), NOW, keep=True)
    assert store.known()[0].rows == {MUM, DUB}


def test_counted_statuses_equal_single_statuses(store: Store) -> None:
    day_ago = NOW - RECENT_US
    whole, half, lost, old_and_safe, old = (
        store.sent(now_us=at) for at in (NOW, NOW + 1, NOW + 2, day_ago, day_ago)
    )
    store.sent()
    places: dict[str, tuple[list[str], list[str]]] = {
        whole.op_id: ([MUM, DUB], [MUM, DUB]),
        half.op_id: ([MUM, DUB], [MUM]),
        lost.op_id: ([DUB], []),
        old_and_safe.op_id: ([MUM, DUB], [MUM, DUB]),
    }
    store.retained.learn(places, PIN)
    assert store.retained.release(BOOK, 2, NOW) == 1
    for _ in range(2):
        store.outbox.add(BOOK, draft(), "M7A", NOW)
    store.outbox.refuse(store.outbox.add(BOOK, draft(), "M7A", NOW).op_id, "No.")
    store.outbox.add("other", draft(), "M7A", NOW)
    recent = store.retained.recent(BOOK, NOW)
    assert {old_and_safe.op_id, old.op_id} & {each.op_id for each in recent} == {old.op_id}
    counted = store.retained.recent_counted(BOOK, NOW)
    assert [arrived(counted, region, PIN) for region in (MUM, DUB)] == [(4, 7, 0), (1, 7, 0)]
    assert [arrived(recent, region, PIN) for region in (MUM, DUB)] == [(4, 7, 0), (1, 7, 0)]
    for before_us in (day_ago, day_ago + 1, NOW + 1, NOW + 2, NOW + 3):
        one_by_one = store.known()
        together = store.retained.known_counted(BOOK, before_us)
        assert sum(each.count for each in together) == len(one_by_one) == 5
        assert overdue(together, 2, before_us) == overdue(one_by_one, 2, before_us)
    assert overdue(together, 2, before_us) == 4


def test_operations_of_other_users_are_released_too_if_two_regions_have_them(store: Store) -> None:
    safe, unsafe = store.sent(), store.sent()
    store.retained.learn({safe.op_id: ([MUM, DUB], [MUM, DUB])}, PIN)
    assert store.retained.release("other", 1, NOW + RECENT_US) == 1
    assert store.retained.items(BOOK, [safe.op_id, unsafe.op_id]) == [unsafe]


def test_operations_confirmed_long_ago_are_always_returned(store: Store) -> None:
    old, new = store.sent(now_us=NOW - RECENT_US), store.sent()
    assert [each.op_id for each in store.retained.known(BOOK, lambda _: True, NOW - RECENT_US)] == [old.op_id]
    found = store.retained.known(BOOK, lambda _: False, NOW - RECENT_US)
    assert [each.op_id for each in found] == [old.op_id, new.op_id]


def test_at_most_the_requested_number_of_items_is_returned(store: Store) -> None:
    items = [store.sent() for _ in range(3)]
    assert store.retained.items(BOOK, [each.op_id for each in items], 2) == items[:2]


def test_books_are_kept_apart(store: Store) -> None:
    item = store.sent()
    assert store.retained.recent("other", NOW) == store.known("other") == []
    assert store.retained.items("other", [item.op_id]) == []
    assert arrived(store.retained.recent_counted("other", NOW), MUM, PIN) == (0, 0, 0)
    assert store.retained.known_counted("other", NOW) == []
