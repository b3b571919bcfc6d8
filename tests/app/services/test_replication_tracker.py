"""Following changes through the regions: what is asked, what is let go of, and what is sent again."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.domain.connection_status import Phase
from app.domain.outbox_item import OutboxItem
from app.domain.session import Machine
from app.errors import OfflineError, ServerError, StoreError
from app.services import replication_tracker
from app.services.replication_tracker import LATE_US, ReplicationTracker
from app.services.session_facts import BookSession
from app.store.database import Database
from app.store.outbox import Outbox
from app.store.replay_log import RECENT_US, Confirmed, ReplayLog
from server.contract.cluster_calls import (
    OperationStatus,
    SyncStatus,
)
from server.contract.errors import ErrorCode
from tests.app.store.samples import draft
from tests.support.waiting import wait_until

BOOK, MUM, DUB = "b", "ap-south-1", "eu-west-1"
NOW = 1_000_000_000_000_000


class World:
    """Two regions, and which operations each has; the program is at Dublin after a move from Mumbai."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "client.sqlite")
        self.outbox, self.retained = Outbox(self.database), ReplayLog(self.database)
        self.rows: dict[str, set[str]] = {MUM: set(), DUB: set()}
        self.here = DUB
        self.silent = False
        self.trouble: ServerError | None = None
        self.no_bill: set[str] = set()
        self.after_sending = lambda: None
        self.asked: list[list[str]] = []
        self.sent: list[str] = []
        self.not_known: set[str] = set()
        self.now_us = NOW
        api = SimpleNamespace(for_book=lambda _book: SimpleNamespace(sync_status=self.status))
        self.accounts = SimpleNamespace(
            session=self.session(),
            regions=2,
            machine=Machine(Phase.SYNCING, "ie-dub-1"),
            remote=SimpleNamespace(api=api),
        )
        self.accounts.require_session = lambda: self.accounts.session
        self.sync: Any = SimpleNamespace(send_again=self.send_again, is_sending=False)
        self.following = ReplicationTracker(self.accounts, self.sync, self.retained, lambda: self.now_us)  # type: ignore[arg-type]

    def session(self) -> BookSession:
        return BookSession("asha", BOOK, "M7A", "ie-dub-1", DUB, "ie-dub-1 · eu-west-1")

    def confirmed(self, region: str = MUM) -> OutboxItem:
        item = self.outbox.add(BOOK, draft(), "M7A", self.now_us)
        by = Confirmed("s", region, self.accounts.session.pin_id)
        self.outbox.confirm(item.op_id, by, self.now_us, keep=True)
        self.rows[region].add(item.op_id)
        return item

    def status(self, op_ids: list[str]) -> SyncStatus:
        self.asked.append(op_ids)
        if self.silent:
            raise OfflineError
        if self.trouble is not None:
            raise self.trouble
        found = []
        for op_id in op_ids:
            regions = [region for region, rows in self.rows.items() if op_id in rows]
            found.append(OperationStatus(op_id, regions, regions))
        return SyncStatus(found, [MUM, DUB], [])

    def send_again(self, item: OutboxItem) -> None:
        if item.op_id in self.not_known:
            raise ServerError("This server is older than your program.", code=ErrorCode.UNKNOWN_FIELD)
        if item.op_id in self.no_bill:
            raise StoreError("A bill of this entry is no longer on this computer.")
        self.sent.append(item.op_id)
        self.rows[self.here].add(item.op_id)
        self.after_sending()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.following.close()
    made.database.close()


def test_what_is_here_and_in_two_regions_is_asked_of_no_more_and_let_go_of_after_a_day(world: World) -> None:
    first, second = world.confirmed(), world.confirmed()
    world.rows[DUB].add(first.op_id)
    assert world.following.poll() == 1
    assert world.following.poll() == 1
    assert world.asked == [[first.op_id, second.op_id], [second.op_id]]
    assert world.retained.items(BOOK, [first.op_id]) == [first]
    world.now_us += RECENT_US
    world.following.poll()
    assert world.retained.items(BOOK, [first.op_id, second.op_id]) == [second]


def test_in_another_region_all_of_the_day_is_looked_up_anew_and_what_was_lost_is_sent_again(
    world: World,
) -> None:
    items = [world.confirmed(DUB) for _ in range(3)]
    world.rows[MUM].update(item.op_id for item in items)
    assert world.following.poll() == 0
    world.rows[MUM].remove(items[1].op_id)  # made anew, and still copying
    world.accounts.session = world.accounts.session.at("in-mum-1", MUM)
    world.rows[DUB].clear()
    world.here = MUM
    assert world.following.poll() == 3  # one is not here, and the two are in one region only
    assert world.following.replay_missing() == 1
    assert world.sent == [items[1].op_id]
    world.rows[DUB].update(item.op_id for item in items)
    assert world.following.poll() == 0


def test_at_a_server_that_was_away_all_of_the_day_is_looked_up_anew(world: World) -> None:
    item = world.confirmed(DUB)
    world.rows[MUM].add(item.op_id)
    assert world.following.poll() == 0
    assert world.following.poll() == 0
    assert world.asked == [[item.op_id]]
    world.rows[DUB].clear()  # its region was made anew
    world.accounts.session = world.accounts.session.back()
    assert world.following.poll() == 1
    assert world.following.replay_missing() == 1
    assert world.following.poll() == 0


def test_before_it_is_let_go_of_it_is_looked_up_once_more(world: World) -> None:
    item = world.confirmed(DUB)
    world.rows[MUM].add(item.op_id)
    world.following.poll()
    world.rows[MUM].clear()  # made anew, and still copying
    world.now_us += RECENT_US
    world.following.poll()
    assert world.retained.items(BOOK, [item.op_id]) == [item]
    world.rows[MUM].add(item.op_id)
    world.following.poll()
    assert world.retained.items(BOOK, [item.op_id]) == []


def test_between_two_whole_looks_only_what_is_not_here_is_asked_of(world: World) -> None:
    here, there = world.confirmed(DUB), world.confirmed(MUM)
    assert world.following.poll(whole=False) == 2
    assert world.asked == [[there.op_id]]
    assert world.following.poll() == 2
    assert world.asked[1:] == [[there.op_id, here.op_id]]  # what is not here first


def test_so_many_are_sent_again_before_the_next_look(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication_tracker, "_SENT_AT_ONCE", 2)
    items = [world.confirmed() for _ in range(3)]
    assert world.following.replay_missing() == 2
    assert world.sent == [item.op_id for item in items[:2]]
    world.following.poll()
    assert world.following.replay_missing() == 1
    assert world.sent == [item.op_id for item in items]


def test_where_the_lock_moves_no_more_is_sent_again(world: World) -> None:
    items = [world.confirmed() for _ in range(3)]
    world.after_sending = lambda: setattr(world.accounts, "session", world.session())
    assert world.following.replay_missing() == 1
    assert world.sent == [items[0].op_id]


def test_a_look_that_was_not_possible_comes_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication_tracker, "_LATER_SECONDS", 0.01)
    item, looks = world.confirmed(DUB), []
    world.following.on_poll = lambda: looks.append(1)
    world.accounts.machine = Machine(Phase.REFRESHING, "ie-dub-1")
    world.following.wake()
    wait_until(lambda: len(looks) > 2)
    assert world.asked == []
    world.trouble = ServerError("Not now.", code=ErrorCode.STORE_UNAVAILABLE, retryable=True)
    world.accounts.machine = Machine(Phase.PINNED, "ie-dub-1")
    wait_until(lambda: len(world.asked) > 2)
    world.rows[MUM].add(item.op_id)
    world.trouble = None
    wait_until(lambda: world.following.counts() == (0, 0))


def test_a_bill_that_is_no_longer_here_holds_up_no_other(world: World) -> None:
    items = [world.confirmed() for _ in range(3)]
    world.no_bill.add(items[0].op_id)
    assert world.following.replay_missing() == 2
    assert world.sent == [items[1].op_id, items[2].op_id]


def test_nobody_is_alarmed_before_the_other_regions_had_five_minutes_to_answer(world: World) -> None:
    item = world.confirmed(DUB)
    world.rows[MUM].add(item.op_id)
    world.following.poll()
    world.now_us += 2 * LATE_US
    world.accounts.session = world.session().pinned_to(
        "ie-dub-2", DUB
    )  # while the other region does not answer
    del world.rows[MUM]
    world.following.poll()
    assert world.following.counts() == (1, 0)
    world.now_us += LATE_US
    world.following.poll()
    assert world.following.counts() == (1, 1)


def test_what_two_regions_have_and_this_one_not_is_asked_of_until_it_is_here(world: World) -> None:
    world.rows["us-east-1"] = set()
    world.accounts.regions = 3
    item = world.confirmed(MUM)
    world.rows["us-east-1"].add(item.op_id)
    assert world.following.poll() == 1
    assert world.following.counts() == (0, 0)  # it is safe
    world.rows[DUB].add(item.op_id)
    assert world.following.poll() == 0


def test_many_are_asked_of_in_batches(world: World) -> None:
    for _ in range(201):
        world.confirmed()
    world.following.poll()
    assert [len(batch) for batch in world.asked] == [200, 1]


def test_in_a_cluster_of_one_region_only_a_later_session_asks(world: World) -> None:
    item = world.confirmed(DUB)
    world.accounts.regions = 1
    assert world.following.poll() == 0
    assert world.asked == []
    world.accounts.session = world.session()
    assert world.following.poll() == 0
    assert world.asked == [[item.op_id]]


def test_for_the_book_on_this_computer_nobody_is_asked(world: World) -> None:
    world.confirmed(DUB)
    world.accounts.regions = 0
    world.accounts.session = world.session()
    assert world.following.poll() == 0
    assert world.asked == []


def test_what_the_new_region_lacks_is_sent_again_in_the_order_in_which_it_was_made(world: World) -> None:
    items = [world.confirmed() for _ in range(3)]
    world.rows[DUB].add(items[1].op_id)
    world.following.poll()
    assert world.following.replay_missing() == 2
    assert world.sent == [items[0].op_id, items[2].op_id]
    assert world.following.poll() == 0


def test_one_that_an_older_server_does_not_take_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.monotonic() + 60
    items = [world.confirmed() for _ in range(3)]
    world.not_known.add(items[0].op_id)
    world.following.poll()
    assert world.following.replay_missing() == 2
    assert world.sent == [items[1].op_id, items[2].op_id]
    assert world.following.poll() == 1
    world.not_known.clear()  # it was brought up to date
    assert world.following.replay_missing() == 0  # not at each look
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert world.following.replay_missing() == 1
    assert world.following.poll() == 0


def test_what_is_not_taken_holds_up_none_of_those_behind_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replication_tracker, "_SENT_AT_ONCE", 2)
    items = [world.confirmed() for _ in range(4)]
    world.not_known.update(item.op_id for item in items[:2])
    assert world.following.replay_missing() == 0
    assert world.following.replay_missing() == 2
    assert world.sent == [item.op_id for item in items[2:]]


def test_what_is_not_taken_is_tried_ever_more_rarely() -> None:
    stay = replication_tracker._Pin()
    assert stay.refuse("op", 100.0)
    assert not stay.is_due("op", 103.9)
    assert stay.is_due("op", 104.0)
    assert not stay.refuse("op", 104.0)
    assert not stay.is_due("op", 111.9)
    for _ in range(20):
        stay.refuse("op", 200.0)
    assert stay.is_due("op", 800.0)
    assert stay.is_due("another", 0.0)


def test_while_what_waits_is_sent_nothing_is_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pause in ("_LATER_SECONDS", "_GRACE_SECONDS"):
        monkeypatch.setattr(replication_tracker, pause, 0.0)
    item = world.confirmed()
    world.sync.is_sending = True
    world.following.wake()
    wait_until(lambda: len(world.asked) > 5)
    assert world.sent == []
    world.sync.is_sending = False
    wait_until(lambda: world.sent == [item.op_id])


def test_a_disk_that_fails_for_a_while_does_not_end_the_looking(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replication_tracker, "_LATER_SECONDS", 0.01)
    item, known = world.confirmed(), world.retained.known

    def fails(*_: object) -> None:
        raise StoreError("The disk could not be read.")

    monkeypatch.setattr(world.retained, "known", fails)
    looks: list[int] = []
    world.following.on_poll = lambda: looks.append(1)
    world.following.wake()
    wait_until(lambda: len(looks) > 2)
    monkeypatch.setattr(world.retained, "known", known)
    wait_until(lambda: world.asked)
    assert world.asked[0] == [item.op_id]


def test_a_region_that_lost_everything_is_not_believed_to_have_it(world: World) -> None:
    item = world.confirmed()
    world.rows[MUM].clear()
    assert world.following.poll() == 1
    assert world.following.replay_missing() == 1
    assert world.following.poll() == 1  # in one region only: it stays on this computer
    assert world.retained.items(BOOK, [item.op_id]) == [item]


def test_after_five_minutes_they_are_late(world: World) -> None:
    world.confirmed()
    world.following.poll()
    assert world.following.counts() == (1, 0)
    world.now_us += LATE_US + 1
    assert world.following.counts() == (1, 0)  # asleep, or without a network: nobody has looked
    world.following.poll()
    assert world.following.counts() == (1, 1)
    world.accounts.session = world.accounts.session.back()
    assert world.following.counts() == (1, 1)  # a server that was away and is back is no news


def test_in_a_hurry_it_looks_by_itself_and_sends_again_what_does_not_come(world: World) -> None:
    item, looks = world.confirmed(), []
    world.following.poll_fast = lambda: item.op_id not in world.rows[DUB]
    world.following.on_poll = lambda: looks.append(1)
    world.following.wake()
    wait_until(lambda: world.sent == [item.op_id])
    wait_until(lambda: world.following.counts() == (0, 0))
    wait_until(lambda: len(looks) >= 2)


def test_it_sends_again_too_where_nobody_waits_for_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication_tracker, "_LATER_SECONDS", 0.1)
    item = world.confirmed()
    world.following.wake()
    wait_until(lambda: world.sent == [item.op_id])
    wait_until(lambda: world.following.counts() == (0, 0))


def test_what_is_here_and_in_no_second_region_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pause in ("_LATER_SECONDS", "_GRACE_SECONDS"):
        monkeypatch.setattr(replication_tracker, pause, 0.0)
    world.confirmed(DUB)
    world.following.wake()
    wait_until(lambda: len(world.asked) > 10)
    assert world.sent == []


def test_what_replication_brings_in_time_is_not_sent_again(world: World) -> None:
    item = world.confirmed()
    world.following.poll_fast = lambda: True
    world.following.on_poll = lambda: world.rows[DUB].add(item.op_id)  # between the first look and the next
    world.following.wake()
    wait_until(lambda: world.following.counts() == (0, 0))
    assert len(world.asked) >= 2
    assert world.sent == []


def test_a_server_that_does_not_answer_is_asked_again(world: World) -> None:
    world.confirmed()
    world.silent = True
    world.following.poll_fast = lambda: True
    world.following.wake()
    wait_until(lambda: len(world.asked) >= 2)
    assert world.sent == []


def test_while_no_server_is_there_nobody_is_asked(world: World) -> None:
    world.confirmed()
    world.accounts.machine = Machine(Phase.RECONNECTING, "ie-dub-1")
    looks: list[int] = []
    world.following.on_poll = lambda: looks.append(1)
    world.following.wake()
    wait_until(lambda: looks)
    assert world.asked == []
