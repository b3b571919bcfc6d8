"""Signing in, resuming, signing in again, sessions and passwords: the real services over a real server."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from app.bootstrap import _connect
from app.domain.connection_status import Phase
from app.domain.entry import Direction, EntryDraft, EntryFilter
from app.domain.sync_events import MachineChanged, SessionChange
from app.errors import NEWER_BOOK, AppError, InputError, OfflineError, ServerError, SignInError
from app.remote.endpoint import Endpoint
from app.services.accounts import Accounts
from app.services.entries import Entries
from app.store.cache import ReadCache
from app.store.database import Database
from app.store.outbox import Outbox
from app.store.settings import Settings
from app.store.vault import Vault
from server.tokens.invites import make_invite
from tests.support.api import PASSWORD, Api, a_name, refusal
from tests.support.fake_keyring import FakeKeyring
from tests.support.servers import MovingClock, RunningServer

Start = Callable[..., RunningServer]
NEW = "a new and longer password"


class Desk:
    """The services of one installation, to be closed and started again over the same files and keyring."""

    def __init__(self, folder: Path, keyring: FakeKeyring | None = None) -> None:
        self.folder = folder
        self.keyring = keyring if keyring is not None else FakeKeyring()
        self.local: Endpoint | None = None
        self.why_not = ""  # the code of what keeps the book on this computer from being opened
        self.databases: list[Database] = []
        self.start()

    def start(self) -> Accounts:
        """Start the program anew."""
        self.close()
        database = Database(self.folder / "client.sqlite")
        self.databases.append(database)
        settings, self.outbox = Settings(database), Outbox(database)
        vault = Vault(settings.device_id, lambda: self.keyring)
        connect = partial(_connect, self._endpoint, settings)
        self.accounts = Accounts(settings, self.outbox, self._endpoint, connect, vault=vault)
        self.entries = Entries(self.accounts, self.outbox, ReadCache(database))
        return self.accounts

    def close(self) -> None:
        if self.databases:
            self.accounts.close()
        for database in self.databases:
            database.close()
        self.databases.clear()

    def _endpoint(self) -> Endpoint:
        if self.local is None:
            raise OfflineError(code=self.why_not)
        return self.local

    def note(self) -> str:
        """Save an entry and return its id."""
        draft = EntryDraft(date(2026, 11, 23), Decimal("12.50"), Direction.DEBIT, "Travel", "Taxi", ())
        return self.entries.save(draft).id


@pytest.fixture
def desk(tmp_path: Path):
    made = Desk(tmp_path / "desk")
    yield made
    made.close()


@pytest.fixture
def other_desk(tmp_path: Path):
    made = Desk(tmp_path / "other")
    yield made
    made.close()


def create(desk: Desk, server: RunningServer, name: str = "", *, remember: bool = True) -> str:
    name = name or a_name()
    desk.accounts.sign_in_remote(server.url, name, PASSWORD, create=True, remember=remember)
    return name


def caught(call: Callable[[], object]) -> AppError:
    with pytest.raises(AppError) as error:
        call()
    return error.value


# --- remembering ----------------------------------------------------------------------------------


def test_a_remembered_session_is_resumed_after_a_start_without_a_password(
    desk: Desk, server: RunningServer
) -> None:
    create(desk, server)
    before = desk.accounts.session
    assert desk.accounts.remembers() == "keyring"
    for _ in range(3):
        assert desk.start().resume() == before
        assert desk.entries.page(EntryFilter(), None).entries == ()


def test_a_session_is_not_resumed_unless_it_is_remembered(desk: Desk, server: RunningServer) -> None:
    create(desk, server, remember=False)
    assert desk.start().resume() is None
    assert desk.keyring.kept == {}


def test_nothing_is_remembered_before_the_first_log_in(desk: Desk) -> None:
    assert desk.accounts.resume() is None


def test_without_a_keyring_the_next_start_needs_a_log_in_and_remembers_says_memory(
    tmp_path: Path, server: RunningServer
) -> None:
    from keyring.backends import fail

    desk = Desk(tmp_path / "desk", fail.Keyring())  # type: ignore[arg-type]
    create(desk, server)
    secrets = _secrets(desk)
    assert desk.accounts.remembers() == "memory"
    assert desk.entries.page(EntryFilter(), None).entries == ()
    assert desk.start().resume() is None
    desk.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert not any(secret in kept for secret in secrets)


def _secrets(desk: Desk) -> list[bytes]:
    """Return the tokens in force, and the id by which the next rotation will be made."""
    remote = desk.accounts.remote
    record = remote.tokens.record()
    assert record is not None
    return [t.encode() for t in (record.refresh_token, record.refresh_id, remote.runner.lease().token)]


def test_no_file_contains_a_token_or_a_password(desk: Desk, server: RunningServer, tmp_path: Path) -> None:
    create(desk, server)
    secrets = _secrets(desk)
    desk.start().resume()
    secrets += _secrets(desk)
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("client.sqlite*"))
    assert not any(secret in kept for secret in [*secrets, PASSWORD.encode()])


def test_without_a_server_the_remembered_book_opens_and_saves_entries(
    desk: Desk, start_server: Start
) -> None:
    server = start_server()
    create(desk, server)
    before = desk.accounts.session
    _without_a_way(desk.start())
    assert desk.accounts.resume() == before
    desk.note()
    assert len(desk.entries.pending(EntryFilter())) == 1
    assert desk.entries.page(EntryFilter(), None).from_cache


def _without_a_way(accounts: Accounts) -> None:
    """Let every server of the roster be where nobody listens."""
    cluster = accounts.remote.cluster
    cluster.endpoint = lambda id_: Endpoint("http://127.0.0.1:9", server_id=id_)  # type: ignore[method-assign]


def test_a_session_ended_on_another_device_is_not_resumed(
    desk: Desk, other_desk: Desk, server: RunningServer
) -> None:
    name = create(desk, server)
    other_desk.accounts.sign_in_remote(server.url, name, PASSWORD)
    other = next(s for s in other_desk.accounts.sessions() if not s.this_one)
    other_desk.accounts.end_session(other.family)
    assert desk.start().resume() is None
    assert desk.keyring.kept == {}
    assert desk.start().resume() is None


def test_parts_of_two_different_sessions_are_not_combined(desk: Desk, server: RunningServer) -> None:
    create(desk, server)
    other = dict(desk.keyring.kept)
    create(desk, server)
    desk.keyring.kept.update(other)  # as where a crash came between the keyring and the settings
    assert desk.start().resume() is None


def test_the_local_book_is_resumed_too(desk: Desk, start_server: Start) -> None:
    server = start_server(local=True, local_secret="s", region="local", region_letter="0")
    desk.local = Endpoint(server.url, "s")
    session = desk.accounts.sign_in_local("Asha", PASSWORD, remember=True)
    assert session.server_label == "This computer"
    assert desk.start().resume() == session
    assert desk.entries.page(EntryFilter(), None).entries == ()


def test_the_local_book_is_not_resumed_if_only_a_newer_program_can_open_it(
    desk: Desk, start_server: Start
) -> None:
    server = start_server(local=True, local_secret="s", region="local", region_letter="0")
    desk.local = Endpoint(server.url, "s")
    session = desk.accounts.sign_in_local("Asha", PASSWORD, remember=True)
    there, desk.local, desk.why_not = desk.local, None, NEWER_BOOK
    assert caught(desk.start().resume).code == NEWER_BOOK
    desk.local = there
    assert desk.start().resume() == session  # nothing was forgotten


# --- signing out and in again ---------------------------------------------------------------------


def test_signing_out_ends_the_session_at_the_server_and_on_this_computer(
    desk: Desk, server: RunningServer
) -> None:
    create(desk, server)
    desk.note()
    record = desk.accounts.remote.tokens.record()
    assert record is not None
    desk.accounts.sign_out()
    assert desk.accounts.session is None
    refused = refusal(lambda: server.api().refresh(record.refresh_token, record.refresh_id))
    assert refused.code == "unauthenticated"
    assert desk.start().resume() is None
    assert desk.outbox.count(record.book_id) == 1  # what waits stays


def test_signing_out_works_without_a_server(desk: Desk, server: RunningServer) -> None:
    create(desk, server)
    _without_a_way(desk.start())
    desk.accounts.resume()
    desk.accounts.sign_out()
    assert desk.accounts.session is None
    assert desk.keyring.kept == {}


def test_signing_in_again_keeps_the_open_book_after_the_session_ended(
    desk: Desk, other_desk: Desk, server: RunningServer
) -> None:
    name = create(desk, server)
    before = desk.accounts.session
    desk.note()
    other_desk.accounts.sign_in_remote(server.url, name, PASSWORD)
    assert other_desk.accounts.change_password(PASSWORD, NEW) == 1
    assert isinstance(caught(lambda: desk.entries.page(EntryFilter(), None)), SignInError)
    assert desk.accounts.session == before
    error = caught(lambda: desk.accounts.sign_in_again(PASSWORD))
    assert isinstance(error, SignInError)
    assert error.fields == {"password": "Wrong password."}
    assert desk.accounts.sign_in_again(NEW) == before
    assert len(desk.entries.pending(EntryFilter())) == 1
    desk.entries.page(EntryFilter(), None)
    assert desk.start().resume() == before


def test_signing_in_again_asks_for_the_password(desk: Desk, server: RunningServer) -> None:
    assert isinstance(caught(lambda: desk.accounts.sign_in_again("x")), SignInError)  # nobody to be again
    create(desk, server)
    assert list(caught(lambda: desk.accounts.sign_in_again("")).fields) == ["password"]


def test_signing_in_again_never_opens_another_book(desk: Desk, start_server: Start) -> None:
    import dataclasses

    server = start_server()
    create(desk, server)
    name = a_name()
    server.api().register(name)
    session = desk.accounts.require_session()
    desk.accounts.session = dataclasses.replace(session, user_name=name)  # as a name that changed hands
    error = caught(lambda: desk.accounts.sign_in_again(PASSWORD))
    assert "another book" in error.message
    assert desk.accounts.session.book_id == session.book_id


# --- sessions and passwords -----------------------------------------------------------------------


def test_the_sessions_of_a_user_are_listed_and_ended(
    desk: Desk, other_desk: Desk, server: RunningServer
) -> None:
    name = create(desk, server)
    other_desk.accounts.sign_in_remote(server.url, name, PASSWORD)
    listed = desk.accounts.sessions()
    assert [s.this_one for s in listed] == [False, True]
    assert all(s.last_used >= s.began for s in listed)
    assert listed[0].began.tzinfo is not None
    desk.accounts.end_session(listed[0].family)
    assert [s.this_one for s in desk.accounts.sessions()] == [True]
    assert isinstance(caught(lambda: other_desk.entries.page(EntryFilter(), None)), SignInError)


def test_the_probe_of_an_idle_program_finds_that_its_session_was_ended_elsewhere(
    desk: Desk, other_desk: Desk, server: RunningServer
) -> None:
    name = create(desk, server)
    other_desk.accounts.sign_in_remote(server.url, name, PASSWORD)
    assert desk.accounts.is_online()
    family = next(s.family for s in desk.accounts.sessions() if s.this_one)
    other_desk.accounts.end_session(family)
    assert not desk.accounts.is_online()
    assert desk.accounts.machine.phase is Phase.SIGNED_OUT
    assert desk.accounts.machine.ended == "ended"
    error = caught(lambda: desk.entries.page(EntryFilter(), None))
    assert isinstance(error, SignInError)
    assert error.ended == "ended"
    desk.accounts.sign_in_again(PASSWORD)
    assert desk.accounts.machine.ended == ""


def test_an_invalid_new_password_is_refused_at_its_field_and_a_valid_one_works(
    desk: Desk, server: RunningServer
) -> None:
    name = create(desk, server)
    error = caught(lambda: desk.accounts.change_password("wrong password", NEW))
    assert isinstance(error, InputError)
    assert list(error.fields) == ["oldPassword"]
    assert list(caught(lambda: desk.accounts.change_password(PASSWORD, "short")).fields) == ["newPassword"]
    assert desk.accounts.change_password(PASSWORD, NEW) == 0
    desk.entries.page(EntryFilter(), None)
    desk.accounts.sign_out()
    assert isinstance(caught(lambda: desk.accounts.sign_in_remote(server.url, name, PASSWORD)), SignInError)
    desk.accounts.sign_in_remote(server.url, name, NEW)


def test_the_password_of_the_local_book_can_be_set_and_removed(desk: Desk, start_server: Start) -> None:
    server = start_server(local=True, local_secret="s", region="local", region_letter="0")
    desk.local = Endpoint(server.url, "s")
    desk.accounts.sign_in_local("Asha", "")
    desk.accounts.change_password("", NEW)
    assert desk.accounts.local_book().has_password
    assert list(caught(lambda: desk.accounts.sign_in_again("wrong password")).fields) == ["password"]
    desk.accounts.sign_in_again(NEW)
    desk.accounts.change_password(NEW, "")
    assert not desk.accounts.local_book().has_password


def test_a_missing_invitation_is_refused_at_its_field_and_a_valid_one_works(
    desk: Desk, start_server: Start
) -> None:
    server = start_server(registration="invite")
    error = caught(lambda: create(desk, server))
    assert isinstance(error, InputError)
    assert list(error.fields) == ["inviteCode"]
    code = make_invite(server.services.signer, "test-1", uuid4(), 7, int(server.services.clock()))
    name = a_name()
    session = desk.accounts.sign_in_remote(server.url, name, PASSWORD, create=True, invite_code=f" {code}\n")
    assert session.user_name == name


def test_after_too_many_wrong_passwords_by_others_a_known_device_can_still_log_in(
    desk: Desk, other_desk: Desk, start_server: Start
) -> None:
    server = start_server()
    name = create(desk, server)

    def guess(accounts: Accounts) -> AppError:
        return caught(lambda: accounts.sign_in_remote(server.url, name, "a guess"))

    errors = [guess(other_desk.accounts) for _ in range(22)]
    assert isinstance(errors[0], SignInError)
    assert isinstance(errors[-1], ServerError)
    assert errors[-1].retryable
    assert 0 < errors[-1].retry_after <= 90
    assert "try again in" in errors[-1].message
    desk.accounts.sign_in_again(PASSWORD)


# --- the clock, threads ---------------------------------------------------------------------------


def test_the_clock_is_corrected_at_each_refresh(desk: Desk, start_server: Start) -> None:
    clock = MovingClock()
    server = start_server(clock)
    create(desk, server)
    clock.advance(240)
    pinning, began = desk.accounts.remote.runner, time.monotonic()
    pinning.lease(refused=pinning.lease())
    took = time.monotonic() - began  # the answer may have been under way so long; it tells milliseconds
    assert abs(desk.accounts.offset_us / 1e6 - 240) < took + 0.01


def test_the_book_of_this_computer_has_this_computers_clock(desk: Desk, start_server: Start) -> None:
    server = start_server(lambda: time.time() + 86_400, local=True, local_secret="s", region_letter="0")
    desk.local = Endpoint(server.url, "s")
    desk.accounts.sign_in_local("Asha", "")
    assert desk.accounts.offset_us == 0


def test_many_threads_share_one_refresh(desk: Desk, start_server: Start) -> None:
    clock = MovingClock()
    create(desk, start_server(clock))
    clock.advance(301)
    with ThreadPoolExecutor(6) as pool:
        pages = list(pool.map(lambda _: desk.entries.page(EntryFilter(), None), range(6)))
    assert len(pages) == 6
    assert len(desk.accounts.sessions()) == 1


@pytest.mark.parametrize("wrong", [600, -600])
def test_a_clock_that_is_ten_minutes_off_ends_no_session_and_breaks_no_version(
    desk: Desk, start_server: Start, wrong: int
) -> None:
    clock = MovingClock()
    clock.advance(wrong)  # which of the two is wrong does not matter
    create(desk, start_server(clock))
    pinning = desk.accounts.remote.runner
    for _ in range(3):
        desk.note()
        assert abs(desk.outbox.items(desk.accounts.require_session().book_id)[-1].ver / 1e6 - clock()) < 60
        pinning.lease(refused=pinning.lease())
    left = pinning.machine.refresh_due - pinning.now()
    assert 300 * 0.6 - 60 < left <= 300 * 0.8
    assert desk.start().resume() is not None


def test_if_the_central_address_fails_the_log_in_uses_a_known_server(desk: Desk, start_server: Start) -> None:
    server = start_server()
    name = create(desk, server)
    desk.accounts.sign_out()
    nobody = "http://127.0.0.1:9"
    kept = desk.accounts._settings
    kept.set(f"cluster:{nobody}", kept.get(f"cluster:{server.url}"))
    assert desk.accounts.sign_in_remote(nobody, name, PASSWORD).server_id == "test-1"
    assert isinstance(
        caught(lambda: desk.accounts.sign_in_remote("http://127.0.0.1:10", name, PASSWORD)), OfflineError
    )


def test_a_pending_session_can_replace_the_open_one(
    desk: Desk, server: RunningServer, start_server: Start
) -> None:
    local = start_server(local=True, local_secret="s", region="local", region_letter="0")
    desk.local = Endpoint(local.url, "s")
    before = desk.accounts.sign_in_local("Asha", PASSWORD, remember=True)
    name = a_name()
    pending = desk.accounts.open_pending(server.url, name, PASSWORD, create=True)
    assert desk.accounts.session == before
    assert desk.entries.page(EntryFilter(), None).entries == ()
    assert pending.session.server_id == "test-1"
    heard: list[SessionChange] = []
    desk.accounts.changes.subscribe(heard.append)
    pending.close()
    assert desk.accounts.session == before
    pending = desk.accounts.open_pending(server.url, name, PASSWORD)
    assert heard == []  # what happens to a session beside the open one is no news
    after = pending.adopt()
    assert heard == [MachineChanged(desk.accounts.machine)]  # nor is the end of the one before
    assert desk.accounts.machine.server == "test-1"
    assert (desk.accounts.session, after.server_label) == (after, "test-1 · test")
    assert desk.accounts.sessions()[0].this_one
    assert desk.start().resume() == after


# --- a password is one password in every normal form ------------------------------------------------

COMPOSED, DECOMPOSED = "Café au lait", "Cafe\u0301\u00a0au lait"


def test_a_new_password_opens_the_book_in_every_form(desk: Desk, server: RunningServer) -> None:
    name = a_name()
    desk.accounts.sign_in_remote(server.url, name, DECOMPOSED, create=True)
    desk.accounts.sign_in_again(COMPOSED)
    desk.accounts.sign_out()
    desk.accounts.sign_in_remote(server.url, name, COMPOSED)
    assert server.api().login(name, COMPOSED).signed_in.user_name == name


def test_a_password_that_was_set_as_typed_by_an_older_version_stays_valid(
    desk: Desk, server: RunningServer
) -> None:
    name = a_name()
    server.api().register(name, DECOMPOSED)
    desk.accounts.sign_in_remote(server.url, name, DECOMPOSED)
    desk.accounts.sign_in_again(DECOMPOSED)
    assert list(caught(lambda: desk.accounts.sign_in_again("wrong")).fields) == ["password"]
    desk.accounts.change_password(DECOMPOSED, "Pâté de maison")
    desk.accounts.sign_in_again("Pa\u0302te\u0301 de maison")


def test_a_name_that_was_chosen_with_invisible_ends_still_opens_its_book(
    desk: Desk, server: RunningServer
) -> None:
    plain = a_name()
    name = f"{plain}\u200b"
    server.api().register(name, PASSWORD)
    assert desk.accounts.sign_in_remote(server.url, name, PASSWORD).user_name == name
    assert desk.accounts.sign_in_remote(server.url, plain, PASSWORD).user_name == name


def test_a_name_is_found_whatever_nobody_sees_at_its_ends(desk: Desk, server: RunningServer) -> None:
    name = create(desk, server)
    desk.accounts.sign_out()
    pasted = f"\u200e{name}\u00a0\u200b"
    assert desk.accounts.sign_in_remote(f"\ufeff{server.url}\u200b", pasted, PASSWORD).user_name == name


def test_an_old_password_of_the_book_on_this_computer_stays_valid(desk: Desk, start_server: Start) -> None:
    own = start_server(local=True, local_secret="s", region="local", region_letter="0")
    desk.local = Endpoint(own.url, own.config.local_secret)
    Api(own.url, secret=own.config.local_secret).local("Asha", DECOMPOSED)
    desk.accounts.sign_in_local("Asha", DECOMPOSED)
    desk.accounts.change_password(DECOMPOSED, DECOMPOSED)
    desk.accounts.sign_in_local("Asha", COMPOSED)
    refused = caught(lambda: desk.accounts.sign_in_local("Asha", "wrong\nwrong"))
    assert isinstance(refused, SignInError), "an old password is compared, not judged"


def test_a_new_password_with_a_line_break_is_refused_in_a_sentence(
    desk: Desk, start_server: Start, server: RunningServer
) -> None:
    own = start_server(local=True, local_secret="s", region="local", region_letter="0")
    desk.local = Endpoint(own.url, own.config.local_secret)
    made = caught(lambda: desk.accounts.sign_in_local("Asha", "two\nlong lines"))
    assert "line break" in made.fields["password"]
    assert not desk.accounts.local_book().exists
    remote = caught(
        lambda: desk.accounts.sign_in_remote(server.url, a_name(), "two\nlong lines", create=True)
    )
    assert "line break" in remote.fields["password"]
    create(desk, server)
    changed = caught(lambda: desk.accounts.change_password(PASSWORD, "two\nlong lines"))
    assert "line break" in changed.fields["newPassword"]
