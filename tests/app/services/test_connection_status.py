"""Where this computer's changes are after a move, and what is said of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.domain.connection_status import ConnectionStatus, Moved, Phase
from app.domain.session import Machine
from app.domain.sync_state import ReplicationStatus, arrived, by_entry, is_safe, is_settled, overdue
from app.services.connection_status import ConnectionTracker
from app.services.session_facts import BookSession
from app.store.database import Database
from app.store.outbox import Outbox
from app.store.replay_log import RECENT_US, Confirmed, ReplayLog

MUM, DUB = "ap-south-1", "eu-west-1"


class Desk:
    """A session whose machine the test moves, and operations that the test confirms."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "client.sqlite")
        self.now_us = 10 * RECENT_US
        self.completed: list[tuple[int, bool]] = []
        self.accounts = SimpleNamespace(
            session=BookSession("asha", "b", "M7A", "in-mum-1", MUM, "in-mum-1 · ap-south-1"),
            is_remote=True,
            replayed=lambda epoch, *, complete: self.completed.append((epoch, complete)),
            pin_anew=lambda: self.pin(self.session.pinned_anew()),
        )
        self.late = 0
        tracker = SimpleNamespace(counts=lambda: (self.late + 1, self.late), now_us=lambda: self.now_us)
        self.replay_log = ReplayLog(self.database)
        self.connection = ConnectionTracker(self.accounts, self.replay_log, tracker)  # type: ignore[arg-type]
        self.connection.take(Machine(Phase.PINNED, "in-mum-1"))

    @property
    def session(self) -> BookSession:
        session: BookSession = self.accounts.session
        return session

    def pin(self, session: BookSession) -> None:
        """Let another pin begin."""
        self.accounts.session = session

    def take(self, phase: Phase, server: str = "in-mum-1", **more: Any) -> bool:
        return self.connection.take(Machine(phase, server, **more))

    def move(self) -> Moved | None:
        """Do what the sync worker does after a move, when there was nothing to send."""
        self.connection.begin_move()
        self.connection.recount()
        return self.connection.view().moved

    def wait_for(self, *op_ids: str) -> None:
        with self.database.write() as connection:
            for op_id in op_ids:
                connection.execute(
                    "INSERT INTO outbox (op_id, ver, book_id, kind, entry_id, human_code, payload, documents,"
                    " created_us) VALUES (?, 1, 'b', 'create', '', '', '', '[]', 0)",
                    (op_id,),
                )

    def confirm(self, region: str, *op_ids: str) -> None:
        for op_id in op_ids:
            by = Confirmed("in-mum-1", region, self.session.pin_id)
            Outbox(self.database).confirm(op_id, by, self.now_us)


@pytest.fixture
def desk(tmp_path: Path):
    made = Desk(tmp_path)
    yield made
    made.database.close()


def status_of(op_id: str, *regions: str, rows: tuple[str, ...] = (), at_us: int = 1) -> ReplicationStatus:
    return ReplicationStatus(
        op_id, f"e{op_id}", int(op_id), frozenset(regions + rows), frozenset(regions), "s", at_us
    )


def test_arrived_counts_operations_that_are_complete_in_a_region() -> None:
    ops = [status_of("1", MUM), status_of("2", MUM, DUB), status_of("3"), status_of("4", rows=(MUM,))]
    assert arrived(ops, MUM, "") == (2, 4, 0)
    assert arrived(ops, DUB, "") == (1, 4, 0)
    assert arrived(ops, DUB, "a later pin") == (0, 4, 3)
    assert arrived([], DUB, "") == (0, 0, 0)


def test_a_status_with_a_count_counts_as_many_operations() -> None:
    both, one = frozenset({MUM, DUB}), frozenset({MUM})
    ops = [ReplicationStatus("", rows=both, bytes=both, at_us=5, count=30)]
    ops += [ReplicationStatus("", rows=both, bytes=one, at_us=5, count=7), status_of("1")]
    assert arrived(ops, DUB, "") == (30, 38, 0)
    assert overdue(ops, 2, 10) == 8


def test_an_operation_is_safe_in_two_regions_or_in_the_only_one() -> None:
    assert is_safe(status_of("1", MUM, DUB), 3)
    assert not is_safe(status_of("1", MUM), 2)
    assert not is_safe(status_of("1", MUM, rows=(DUB,)), 2)  # its bills are not there yet
    assert is_safe(status_of("1", MUM), 1)
    assert not is_safe(status_of("1"), 1)


def test_an_operation_is_settled_if_it_is_safe_and_in_the_present_region() -> None:
    assert is_settled(status_of("1", MUM, DUB), MUM, "", 3)
    assert not is_settled(status_of("1", MUM, DUB), MUM, "a later pin", 3)
    assert not is_settled(status_of("1", MUM, DUB), "us-east-1", "", 3)  # safe, and not here
    assert not is_settled(status_of("1", MUM), MUM, "", 2)
    assert is_settled(status_of("1", MUM), MUM, "", 1)


def test_an_unconfirmed_operation_is_not_overdue() -> None:
    ops = [status_of("1", MUM, at_us=5), status_of("2", MUM, at_us=50), status_of("3", at_us=0)]
    assert overdue(ops, 2, 10) == 1
    assert overdue(ops, 1, 10) == 0


def test_the_status_of_an_entry_is_that_of_its_last_change() -> None:
    old, new = status_of("1", MUM, DUB), ReplicationStatus("2", "e1", 2, frozenset({MUM}), frozenset({MUM}))
    assert by_entry([new, old]) == {"e1": new}


def test_after_a_move_inside_a_region_only_unsent_changes_are_missing(desk: Desk) -> None:
    desk.wait_for("1", "2", "3")
    desk.confirm(MUM, "1", "2")
    assert desk.move() == Moved(2, 3)
    assert desk.completed == [(0, False)]
    assert desk.connection.is_awaited
    desk.confirm(MUM, "3")
    desk.connection.recount()
    assert desk.connection.view().moved == Moved(3, 3)
    assert desk.completed == [(0, False), (0, True)]
    assert not desk.connection.is_awaited


def test_after_a_move_a_change_counts_only_when_its_status_was_polled_again(desk: Desk) -> None:
    desk.wait_for("1", "2", "3")
    desk.confirm(MUM, "1", "2")
    desk.pin(desk.session.pinned_to("in-mum-1", MUM))
    assert desk.move() == Moved(0, 3, unknown=2)
    desk.replay_log.learn({"1": ([MUM], [MUM]), "2": ([MUM], [])}, desk.session.pin_id)
    desk.connection.recount()
    assert desk.connection.view().moved == Moved(1, 3)


def test_the_message_about_a_move_appears_before_the_outbox_is_sent(desk: Desk) -> None:
    desk.wait_for("1")
    desk.connection.begin_move()
    assert desk.connection.view().moved == Moved(0, 1)
    assert desk.completed == []
    desk.confirm(MUM, "1")
    desk.connection.recount()
    assert desk.connection.view().moved == Moved(1, 1)


def test_a_count_from_before_a_move_is_discarded(desk: Desk) -> None:
    desk.wait_for("1")
    desk.confirm(MUM, "1")
    desk.move()
    assert desk.completed == [(0, True)]
    count = desk.replay_log.recent_counted

    def moves_meanwhile(book_id: str, now_us: int) -> list[ReplicationStatus]:
        counted = count(book_id, now_us)
        desk.pin(desk.session.pinned_to("ie-dub-1", DUB))
        return counted

    desk.replay_log.recent_counted = moves_meanwhile  # type: ignore[method-assign]
    desk.connection.recount()
    desk.replay_log.recent_counted = count  # type: ignore[method-assign]
    desk.connection.recount()  # nobody has said yet that the machine is elsewhere
    assert desk.completed == [(0, True)]
    desk.take(Phase.SWITCHING, "ie-dub-1", epoch=1)
    assert desk.move() == Moved(0, 1, unknown=1)
    assert desk.completed == [(0, True), (1, False)]


def test_there_is_no_message_about_a_move_after_signing_out(desk: Desk) -> None:
    desk.accounts.session = None
    assert desk.move() is None
    assert desk.completed == []


def test_the_message_disappears_when_the_session_ends(desk: Desk) -> None:
    desk.wait_for("1")
    desk.move()
    desk.take(Phase.SIGNED_OUT, "")
    assert desk.connection.view().moved is None
    assert not desk.connection.is_awaited


def test_closing_the_message_early_does_not_keep_the_machine_syncing(desk: Desk) -> None:
    desk.wait_for("1")
    desk.take(Phase.SYNCING, syncing_since=1.0)
    desk.move()
    desk.connection.dismiss_move()
    assert not desk.connection.is_awaited
    desk.confirm(MUM, "1")
    desk.connection.recount()
    assert desk.connection.view().moved is None
    assert desk.completed == [(0, False), (0, True)]


def test_a_server_that_was_away_is_pinned_anew(desk: Desk) -> None:
    pin_id = desk.session.pin_id
    desk.take(Phase.SUSPECT)
    desk.take(Phase.PINNED)
    assert desk.session.pin_id == pin_id
    for phase in (Phase.RECONNECTING, Phase.REFRESHING, Phase.PINNED):
        desk.take(phase)
    assert desk.session.pin_id != pin_id
    pin_id = desk.session.pin_id
    for phase, server in ((Phase.OFFLINE, "in-mum-1"), (Phase.SWITCHING, "in-mum-2")):
        desk.take(phase, server)
    assert desk.session.pin_id == pin_id  # a move has its own


def test_take_returns_true_once_each_time_a_server_is_back(desk: Desk) -> None:
    assert [desk.take(phase) for phase in (Phase.PINNED, Phase.SUSPECT, Phase.PINNED)] == [False, False, True]
    assert [desk.take(phase) for phase in (Phase.OFFLINE, Phase.SYNCING, Phase.PINNED)] == [
        False,
        True,
        False,
    ]


def test_a_change_confirmed_by_another_region_does_not_count_as_arrived(desk: Desk) -> None:
    desk.wait_for("1", "2")
    desk.confirm(DUB, "1", "2")
    assert desk.move() == Moved(0, 2)
    assert desk.completed == [(0, False)]


def test_changes_older_than_a_day_are_not_recent(desk: Desk) -> None:
    desk.wait_for("old", "new")
    desk.confirm(DUB, "old")
    desk.now_us += RECENT_US
    desk.confirm(MUM, "new")
    assert desk.move() == Moved(1, 1)


def test_missing_changes_are_late_after_five_minutes(desk: Desk) -> None:
    desk.wait_for("1")
    desk.move()
    desk.take(Phase.SYNCING, late=True)
    assert desk.connection.view().moved == Moved(0, 1, late=True)
    desk.connection.recount()
    assert desk.connection.view().moved == Moved(0, 1, late=True)
    desk.confirm(MUM, "1")
    desk.connection.recount()
    assert desk.connection.view().moved == Moved(1, 1)


def test_a_closed_message_stays_closed_and_nothing_is_counted_without_one(desk: Desk) -> None:
    desk.connection.recount()
    assert desk.completed == []
    desk.move()
    desk.connection.dismiss_move()
    assert desk.connection.view().moved is None


def test_the_countdown_and_the_servers_name_are_shown(desk: Desk) -> None:
    desk.take(Phase.RECONNECTING, deadline=35.0)
    assert desk.connection.view() == ConnectionStatus(
        Phase.RECONNECTING, "in-mum-1 · ap-south-1", 35.0, None, 0, 0
    )
    desk.take(Phase.PINNED, deadline=35.0)
    assert desk.connection.view().reconnect_at is None
    desk.accounts.is_remote = False
    assert desk.connection.view().server_label == ""
    desk.accounts.is_remote, desk.accounts.session = True, None
    assert desk.connection.view().server_label == ""


@pytest.mark.parametrize("away", [Phase.RECONNECTING, Phase.OFFLINE, Phase.SWITCHING])
def test_the_status_is_reconnecting_while_another_server_is_looked_for(desk: Desk, away: Phase) -> None:
    desk.take(Phase.REFRESHING)
    assert desk.connection.view().phase is Phase.REFRESHING  # the server is there, and renews a token
    desk.take(away, deadline=35.0)
    desk.take(Phase.REFRESHING, deadline=35.0, reason="unreachable")
    assert desk.connection.view().phase is Phase.RECONNECTING
    assert desk.connection.view().reconnect_at is None
    desk.take(Phase.SUSPECT)
    desk.take(Phase.REFRESHING)
    assert desk.connection.view().phase is Phase.RECONNECTING
    for there in (Phase.PINNED, Phase.SYNCING):
        desk.take(there)
        desk.take(Phase.REFRESHING)
        assert desk.connection.view().phase is Phase.REFRESHING


def test_the_status_stays_offline_during_the_tries_for_a_server(desk: Desk) -> None:
    desk.take(Phase.REFRESHING, reason="unreachable", backoff=2)
    assert desk.connection.view().phase is Phase.OFFLINE


def test_a_new_session_ignores_the_lost_server_of_the_previous_one(desk: Desk) -> None:
    desk.take(Phase.OFFLINE)
    desk.take(Phase.SIGNED_OUT, "")
    desk.take(Phase.REFRESHING)
    assert desk.connection.view().phase is Phase.REFRESHING


def test_if_the_disk_fails_no_change_counts_as_arrived(desk: Desk) -> None:
    desk.database.close()
    assert desk.move() == Moved(0, 1)
    assert desk.completed == [(0, False)]


def test_changes_that_no_second_region_has_after_five_minutes_are_counted(desk: Desk) -> None:
    desk.late = 3
    desk.connection.recount()
    view = desk.connection.view()
    assert (view.unsettled, view.late) == (4, 3)
