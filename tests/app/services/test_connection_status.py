"""Where this computer's changes are after a move, and what is said of it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from app.domain.connection_status import ConnectionStatus, Moved, Phase
from app.domain.session import Machine
from app.domain.sync_state import ReplicationStatus, arrived, by_entry, is_safe, is_settled, overdue
from app.errors import StoreError
from app.services.connection_status import ConnectionTracker
from app.services.session_facts import BookSession
from app.store.database import Database
from app.store.replay_log import RECENT_US, Confirmed, ReplayLog

MUM, DUB = "ap-south-1", "eu-west-1"


class Desk:
    """A session whose lock the test moves, and operations that the test confirms."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "client.sqlite")
        self.now_us = 10 * RECENT_US
        self.accounts = SimpleNamespace(
            session=BookSession("asha", "b", "M7A", "in-mum-1", MUM, "in-mum-1 · ap-south-1"),
            machine=Machine(Phase.PINNED, "in-mum-1"),
            is_remote=True,
            link_now=lambda: 5.0,
            completed=[],
        )
        self.accounts.replayed = lambda _epoch, *, complete: self.accounts.completed.append(complete)
        self.accounts.is_back = lambda: setattr(self.accounts, "session", self.accounts.session.back())
        self.following = SimpleNamespace(kicks=0, counts=lambda: (self.late + 1, self.late))
        self.following.kick = self._kick
        self.late = 0
        self.retained = ReplayLog(self.database)
        self.link = ConnectionTracker(self.accounts, self.retained, self.following, lambda: self.now_us)  # type: ignore[arg-type]
        self.heard: list[ConnectionStatus] = []
        self.link.subscribe(self.heard.append)

    def _kick(self) -> None:
        self.following.kicks += 1

    def wait_for(self, *op_ids: str) -> None:
        with self.database.write() as connection:
            for op_id in op_ids:
                connection.execute(
                    "INSERT INTO outbox (op_id, ver, book_id, kind, entry_id, human_code, payload, documents,"
                    " created_us) VALUES (?, 1, 'b', 'create', '', '', '', '[]', 0)",
                    (op_id,),
                )

    def confirm(self, region: str, *op_ids: str) -> None:
        from app.store.outbox import Outbox

        for op_id in op_ids:
            by = Confirmed("in-mum-1", region, self.accounts.session.pin_id)
            Outbox(self.database).confirm(op_id, by, self.now_us)

    def change(self, machine: Machine) -> None:
        self.accounts.machine = machine
        self.accounts.on_link(machine)


@pytest.fixture
def desk(tmp_path: Path):
    made = Desk(tmp_path)
    yield made
    made.database.close()


def whereabouts(op_id: str, *regions: str, rows: tuple[str, ...] = (), at_us: int = 1) -> ReplicationStatus:
    return ReplicationStatus(
        op_id, f"e{op_id}", int(op_id), frozenset(regions + rows), frozenset(regions), "s", at_us
    )


def test_the_fold_counts_what_is_whole_in_a_region() -> None:
    ops = [whereabouts("1", MUM), whereabouts("2", MUM, DUB), whereabouts("3"), whereabouts("4", rows=(MUM,))]
    assert arrived(ops, MUM, "") == (2, 4, 0)
    assert arrived(ops, DUB, "") == (1, 4, 0)
    assert arrived(ops, DUB, "a later pin_id") == (0, 4, 3)
    assert arrived([], DUB, "") == (0, 0, 0)


def test_what_is_counted_together_counts_as_many() -> None:
    both, one = frozenset({MUM, DUB}), frozenset({MUM})
    ops = [ReplicationStatus("", rows=both, bytes=both, at_us=5, count=30)]
    ops += [ReplicationStatus("", rows=both, bytes=one, at_us=5, count=7), whereabouts("1")]
    assert arrived(ops, DUB, "") == (30, 38, 0)
    assert overdue(ops, 2, 10) == 8


def test_two_regions_are_safe_and_one_where_there_is_only_one() -> None:
    assert is_safe(whereabouts("1", MUM, DUB), 3)
    assert not is_safe(whereabouts("1", MUM), 2)
    assert not is_safe(whereabouts("1", MUM, rows=(DUB,)), 2)  # its bills are not there yet
    assert is_safe(whereabouts("1", MUM), 1)
    assert not is_safe(whereabouts("1"), 1)


def test_what_is_safe_and_here_is_settled() -> None:
    assert is_settled(whereabouts("1", MUM, DUB), MUM, "", 3)
    assert not is_settled(whereabouts("1", MUM, DUB), MUM, "a later pin_id", 3)
    assert not is_settled(whereabouts("1", MUM, DUB), "us-east-1", "", 3)  # safe, and not here
    assert not is_settled(whereabouts("1", MUM), MUM, "", 2)
    assert is_settled(whereabouts("1", MUM), MUM, "", 1)


def test_what_only_this_computer_has_is_not_overdue_but_waiting() -> None:
    ops = [whereabouts("1", MUM, at_us=5), whereabouts("2", MUM, at_us=50), whereabouts("3", at_us=0)]
    assert overdue(ops, 2, 10) == 1
    assert overdue(ops, 1, 10) == 0


def test_an_entry_is_where_its_last_change_is() -> None:
    old, new = whereabouts("1", MUM, DUB), ReplicationStatus("2", "e1", 2, frozenset({MUM}), frozenset({MUM}))
    assert by_entry([new, old]) == {"e1": new}


def test_after_a_move_inside_a_region_only_what_waits_is_missing(desk: Desk) -> None:
    desk.wait_for("1", "2", "3")
    desk.confirm(MUM, "1", "2")
    desk.link.send = lambda: None
    desk.accounts.on_replay()
    assert desk.link.view().moved == Moved(2, 3)
    assert desk.accounts.completed == [False]
    assert desk.following.kicks == 2  # before and after what waits is sent
    assert desk.following.in_a_hurry()
    desk.confirm(MUM, "3")
    desk.link.recount()
    assert desk.link.view().moved == Moved(3, 3)
    assert desk.accounts.completed == [False, True]
    assert not desk.following.in_a_hurry()


def test_what_was_here_before_the_move_is_not_claimed_before_it_is_looked_up(desk: Desk) -> None:
    desk.wait_for("1", "2", "3")
    desk.confirm(MUM, "1", "2")
    desk.accounts.session = desk.accounts.session.at("in-mum-1", MUM)
    desk.accounts.on_replay()
    assert desk.link.view().moved == Moved(0, 3, unknown=2)
    desk.retained.learn({"1": ([MUM], [MUM]), "2": ([MUM], [])}, desk.accounts.session.pin_id)
    desk.following.on_look()
    assert desk.link.view().moved == Moved(1, 3)


def test_a_count_of_before_the_lock_moved_is_of_no_more_use(desk: Desk) -> None:
    desk.wait_for("1")
    desk.confirm(MUM, "1")
    desk.accounts.on_replay()
    assert desk.accounts.completed == [True]
    count = desk.link._count

    def moves_meanwhile(session: BookSession) -> Moved:
        counted = count(session)
        desk.accounts.session = desk.accounts.session.at("ie-dub-1", DUB)
        return counted

    desk.link._count = moves_meanwhile  # type: ignore[method-assign]
    desk.link.recount()
    desk.link._count = count  # type: ignore[method-assign]
    desk.link.recount()  # the machine has not heard of it yet
    assert desk.accounts.completed == [True]
    desk.accounts.machine = Machine(Phase.SWITCHING, "ie-dub-1")
    desk.accounts.on_replay()
    assert desk.link.view().moved == Moved(0, 1, unknown=1)
    assert desk.accounts.completed == [True, False]


def test_an_older_count_replaces_no_later_one(desk: Desk) -> None:
    desk.wait_for("1")
    desk.accounts.on_replay()
    count = desk.link._count

    def is_overtaken(session: BookSession) -> Moved:
        counted = count(session)
        desk.link._count = count  # type: ignore[method-assign]
        desk.confirm(MUM, "1")
        desk.link.recount()
        return counted

    desk.link._count = is_overtaken  # type: ignore[method-assign]
    desk.link.recount()
    assert desk.link.view().moved == Moved(1, 1)
    assert desk.accounts.completed == [False, True]


def test_where_sending_fails_it_is_counted_and_looked_up_all_the_same(desk: Desk) -> None:
    def fails() -> None:
        raise StoreError("The disk is full.")

    desk.wait_for("1")
    desk.link.send = fails
    with pytest.raises(StoreError):
        desk.accounts.on_replay()
    assert desk.accounts.completed == [False]
    assert desk.following.kicks == 2


def test_signed_out_meanwhile_nothing_is_said_of_a_move(desk: Desk) -> None:
    desk.accounts.session = None
    desk.accounts.on_replay()
    assert desk.link.view().moved is None


def test_a_message_that_was_read_early_does_not_keep_it_syncing(desk: Desk) -> None:
    desk.wait_for("1")
    desk.accounts.machine = Machine(Phase.SYNCING, "in-mum-1", syncing_since=1.0)
    desk.accounts.on_replay()
    desk.link.dismiss_move()
    desk.confirm(MUM, "1")
    desk.following.on_look()
    assert desk.link.view().moved is None
    assert desk.accounts.completed == [False, True]


def test_a_server_that_was_away_is_looked_into_anew(desk: Desk) -> None:
    pin_id = desk.accounts.session.pin_id
    desk.change(Machine(Phase.SUSPECT, "in-mum-1"))
    desk.change(Machine(Phase.PINNED, "in-mum-1"))
    assert desk.accounts.session.pin_id == pin_id
    for phase in (Phase.RECONNECTING, Phase.REFRESHING, Phase.PINNED):
        desk.change(Machine(phase, "in-mum-1"))
    assert desk.accounts.session.pin_id != pin_id
    assert desk.following.kicks == 2  # each time that it is there again
    pin_id = desk.accounts.session.pin_id
    for phase, server in ((Phase.OFFLINE, "in-mum-1"), (Phase.SWITCHING, "in-mum-2")):
        desk.change(Machine(phase, server))
    assert desk.accounts.session.pin_id == pin_id  # a move has its own


def test_what_another_region_confirmed_is_not_claimed_to_be_here(desk: Desk) -> None:
    desk.wait_for("1", "2")
    desk.confirm(DUB, "1", "2")
    desk.accounts.on_replay()
    assert desk.link.view().moved == Moved(0, 2)
    assert desk.accounts.completed == [False]


def test_what_waits_is_sent_before_it_is_counted(desk: Desk) -> None:
    desk.wait_for("1")
    desk.link.send = lambda: desk.confirm(MUM, "1")
    desk.accounts.on_replay()
    assert [view.moved for view in desk.heard] == [Moved(0, 1), Moved(1, 1)]


def test_changes_of_more_than_a_day_ago_are_not_recent(desk: Desk) -> None:
    desk.wait_for("old", "new")
    desk.confirm(DUB, "old")
    desk.now_us += RECENT_US
    desk.confirm(MUM, "new")
    desk.accounts.on_replay()
    assert desk.link.view().moved == Moved(1, 1)


def test_after_five_minutes_what_is_missing_is_late(desk: Desk) -> None:
    desk.wait_for("1")
    desk.accounts.on_replay()
    desk.change(Machine(Phase.SYNCING, "in-mum-1", late=True))
    assert desk.link.view().moved == Moved(0, 1, late=True)
    desk.link.recount()
    assert desk.link.view().moved == Moved(0, 1, late=True)


def test_a_message_that_was_read_is_gone_and_nothing_is_counted_without_one(desk: Desk) -> None:
    desk.link.recount()
    assert desk.accounts.completed == []
    desk.accounts.on_replay()
    desk.link.dismiss_move()
    assert desk.link.view().moved is None


def test_the_countdown_and_the_servers_name_are_shown(desk: Desk) -> None:
    desk.change(Machine(Phase.RECONNECTING, "in-mum-1", deadline=35.0))
    assert desk.heard[-1] == ConnectionStatus(Phase.RECONNECTING, "in-mum-1 · ap-south-1", 35.0)
    assert desk.link.now() == 5.0
    desk.change(Machine(Phase.PINNED, "in-mum-1", deadline=35.0))
    assert desk.heard[-1].reconnect_at is None
    desk.accounts.is_remote = False
    assert desk.link.view().server_label == ""


def test_the_same_view_is_told_once(desk: Desk) -> None:
    desk.change(Machine(Phase.SUSPECT, "in-mum-1"))
    desk.change(Machine(Phase.SUSPECT, "in-mum-1", failures=1))
    assert len(desk.heard) == 1


def test_where_the_disk_fails_nothing_is_claimed(desk: Desk) -> None:
    desk.database.close()
    desk.accounts.on_replay()
    assert desk.link.view().moved == Moved(0, 1)


def test_changes_that_no_second_region_has_after_five_minutes_are_counted(desk: Desk) -> None:
    desk.late = 3
    desk.following.on_look()
    assert (desk.heard[-1].unsettled, desk.heard[-1].late) == (4, 3)
