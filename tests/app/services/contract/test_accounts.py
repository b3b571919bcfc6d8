"""Signing in and out, resuming, sessions and passwords."""

from collections.abc import Callable

import pytest

from app.domain.entry import EntryFilter
from app.services.accounts import LocalBookFacts
from app.services.session_facts import InviteFacts
from server.contract.join import InviteLink, make_link
from tests.app.services.contract.conftest import StartStage
from tests.app.services.contract.refusals import (
    CLOSED,
    DAMAGED_LINK,
    INVITE_MISSING,
    INVITE_SPENT,
    INVITE_WRONG,
    LONG_NAME,
    LONG_NEW_PASSWORD,
    LONG_PASSWORD,
    MORE_THAN_AN_ADDRESS,
    NAME_TAKEN,
    NO_ADDRESS,
    NO_NEW_NAME,
    NO_PASSWORD,
    NO_USER_NAME,
    NOT_AN_ADDRESS,
    NOT_OPEN,
    NOT_PROTECTED,
    NOT_THE_OLD_PASSWORD,
    OFFLINE,
    OTHER_CLUSTER,
    SHORT_NEW_PASSWORD,
    SHORT_PASSWORD,
    SIGNED_OUT,
    TOO_MANY_ATTEMPTS,
    WRONG_CREDENTIALS,
    WRONG_PASSWORD,
    Refusal,
    not_found,
    refusal,
    refused_at,
)
from tests.app.services.contract.stages import Desk, Stage
from tests.support.api import PASSWORD, a_name
from tests.support.fake_keyring import FakeKeyring

NEW = "a new and longer password"


# --- the book of this computer --------------------------------------------------------------------


def test_the_first_start_creates_the_book_and_later_ones_open_it(desk: Desk) -> None:
    assert desk.accounts.local_book() == LocalBookFacts(exists=False, user_name="", has_password=False)
    made = desk.accounts.sign_in_local(" Asha Rao ", "")
    assert (made.user_name, made.server_label, made.region) == ("Asha Rao", "This computer", "local")
    assert desk.accounts.local_book() == LocalBookFacts(exists=True, user_name="Asha Rao", has_password=False)
    facts = desk.accounts.book_facts()
    assert (desk.accounts.words.is_local, facts.address, facts.region) == (True, "", "local")
    desk.restart()
    assert desk.accounts.sign_in_local("Asha Rao", "") == made


def test_the_book_keeps_the_name_of_its_first_user(desk: Desk) -> None:
    desk.accounts.sign_in_local("Asha Rao", "")
    assert desk.accounts.sign_in_local("Meera", "not asked for").user_name == "Asha Rao"


@pytest.mark.parametrize(
    ("name", "password", "expected"),
    [
        ("", "", NO_NEW_NAME),
        (" \t", "", NO_NEW_NAME),
        ("x" * 65, "", LONG_NAME),
        (" \u200b", "", NO_NEW_NAME),
        ("asha", "short", SHORT_PASSWORD),
        ("asha", "x" * 257, LONG_PASSWORD),
    ],
)
def test_a_book_is_not_created_with_an_invalid_name_or_password(
    desk: Desk, name: str, password: str, expected: Refusal
) -> None:
    assert refusal(lambda: desk.accounts.sign_in_local(name, password)) == expected
    assert not desk.accounts.local_book().exists


def test_a_name_is_stored_without_line_breaks_and_what_nobody_sees(desk: Desk) -> None:
    assert desk.accounts.sign_in_local("\u200eAsha\nRao\u200b", "").user_name == "Asha Rao"


def test_a_password_is_one_in_every_normal_form(desk: Desk, stage: Stage) -> None:
    composed, decomposed = "Café au lait", "Cafe\u0301\u00a0au lait"
    desk.accounts.sign_in_local("asha", decomposed)
    desk.restart()
    desk.accounts.sign_in_local("asha", composed)
    name = a_name()
    desk.accounts.sign_in_remote(stage.address, name, composed, create=True)
    desk.accounts.sign_in_again(decomposed)
    desk.accounts.change_password(decomposed, f"new {decomposed}")
    desk.accounts.sign_out()
    desk.accounts.sign_in_remote(stage.address, name, f"new {composed}")


def test_a_book_with_a_password_opens_only_with_it(desk: Desk) -> None:
    desk.accounts.sign_in_local("asha", PASSWORD)
    assert desk.accounts.local_book() == LocalBookFacts(True, "asha", True, has_recovery_code=True)
    for wrong in ("wrong", ""):
        desk.restart()
        assert refusal(lambda wrong=wrong: desk.accounts.sign_in_local("asha", wrong)) == WRONG_PASSWORD
        assert desk.accounts.session is None
        assert desk.accounts.sign_in_local("asha", PASSWORD).user_name == "asha"


def test_the_local_book_does_not_open_without_its_server(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    stage.stop()
    assert refusal(desk.accounts.local_book) == NOT_OPEN
    assert refusal(lambda: desk.accounts.sign_in_local("asha", "")) == NOT_OPEN


# --- a server -------------------------------------------------------------------------------------


def test_an_account_can_be_created_and_opened_again(desk: Desk, stage: Stage) -> None:
    made = desk.register()
    assert (made.user_name, made.server_id, made.region) == (desk.name, stage.server_id, stage.region)
    assert made.server_label == f"{stage.server_id} · {stage.region}"
    facts = desk.accounts.book_facts()
    assert (facts.user_name, facts.address) == (desk.name, stage.address)
    assert (facts.server_id, facts.region) == (stage.server_id, stage.region)
    assert not desk.accounts.words.is_local
    assert made.book_id
    assert len(made.code_prefix) == 3
    assert desk.accounts.session == made
    desk.accounts.sign_out()
    assert desk.login(desk.name) == made


def test_another_installation_opens_the_same_book_with_a_code_prefix_of_its_own(book: Desk) -> None:
    mine, theirs = book.accounts.session, book.elsewhere().accounts.session
    assert mine is not None
    assert theirs is not None
    assert theirs.book_id == mine.book_id
    assert theirs.code_prefix != mine.code_prefix


def test_spaces_around_a_user_name_are_ignored(desk: Desk, stage: Stage) -> None:
    name = a_name()
    made = desk.accounts.sign_in_remote(stage.address, f" {name} ", PASSWORD, create=True)
    assert made.user_name == name


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", NO_ADDRESS),
        ("not a server", NOT_AN_ADDRESS),
        ("https://books.example.com:x", NOT_AN_ADDRESS),
        ("https://books.example.com/path", MORE_THAN_AN_ADDRESS),
        ("http://books.example.com", NOT_PROTECTED),
        ("bahi:nonsense", DAMAGED_LINK),
    ],
)
def test_the_address_is_checked_before_everything_else(desk: Desk, address: str, expected: Refusal) -> None:
    assert refusal(lambda: desk.accounts.sign_in_remote(address, "", "")) == expected


def test_name_and_password_are_checked_before_a_server_is_called(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    stage.stop()
    sign_in = desk.accounts.sign_in_remote
    assert refusal(lambda: sign_in(stage.address, " ", "")) == NO_USER_NAME
    assert refusal(lambda: sign_in(stage.address, "asha", "")) == NO_PASSWORD
    assert refusal(lambda: sign_in(stage.address, "asha", PASSWORD)) == refused_at(stage.address)
    assert refusal(lambda: sign_in(stage.address, "asha", "short", create=True)) == refused_at(stage.address)
    stage.start()
    assert desk.register() == desk.accounts.session


@pytest.mark.parametrize(
    ("name", "password", "expected"),
    [
        ("x" * 65, PASSWORD, LONG_NAME),
        ("asha", "short", SHORT_PASSWORD),
        ("asha", "x" * 257, LONG_PASSWORD),
    ],
)
def test_an_account_is_not_created_with_an_invalid_name_or_password(
    desk: Desk, stage: Stage, name: str, password: str, expected: Refusal
) -> None:
    sign_in = desk.accounts.sign_in_remote
    assert refusal(lambda: sign_in(stage.address, name, password, create=True)) == expected


def test_different_spellings_of_a_name_are_one_account(book: Desk, stage: Stage) -> None:
    other = stage.desk().accounts
    name = book.name.upper()
    assert refusal(lambda: other.sign_in_remote(stage.address, name, NEW, create=True)) == NAME_TAKEN
    assert refusal(lambda: other.sign_in_remote(stage.address, name, NEW)) == WRONG_CREDENTIALS
    assert other.session is None
    assert other.sign_in_remote(stage.address, name, PASSWORD).user_name == book.name


def test_a_log_in_with_an_unknown_name_is_refused(desk: Desk, stage: Stage) -> None:
    sign_in = desk.accounts.sign_in_remote
    assert refusal(lambda: sign_in(stage.address, a_name(), PASSWORD)) == WRONG_CREDENTIALS


def test_the_open_book_stays_open_after_a_wrong_password(book: Desk, stage: Stage) -> None:
    before = book.accounts.session
    sign_in = book.accounts.sign_in_remote
    assert refusal(lambda: sign_in(stage.address, book.name, "wrong")) == WRONG_CREDENTIALS
    assert book.accounts.session == before
    assert book.entries.page(EntryFilter(), None).entries == ()


def test_after_too_many_wrong_passwords_the_error_names_the_time_to_wait(book: Desk) -> None:
    told = [refusal(lambda: book.accounts.sign_in_again("wrong")) for _ in range(12)]
    assert told[0] == WRONG_PASSWORD
    assert told[-1] == TOO_MANY_ATTEMPTS
    assert refusal(lambda: book.accounts.sign_in_again(PASSWORD)) == TOO_MANY_ATTEMPTS


def test_a_server_with_closed_registration_creates_no_account(start_stage: StartStage) -> None:
    assert refusal(start_stage(registration="closed").desk().register) == CLOSED


def test_an_invitation_can_be_used_for_one_account(start_stage: StartStage) -> None:
    stage = start_stage(registration="invite")
    desk = stage.desk()

    def create(code: str, address: str = stage.address) -> str:
        made = desk.accounts.sign_in_remote(address, a_name(), PASSWORD, create=True, invite_code=code)
        return made.user_name

    assert refusal(lambda: create("")) == INVITE_MISSING
    assert refusal(lambda: create("nonsense")) == INVITE_WRONG
    code = stage.invite()
    assert create(f" {code}\n") == desk.accounts.require_session().user_name
    assert refusal(lambda: create(code)) == INVITE_SPENT
    in_a_link = make_link(InviteLink(stage.address, stage.fingerprint, stage.invite()))
    assert create("", in_a_link)


def test_an_invite_link_is_accepted_only_at_its_own_servers(book: Desk, stage: Stage) -> None:
    other = stage.desk().accounts
    wrong = make_link(InviteLink(stage.address, "cd" * 32))
    assert refusal(lambda: other.sign_in_remote(wrong, book.name, PASSWORD)) == OTHER_CLUSTER
    right = make_link(InviteLink(stage.address, stage.fingerprint))
    assert other.sign_in_remote(right, book.name, PASSWORD).user_name == book.name


def test_an_invite_link_is_read_without_a_server(desk: Desk) -> None:
    link = make_link(InviteLink("https://books.example.com", "ab" * 32, "K7QD"))
    assert desk.accounts.read_invite(f" {link}\n") == InviteFacts("https://books.example.com", "K7QD")
    assert desk.accounts.read_invite("https://books.example.com") is None
    assert refusal(lambda: desk.accounts.read_invite(link[:60])) == DAMAGED_LINK


# --- remembering ----------------------------------------------------------------------------------


def test_nothing_is_resumed_before_the_first_log_in(desk: Desk) -> None:
    assert desk.accounts.resume() is None
    assert desk.accounts.session is None


def test_a_session_is_not_resumed_unless_it_is_remembered(desk: Desk) -> None:
    desk.register()
    desk.restart()
    assert desk.accounts.session is None
    assert desk.accounts.resume() is None


def test_a_remembered_session_is_resumed_after_every_start(desk: Desk) -> None:
    before = desk.register(remember=True)
    for _ in range(2):
        desk.restart()
        assert desk.accounts.resume() == before
        assert desk.accounts.session == before
        assert desk.entries.page(EntryFilter(), None).entries == ()


def test_the_local_book_is_resumed_too(desk: Desk) -> None:
    before = desk.accounts.sign_in_local("asha", PASSWORD, remember=True)
    desk.restart()
    assert desk.accounts.resume() == before


def test_the_remembered_book_opens_without_a_server(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    before = desk.register(remember=True)
    stage.stop()
    desk.restart()
    assert desk.accounts.resume() == before
    desk.save()
    assert len(desk.entries.pending(EntryFilter())) == 1


def test_a_session_ended_on_another_device_is_not_resumed(desk: Desk) -> None:
    desk.register(remember=True)
    desk.end_session_from_elsewhere()
    desk.restart()
    assert desk.accounts.resume() is None
    assert desk.accounts.session is None


def test_a_session_is_remembered_in_the_keyring_or_in_memory(
    desk: Desk, stage: Stage, key_store: FakeKeyring
) -> None:
    assert desk.accounts.remembers() == "keyring"
    key_store.trouble = RuntimeError("no keyring")
    without = stage.desk()
    without.register(remember=True)
    assert without.accounts.remembers() == "memory"
    without.restart()
    assert without.accounts.resume() is None


# --- signing out and in again ---------------------------------------------------------------------


def test_signing_out_deletes_the_session_and_keeps_the_outbox(desk: Desk) -> None:
    desk.register(remember=True)
    desk.save()
    desk.accounts.sign_out()
    assert desk.accounts.session is None
    assert refusal(lambda: desk.entries.page(EntryFilter(), None)) == SIGNED_OUT
    desk.restart()
    assert desk.accounts.resume() is None
    desk.login(desk.name)
    assert [row.description for row in desk.entries.pending(EntryFilter())] == ["Taxi"]


def test_signing_out_works_without_a_server(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    stage.stop()
    desk.accounts.sign_out()
    assert desk.accounts.session is None


def test_signing_out_ends_the_session_at_the_server(book: Desk) -> None:
    other = book.elsewhere()
    assert len(other.accounts.sessions()) == 2
    book.accounts.sign_out()
    assert [session.this_one for session in other.accounts.sessions()] == [True]


def test_signing_in_again_keeps_the_open_book(book: Desk) -> None:
    before = book.accounts.session
    book.save()
    book.end_session_from_elsewhere()
    assert refusal(lambda: book.entries.page(EntryFilter(), None)) == SIGNED_OUT
    assert book.accounts.session == before
    assert refusal(lambda: book.accounts.sign_in_again("")) == NO_PASSWORD
    assert refusal(lambda: book.accounts.sign_in_again("wrong")) == WRONG_PASSWORD
    assert book.accounts.sign_in_again(PASSWORD) == before
    assert len(book.entries.pending(EntryFilter())) == 1
    assert book.entries.page(EntryFilter(), None).entries == ()


def test_signing_in_again_works_for_the_local_book(desk: Desk) -> None:
    before = desk.accounts.sign_in_local("asha", "")
    assert desk.accounts.sign_in_again("") == before
    desk.accounts.change_password("", PASSWORD)
    for wrong in ("wrong", ""):
        assert refusal(lambda wrong=wrong: desk.accounts.sign_in_again(wrong)) == WRONG_PASSWORD
        assert desk.accounts.sign_in_again(PASSWORD) == before


def test_signing_in_again_fails_without_a_server(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    stage.stop()
    assert refusal(lambda: desk.accounts.sign_in_again("")) == NO_PASSWORD
    assert refusal(lambda: desk.accounts.sign_in_again(PASSWORD)) == refused_at(stage.address, typed=False)


# --- sessions and passwords -----------------------------------------------------------------------


def test_the_sessions_are_listed_newest_first_and_can_be_ended(book: Desk) -> None:
    (mine,) = book.accounts.sessions()
    assert mine.this_one
    assert mine.began.utcoffset() is not None
    assert mine.last_used >= mine.began
    assert mine.device_name
    other = book.elsewhere()
    told = book.accounts.sessions()
    assert [session.this_one for session in told] == [False, True]
    assert told[0].began > told[1].began
    assert told[1].family == mine.family
    book.accounts.end_session(told[0].family)
    assert [session.family for session in book.accounts.sessions()] == [mine.family]
    assert refusal(other.accounts.sessions) == SIGNED_OUT
    assert refusal(lambda: other.entries.page(EntryFilter(), None)) == SIGNED_OUT


def test_all_other_sessions_can_be_ended_at_once(book: Desk) -> None:
    others = [book.elsewhere(), book.elsewhere()]
    assert book.accounts.end_other_sessions() == 2
    assert [session.this_one for session in book.accounts.sessions()] == [True]
    assert [refusal(other.accounts.sessions) for other in others] == [SIGNED_OUT] * 2
    assert book.accounts.end_other_sessions() == 0


def test_an_unknown_session_cannot_be_ended(book: Desk) -> None:
    assert refusal(lambda: book.accounts.end_session("x")) == not_found("session")


def test_a_new_password_ends_the_other_sessions(book: Desk, stage: Stage) -> None:
    other = book.elsewhere()
    assert book.accounts.change_password(PASSWORD, NEW) == 1
    assert refusal(other.accounts.sessions) == SIGNED_OUT
    assert len(book.accounts.sessions()) == 1
    assert refusal(lambda: book.accounts.sign_in_again(PASSWORD)) == WRONG_PASSWORD
    again = stage.desk().accounts
    assert refusal(lambda: again.sign_in_remote(stage.address, book.name, PASSWORD)) == WRONG_CREDENTIALS
    assert again.sign_in_remote(stage.address, book.name, NEW).user_name == book.name
    assert book.accounts.change_password(NEW, PASSWORD) == 1


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("wrong", NEW, NOT_THE_OLD_PASSWORD),
        ("", NEW, NOT_THE_OLD_PASSWORD),
        (PASSWORD, "short", SHORT_NEW_PASSWORD),
        (PASSWORD, "", SHORT_NEW_PASSWORD),
        (PASSWORD, "x" * 257, LONG_NEW_PASSWORD),
        ("wrong", "short", SHORT_NEW_PASSWORD),
    ],
)
def test_errors_of_a_password_change_name_their_field(
    book: Desk, old: str, new: str, expected: Refusal
) -> None:
    assert refusal(lambda: book.accounts.change_password(old, new)) == expected
    assert book.accounts.sign_in_again(PASSWORD) == book.accounts.session


def test_the_password_of_the_local_book_can_be_set_and_removed(desk: Desk) -> None:
    desk.accounts.sign_in_local("asha", "")
    assert refusal(lambda: desk.accounts.change_password("", "short")) == SHORT_NEW_PASSWORD
    assert desk.accounts.change_password("whatever", NEW) == 0  # there is none to be asked for
    assert desk.accounts.local_book().has_password
    assert refusal(lambda: desk.accounts.change_password("wrong", PASSWORD)) == NOT_THE_OLD_PASSWORD
    assert desk.accounts.change_password(NEW, "") == 0
    assert not desk.accounts.local_book().has_password


def _account_calls(desk: Desk) -> list[Callable[[], object]]:
    return [
        desk.accounts.sessions,
        lambda: desk.accounts.end_session("x"),
        desk.accounts.end_other_sessions,
        lambda: desk.accounts.change_password(PASSWORD, NEW),
    ]


def test_without_a_server_the_account_cannot_be_changed(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    stage.stop()
    assert [refusal(call) for call in _account_calls(desk)] == [OFFLINE] * 4


def test_an_account_cannot_be_changed_while_signed_out(desk: Desk, book: Desk) -> None:
    book.accounts.sign_out()
    assert [refusal(call) for call in _account_calls(book)] == [SIGNED_OUT] * 4
    assert refusal(lambda: book.accounts.sign_in_again(PASSWORD)) == SIGNED_OUT


# --- the server -----------------------------------------------------------------------------------


def test_is_online_tells_whether_the_server_can_save(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    assert not desk.accounts.is_online()  # nobody is signed in
    desk.register()
    assert desk.accounts.is_online()
    stage.stop()
    assert not desk.accounts.is_online()
    stage.start()
    desk.accounts.sign_in_again(PASSWORD)
    assert desk.accounts.is_online()
    desk.end_session_from_elsewhere()
    assert refusal(lambda: desk.entries.page(EntryFilter(), None)) == SIGNED_OUT
    assert not desk.accounts.is_online()
