"""Where changes are in the regions: what is asked, what is released, and what is replayed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.domain.outbox_item import OutboxItem
from app.errors import OfflineError, ServerError, StoreError
from app.services import replication_tracker
from app.services.replication_tracker import LATE_US, REPLAY_BATCH, PollResult, ReplicationTracker
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

BOOK, MUM, DUB = "b", "ap-south-1", "eu-west-1"
NOW = 1_000_000_000_000_000


class World:
    """Two regions, and which operations each has; the program is at Dublin after a move from Mumbai."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "client.sqlite")
        self.outbox, self.replay_log = Outbox(self.database), ReplayLog(self.database)
        self.rows: dict[str, set[str]] = {MUM: set(), DUB: set()}
        self.here = DUB
        self.silent = False
        self.no_bill: set[str] = set()
        self.after_sending: Callable[[], object] = lambda: None
        self.after_asking: Callable[[], object] = lambda: None
        self.asked: list[list[str]] = []
        self.sent: list[str] = []
        self.not_known: set[str] = set()
        self.now_us = NOW
        self.seconds = 100.0
        api = SimpleNamespace(for_book=lambda _book: SimpleNamespace(sync_status=self.status))
        self.accounts = SimpleNamespace(
            session=self.session(),
            regions=2,
            remote=SimpleNamespace(api=api),
        )
        self.accounts.require_session = lambda: self.accounts.session
        self.sync: Any = SimpleNamespace(replay=self.replay, is_sending=False)
        self.tracker = ReplicationTracker(
            self.accounts, self.sync, self.replay_log,  # type: ignore[arg-type]
            lambda: self.now_us, lambda: self.seconds,
        )  # fmt: skip

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
        self.after_asking()
        found = []
        for op_id in op_ids:
            regions = [region for region, rows in self.rows.items() if op_id in rows]
            found.append(OperationStatus(op_id, regions, regions))
        return SyncStatus(found, [MUM, DUB], [])

    def poll(self, *, whole: bool = True) -> int:
        """Poll, and return how many are left."""
        return self.tracker.poll(whole=whole).left

    def lacks_for(self, seconds: float) -> bool:
        """Let time pass; return whether it is time to replay."""
        self.seconds += seconds
        return self.tracker.poll(whole=False).replay_due

    def replay(self, item: OutboxItem) -> None:
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
    made.database.close()


def test_settled_changes_are_not_polled_and_are_released_after_a_day(world: World) -> None:
    first, second = world.confirmed(), world.confirmed()
    world.rows[DUB].add(first.op_id)
    assert world.poll() == 1
    assert world.poll() == 1
    assert world.asked == [[first.op_id, second.op_id], [second.op_id]]
    assert world.replay_log.items(BOOK, [first.op_id]) == [first]
    world.now_us += RECENT_US
    world.poll()
    assert world.replay_log.items(BOOK, [first.op_id, second.op_id]) == [second]


def test_after_a_move_all_changes_of_the_day_are_polled_again_and_lost_ones_replayed(
    world: World,
) -> None:
    items = [world.confirmed(DUB) for _ in range(3)]
    world.rows[MUM].update(item.op_id for item in items)
    assert world.poll() == 0
    world.rows[MUM].remove(items[1].op_id)  # made anew, and still copying
    world.accounts.session = world.accounts.session.pinned_to("in-mum-1", MUM)
    world.rows[DUB].clear()
    world.here = MUM
    assert world.poll() == 3  # one is not here, and the two are in one region only
    assert world.tracker.replay_missing() == 1
    assert world.sent == [items[1].op_id]
    world.rows[DUB].update(item.op_id for item in items)
    assert world.poll() == 0


def test_when_a_server_is_back_all_changes_of_the_day_are_polled_again(world: World) -> None:
    item = world.confirmed(DUB)
    world.rows[MUM].add(item.op_id)
    assert world.poll() == 0
    assert world.poll() == 0
    assert world.asked == [[item.op_id]]
    world.rows[DUB].clear()  # its region was made anew
    world.accounts.session = world.accounts.session.pinned_anew()
    assert world.poll() == 1
    assert world.tracker.replay_missing() == 1
    assert world.poll() == 0


def test_a_change_is_polled_once_more_before_its_release(world: World) -> None:
    item = world.confirmed(DUB)
    world.rows[MUM].add(item.op_id)
    world.poll()
    world.rows[MUM].clear()  # made anew, and still copying
    world.now_us += RECENT_US
    world.poll()
    assert world.replay_log.items(BOOK, [item.op_id]) == [item]
    world.rows[MUM].add(item.op_id)
    world.poll()
    assert world.replay_log.items(BOOK, [item.op_id]) == []


def test_between_two_whole_polls_only_missing_changes_are_polled(world: World) -> None:
    here, there = world.confirmed(DUB), world.confirmed(MUM)
    assert world.poll(whole=False) == 2
    assert world.asked == [[there.op_id]]
    assert world.poll() == 2
    assert world.asked[1:] == [[there.op_id, here.op_id]]  # what is not here first


def test_at_most_one_batch_is_replayed_before_the_next_poll(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replication_tracker, "REPLAY_BATCH", 2)
    items = [world.confirmed() for _ in range(3)]
    assert world.tracker.replay_missing() == 2
    assert world.sent == [item.op_id for item in items[:2]]
    world.poll()
    assert world.tracker.replay_missing() == 1
    assert world.sent == [item.op_id for item in items]


def test_a_replay_ends_when_the_session_moves(world: World) -> None:
    items = [world.confirmed() for _ in range(3)]
    world.after_sending = lambda: setattr(world.accounts, "session", world.session())
    assert world.tracker.replay_missing() == 1
    assert world.sent == [items[0].op_id]


def test_a_missing_bill_does_not_block_other_replays(world: World) -> None:
    items = [world.confirmed() for _ in range(3)]
    world.no_bill.add(items[0].op_id)
    assert world.tracker.replay_missing() == 2
    assert world.sent == [items[1].op_id, items[2].op_id]


def test_there_is_no_warning_in_the_first_five_minutes_after_a_move(world: World) -> None:
    item = world.confirmed(DUB)
    world.rows[MUM].add(item.op_id)
    world.poll()
    world.now_us += 2 * LATE_US
    world.accounts.session = world.session().pinned_to(
        "ie-dub-2", DUB
    )  # while the other region does not answer
    del world.rows[MUM]
    world.poll()
    assert world.tracker.counts() == (1, 0)
    world.now_us += LATE_US
    world.poll()
    assert world.tracker.counts() == (1, 1)


def test_a_safe_change_is_polled_until_the_present_region_has_it(world: World) -> None:
    world.rows["us-east-1"] = set()
    world.accounts.regions = 3
    item = world.confirmed(MUM)
    world.rows["us-east-1"].add(item.op_id)
    assert world.poll() == 1
    assert world.tracker.counts() == (0, 0)  # it is safe
    world.rows[DUB].add(item.op_id)
    assert world.poll() == 0


def test_many_changes_are_polled_in_batches(world: World) -> None:
    for _ in range(201):
        world.confirmed()
    world.poll()
    assert [len(batch) for batch in world.asked] == [200, 1]


def test_with_one_region_changes_are_polled_only_under_a_later_pin(world: World) -> None:
    item = world.confirmed(DUB)
    world.accounts.regions = 1
    assert world.poll() == 0
    assert world.asked == []
    world.accounts.session = world.session()
    assert world.poll() == 0
    assert world.asked == [[item.op_id]]


def test_the_local_book_is_not_polled(world: World) -> None:
    world.confirmed(DUB)
    world.accounts.regions = 0
    world.accounts.session = world.session()
    assert world.poll() == 0
    assert world.asked == []


def test_missing_changes_are_replayed_in_the_order_in_which_they_were_made(world: World) -> None:
    items = [world.confirmed() for _ in range(3)]
    world.rows[DUB].add(items[1].op_id)
    world.poll()
    assert world.tracker.replay_missing() == 2
    assert world.sent == [items[0].op_id, items[2].op_id]
    assert world.poll() == 0


def test_a_change_refused_by_an_older_server_does_not_block_others(
    world: World,
) -> None:
    items = [world.confirmed() for _ in range(3)]
    world.not_known.add(items[0].op_id)
    world.poll()
    assert world.tracker.replay_missing() == 2
    assert world.sent == [items[1].op_id, items[2].op_id]
    assert world.poll() == 1
    world.not_known.clear()  # it was brought up to date
    assert world.tracker.replay_missing() == 0  # not at each look
    world.seconds += 4
    assert world.tracker.replay_missing() == 1
    assert world.poll() == 0


def test_a_refused_change_does_not_block_later_ones(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication_tracker, "REPLAY_BATCH", 2)
    items = [world.confirmed() for _ in range(4)]
    world.not_known.update(item.op_id for item in items[:2])
    assert world.tracker.replay_missing() == 0
    assert world.tracker.replay_missing() == 2
    assert world.sent == [item.op_id for item in items[2:]]


def test_a_refused_change_is_tried_again_after_growing_pauses() -> None:
    pin = replication_tracker._Pin()
    assert pin.refuse("op", 100.0)
    assert not pin.is_due("op", 103.9)
    assert pin.is_due("op", 104.0)
    assert not pin.refuse("op", 104.0)
    assert not pin.is_due("op", 111.9)
    for _ in range(20):
        pin.refuse("op", 200.0)
    assert pin.is_due("op", 800.0)
    assert pin.is_due("another", 0.0)


def test_a_region_that_lost_its_data_does_not_count(world: World) -> None:
    item = world.confirmed()
    world.rows[MUM].clear()
    assert world.poll() == 1
    assert world.tracker.replay_missing() == 1
    assert world.poll() == 1  # in one region only: it stays on this computer
    assert world.replay_log.items(BOOK, [item.op_id]) == [item]


def test_changes_are_late_after_five_minutes(world: World) -> None:
    world.confirmed()
    world.poll()
    assert world.tracker.counts() == (1, 0)
    world.now_us += LATE_US + 1
    assert world.tracker.counts() == (1, 0)  # asleep, or without a network: nobody has looked
    world.poll()
    assert world.tracker.counts() == (1, 1)
    world.accounts.session = world.accounts.session.pinned_anew()
    assert world.tracker.counts() == (1, 1)  # a server that was away and is back is no news


# --- when it is replayed ------------------------------------------------------------------------------


def test_changes_missing_for_two_seconds_are_due_for_replay(world: World) -> None:
    world.confirmed()
    assert [world.lacks_for(seconds) for seconds in (0.0, 1.0, 0.9, 0.1)] == [False, False, False, True]
    assert world.tracker.replay_missing() == 1
    assert not world.lacks_for(10.0)  # it is here


def test_changes_that_replication_brings_in_time_are_not_replayed(world: World) -> None:
    item = world.confirmed()
    assert not world.lacks_for(0.0)
    world.rows[DUB].add(item.op_id)
    assert not world.lacks_for(2.0)
    second = world.confirmed()  # it has its own two seconds
    assert not world.lacks_for(1.0)
    world.rows[DUB].add(second.op_id)
    assert not world.lacks_for(1.0)


def test_changes_in_the_present_region_only_are_not_replayed(world: World) -> None:
    world.confirmed(DUB)
    for _ in range(5):
        assert not world.lacks_for(10.0)
    assert world.tracker.poll(whole=True) == PollResult(1)
    assert world.tracker.replay_missing() == 0


def test_nothing_is_replayed_while_the_outbox_is_sent(world: World) -> None:
    world.confirmed()
    world.sync.is_sending = True
    for _ in range(5):
        assert not world.lacks_for(10.0)
    world.sync.is_sending = False
    assert [world.lacks_for(seconds) for seconds in (0.0, 1.9, 0.1)] == [False, False, True]


def test_a_poll_during_a_replay_requests_no_second_replay(world: World) -> None:
    for _ in range(3):
        world.confirmed()
    world.lacks_for(0.0)
    assert world.lacks_for(2.0)
    found: list[bool] = []
    world.after_sending = lambda: found.append(world.lacks_for(10.0))
    assert world.tracker.replay_missing() == 3
    assert found == [False, False, False]


def test_the_next_batch_is_due_at_once_but_after_the_last_there_is_a_pause(
    world: World,
) -> None:
    items = [world.confirmed() for _ in range(REPLAY_BATCH + 1)]
    world.lacks_for(0.0)
    assert world.lacks_for(2.0)
    assert world.tracker.replay_missing() == REPLAY_BATCH
    assert world.lacks_for(0.0)
    assert world.tracker.replay_missing() == 1
    world.rows[DUB].remove(items[-1].op_id)  # it is not to be seen there yet
    assert [world.lacks_for(seconds) for seconds in (0.0, 1.9, 0.1)] == [False, False, True]


def test_a_replay_interrupted_by_a_save_continues_at_once(world: World) -> None:
    items = [world.confirmed() for _ in range(3)]
    world.lacks_for(0.0)
    assert world.lacks_for(2.0)
    assert world.tracker.replay_missing(lambda: len(world.sent) == 1) == 1
    assert world.sent == [items[0].op_id]
    assert world.lacks_for(0.0)
    assert world.tracker.replay_missing() == 2


def test_a_replay_without_an_answer_raises_and_is_due_again(world: World) -> None:
    world.confirmed()
    world.lacks_for(0.0)
    assert world.lacks_for(2.0)

    def silent() -> None:
        raise OfflineError

    world.after_sending = silent
    with pytest.raises(OfflineError):
        world.tracker.replay_missing()
    world.rows[DUB].clear()
    assert world.lacks_for(0.0)


def test_nothing_is_polled_while_signed_out(world: World) -> None:
    world.confirmed()
    world.accounts.session = None
    assert world.tracker.poll(whole=True) == PollResult(0)
    assert world.tracker.counts() == (0, 0)
    assert world.asked == []


# --- polls that take long, or fail --------------------------------------------------------------------


def test_a_long_poll_reports_its_progress_about_once_a_second(world: World) -> None:
    for _ in range(1_001):
        world.confirmed()
    told: list[float] = []
    world.after_asking = lambda: setattr(world, "seconds", world.seconds + 0.6)
    world.tracker.poll(whole=True, progress=lambda: told.append(world.seconds))
    assert len(world.asked) == 6
    assert [round(at - 100.0, 1) for at in told] == [1.2, 2.4]


def test_a_poll_without_an_answer_raises(world: World) -> None:
    world.confirmed()
    world.silent = True
    with pytest.raises(OfflineError):
        world.poll()
    world.silent = False
    assert world.poll() == 1


def test_a_failing_disk_makes_the_poll_raise_but_shows_no_warning(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = world.confirmed(DUB)
    with monkeypatch.context() as failing:

        def fails(*_: object) -> None:
            raise StoreError("The disk could not be read.")

        failing.setattr(world.replay_log, "known", fails)
        failing.setattr(world.replay_log, "known_counted", fails)
        with pytest.raises(StoreError):
            world.poll()
        assert world.tracker.counts() == (0, 0)
    assert world.poll() == 1
    assert world.asked == [[item.op_id]]


def test_a_late_poll_of_the_previous_pin_does_not_reset_the_new_one(world: World) -> None:
    world.confirmed(DUB)

    def moves() -> None:
        world.accounts.session = world.session().pinned_to("ie-dub-2", DUB)
        world.tracker.counts()  # the new pin begins here
        world.now_us += LATE_US

    world.after_asking = moves
    world.poll()
    world.after_asking = lambda: None
    world.now_us += 1
    world.poll()
    assert world.tracker.counts() == (1, 1)
