"""Moving the book of this computer to a server."""

from decimal import Decimal

import pytest

from app.domain.entry import EntryFilter
from app.services.moving import MoveProgress, MoveResult
from server.contract.join import InviteLink, make_link
from tests.app.services.contract.conftest import StartStage
from tests.app.services.contract.refusals import (
    CANCELLED,
    DAMAGED_LINK,
    INVITE_MISSING,
    NAME_TAKEN,
    NO_ADDRESS,
    NO_PASSWORD,
    NO_USER_NAME,
    NOT_OPEN,
    SHORT_PASSWORD,
    SIGNED_OUT,
    WRONG_CREDENTIALS,
    refusal,
    refused_at,
)
from tests.app.services.contract.stages import Desk, Stage
from tests.app.store.samples import PNG
from tests.support.api import PASSWORD, a_name

STAGES = ["connecting", "copying", "verifying", "done"]


@pytest.fixture
def own(desk: Desk) -> Desk:
    """The book of this computer, with two entries; one was changed and has a bill."""
    fill(desk)
    return desk


def fill(desk: Desk) -> None:
    desk.accounts.sign_in_local("Asha Rao", "")
    bill = desk.documents.attach_bytes(PNG, "bill.png")
    taxi = desk.save("Taxi", "12.50", bill)
    desk.save("Chai", "5")
    desk.change(taxi.id, amount=Decimal(13))
    desk.send()


class Move:
    """One try; `told` is its progress. It is cancelled once `cancel_at` has been told."""

    def __init__(self, desk: Desk, name: str = "", cancel_at: str = "") -> None:
        self.desk = desk
        self.name = name or a_name()
        self.cancel_at = cancel_at
        self.told: list[MoveProgress] = []

    def __call__(
        self, address: str | None = None, password: str = PASSWORD, *, create: bool = True, code: str = ""
    ) -> MoveResult:
        at = self.desk.stage.address if address is None else address
        return self.desk.moving.move(at, self.name, password, create, code, self.told.append, self.cancelled)

    def cancelled(self) -> bool:
        return any(step.stage == self.cancel_at for step in self.told)

    def stages(self) -> list[str]:
        return list(dict.fromkeys(step.stage for step in self.told))


def test_there_is_no_unfinished_move_at_first(own: Desk) -> None:
    assert (own.moving.pending(), own.moving.pending_user()) == ("", "")


def test_a_moved_book_is_open_at_the_server_and_equal(own: Desk, stage: Stage) -> None:
    before = own.entries.page(EntryFilter(), None).entries
    session, move = own.accounts.require_session(), Move(own)
    result = move()
    assert (result.entries, result.documents, result.versions) == (2, 1, 4)
    assert own.accounts.session == result.session
    assert (result.session.user_name, result.session.region) == (move.name, stage.region)
    assert result.session.server_label == f"{stage.server_id} · {stage.region}"
    assert result.session.book_id != session.book_id
    assert own.entries.page(EntryFilter(), None).entries == before
    assert own.moving.pending() == own.moving.pending_user() == ""
    assert own.save("Later").human_code.startswith(result.session.code_prefix)


def test_progress_is_reported_from_the_log_in_to_the_end(own: Desk) -> None:
    move = Move(own)
    move()
    assert move.stages() == STAGES
    assert move.told[0] == MoveProgress(0, 0, 0, "connecting")
    last = move.told[-1]
    assert (last.entries_done, last.entries_total, last.stage) == (2, 2, "done")
    copying = [step.entries_done for step in move.told if step.stage == "copying"]
    assert copying == sorted(copying)
    assert all(step.entries_total == 2 for step in move.told[1:])
    sent = [step.bytes_sent for step in move.told]
    assert sent == sorted(sent)
    assert sent[-1] == len(PNG)


def test_the_outbox_is_sent_before_the_move(own: Desk) -> None:
    own.save("Bus")
    result = Move(own)()
    assert result.entries == 3
    assert own.listed() == ["Bus", "Chai", "Taxi"]
    assert own.entries.overridden() == frozenset()


@pytest.mark.parametrize("stage_name", ["copying", "verifying"])
def test_a_cancelled_move_is_pending_and_can_be_continued(own: Desk, stage_name: str) -> None:
    session = own.accounts.session
    move = Move(own, cancel_at=stage_name)
    assert refusal(move) == CANCELLED
    assert own.accounts.session == session
    assert (own.moving.pending(), own.moving.pending_user()) == (own.stage.address, move.name)
    own.restart()
    own.accounts.sign_in_local("Asha Rao", "")
    assert own.moving.pending() == own.stage.address
    again = Move(own, move.name)
    assert again(create=False).entries == 2
    assert own.moving.pending() == ""
    assert own.listed() == ["Chai", "Taxi"]


def test_a_move_by_an_invite_link_is_stored_without_its_code(start_stage: StartStage) -> None:
    stage = start_stage(registration="invite")
    desk = stage.desk()
    fill(desk)
    assert refusal(Move(desk)) == INVITE_MISSING
    assert desk.moving.pending() == ""
    link = make_link(InviteLink(stage.address, stage.fingerprint, stage.invite()))
    move = Move(desk, cancel_at="copying")
    assert refusal(lambda: move(link)) == CANCELLED
    assert desk.moving.pending() == stage.address
    assert Move(desk)(code=stage.invite()).entries == 2


def test_a_failed_log_in_has_the_usual_error_and_leaves_no_pending_move(own: Desk, stage: Stage) -> None:
    taken = stage.desk()
    taken.register()
    session = own.accounts.session
    told = [
        refusal(lambda: Move(own)("")),
        refusal(lambda: Move(own)("bahi:nonsense")),
        refusal(lambda: Move(own, " ")()),
        refusal(lambda: Move(own)(password="")),
        refusal(lambda: Move(own)(password="short")),
        refusal(lambda: Move(own, taken.name)(password="another password")),
        refusal(lambda: Move(own, taken.name)(password="another password", create=False)),
        refusal(lambda: Move(own)(create=False)),
    ]
    assert told == [
        NO_ADDRESS,
        DAMAGED_LINK,
        NO_USER_NAME,
        NO_PASSWORD,
        SHORT_PASSWORD,
        NAME_TAKEN,
        WRONG_CREDENTIALS,
        WRONG_CREDENTIALS,
    ]
    assert own.accounts.session == session
    assert own.moving.pending() == ""
    assert own.listed() == ["Chai", "Taxi"]


def test_a_book_with_a_refused_entry_is_not_moved(own: Desk) -> None:
    own.refused()
    told = refusal(Move(own))
    assert (told.message, told.fields) == (
        "1 change is still waiting. See the page Waiting, then move the book.",
        {},
    )
    assert own.moving.pending() == ""


def test_without_a_server_nothing_is_moved(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    fill(desk)
    stage.stop()
    assert refusal(Move(desk)) == refused_at(stage.address)
    desk.save("Bus")
    assert refusal(Move(desk)) == NOT_OPEN
    assert desk.moving.pending() == ""


def test_a_book_cannot_be_moved_while_signed_out(own: Desk) -> None:
    own.accounts.sign_out()
    assert refusal(Move(own)) == SIGNED_OUT
    assert (own.moving.pending(), own.moving.pending_user()) == ("", "")
