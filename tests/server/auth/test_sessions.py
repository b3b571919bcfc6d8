"""Log-out, the list of sessions, and changing the password, over HTTP."""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import msgspec
import pytest

from server.auth.sessions import is_cut_off
from server.auth.store import Password, find_by_name, rehash
from server.contract import paths, shapes
from server.log import json_lines
from server.tokens.invites import make_invite
from tests.support.api import PASSWORD, Api, BookApi, RefusedError, a_device, a_name, refusal
from tests.support.postgres import rows
from tests.support.servers import MovingClock, RunningServer

Start = Callable[..., RunningServer]
NEW = "a new and longer password"


def sessions(book: BookApi) -> list[shapes.Session]:
    return book.send("GET", paths.AUTH_SESSIONS, shapes.Sessions).sessions


def logout(api: Api, refresh_token: str) -> shapes.SessionsEnded:
    return api.send("POST", paths.AUTH_LOGOUT, shapes.SessionsEnded, shapes.LogoutRequest(refresh_token))


def end(book: BookApi, family: str) -> shapes.SessionsEnded:
    return book.send("DELETE", paths.AUTH_SESSION.format(family=family), shapes.SessionsEnded)


def change(book: BookApi, old: str, new: str) -> int:
    body = shapes.PasswordChange(old, new)
    return book.send("POST", paths.AUTH_PASSWORD, shapes.SessionsEnded, body).ended


def is_over(book: BookApi) -> bool:
    """Return whether the session goes on neither by its access token nor by its refresh token."""
    try:
        book.refresh(book.signed_in.refresh_token, "r1")
    except RefusedError as error:
        return error.code == refusal(book.page).code == "unauthenticated"
    return False


# --- log-out and the list -------------------------------------------------------------------------


def test_logging_out_ends_only_this_session_at_once(server: RunningServer) -> None:
    name = a_name()
    one, other = server.api().register(name), server.api().login(name)
    assert logout(server.api(), one.signed_in.refresh_token).ended == 1
    assert is_over(one)
    assert not is_over(other)
    assert logout(server.api(), one.signed_in.refresh_token).ended == 1  # a retry is no error


def test_logging_out_works_with_an_expired_refresh_token_alone(start_server: Start) -> None:
    clock = MovingClock()
    server = start_server(clock)
    book = server.api().register()
    clock.advance(8 * 86_400)
    assert logout(server.api(), book.signed_in.refresh_token).ended == 1


def test_logging_out_without_a_valid_refresh_token_is_refused(book: BookApi) -> None:
    for text in ("", "abc", book.signed_in.access_token):
        assert refusal(lambda text=text: logout(book, text)).code == "unauthenticated"
    assert not is_over(book)


def test_the_list_shows_each_session_with_its_device_and_its_last_use(start_server: Start) -> None:
    clock = MovingClock()
    server = start_server(clock)
    name = a_name()
    laptop = server.api().register(name, device=a_device("Laptop"))
    clock.advance(3_600)
    phone = server.api().login(name, device=a_device("Desk"))
    clock.advance(1_800)
    laptop = laptop.with_token(laptop.refresh(laptop.signed_in.refresh_token, "r1").access_token)
    listed = sessions(phone.with_token(phone.refresh(phone.signed_in.refresh_token, "r1").access_token))
    assert [(s.device_name, s.current) for s in listed] == [("Desk", True), ("Laptop", False)]
    began, used = (datetime.fromisoformat(t) for t in (listed[1].created_at, listed[1].last_used_at))
    assert 5_390 < (used - began).total_seconds() < 5_460  # the clock goes on meanwhile
    assert [s.current for s in sessions(laptop)] == [False, True]


def test_a_computer_that_was_renamed_is_listed_by_its_new_name(server: RunningServer) -> None:
    name, device = a_name(), a_device("old-pc · Windows 10")
    server.api().register(name, device=device)
    renamed = msgspec.structs.replace(device, name="new-pc · Windows 11")
    book = server.api().login(name, device=renamed)
    assert {s.device_name for s in sessions(book)} == {"new-pc · Windows 11"}
    unnamed = msgspec.structs.replace(device, name="")
    assert {s.device_name for s in sessions(server.api().login(name, device=unnamed))} == {
        "new-pc · Windows 11"
    }


def test_the_list_has_the_region_of_the_last_use_and_no_address_of_the_servers_own_computer(
    server: RunningServer,
) -> None:
    book = server.api().register()
    assert [(s.address, s.region) for s in sessions(book)] == [("", "")]
    book = book.with_token(book.refresh(book.signed_in.refresh_token, "r1").access_token)
    assert [(s.address, s.region) for s in sessions(book)] == [("", server.config.region)]


def test_the_address_of_a_log_in_is_listed(start_server: Start) -> None:
    server = start_server()
    name = a_name()
    server.api().register(name)
    # As a proxy on the server's computer says it.
    through = server.api()
    through.headers["X-Forwarded-For"] = "203.0.113.7"
    away = through.login(name)
    assert {s.address for s in sessions(away)} == {"", "203.0.113.7"}


@pytest.mark.parametrize("said", ["<script>", "x" * 64, "1.2.3.4 x", "fe80::1%<b>", "a\tb"])
def test_what_a_proxy_says_is_listed_only_if_it_is_an_address(start_server: Start, said: str) -> None:
    server = start_server()
    name = a_name()
    server.api().register(name)
    through = server.api()
    through.headers["X-Forwarded-For"] = said
    assert {s.address for s in sessions(through.login(name))} <= {"", "fe80::1"}


def test_the_name_of_a_device_is_stored_without_characters_that_nobody_sees(server: RunningServer) -> None:
    device = shapes.Device(str(uuid4()), "shop\u202egpj.exe\u200b\U000e0041", "")
    book = server.api().register(a_name(), device=device)
    assert {s.device_name for s in sessions(book)} == {"shopgpj.exe"}


def test_an_ended_session_is_refused_at_once_and_not_listed(server: RunningServer) -> None:
    name = a_name()
    one, other = server.api().register(name), server.api().login(name)
    family = next(s.family for s in sessions(one) if not s.current)
    assert end(one, family).ended == 1
    assert is_over(other)
    assert [s.current for s in sessions(one)] == [True]
    assert end(one, family).ended == 1  # a retry is no error


def test_a_refused_refresh_says_why_the_session_has_ended(server: RunningServer) -> None:
    def told(book: BookApi, refresh_id: str = "r9") -> object:
        return refusal(lambda: book.refresh(book.signed_in.refresh_token, refresh_id)).detail.get("ended")

    name = a_name()
    one, other, third = server.api().register(name), server.api().login(name), server.api().login(name)
    end(one, next(s.family for s in sessions(other) if s.current))
    assert told(other) == "ended"
    third.refresh(third.signed_in.refresh_token, "r1")
    assert told(third, "r2") == "reused"
    fourth = server.api().login(name)
    change(one, PASSWORD, "another long password")
    assert told(fourth) == "password"
    stranger = refusal(lambda: server.api().refresh("not a token", "r1"))
    assert "ended" not in stranger.detail


def test_sessions_of_other_users_cannot_be_seen_or_ended(server: RunningServer, book: BookApi) -> None:
    other = server.api().register()
    family = sessions(other)[0].family
    assert family not in {s.family for s in sessions(book)}
    for stranger in (family, str(uuid4()), "abc", "%00"):
        assert refusal(lambda family=stranger: end(book, family)).code == "not_found"
    assert not is_over(other)


def test_an_expired_session_is_not_listed(start_server: Start) -> None:
    clock = MovingClock()
    server = start_server(clock)
    name = a_name()
    server.api().register(name)
    clock.advance(15 * 86_400)
    assert len(sessions(server.api().login(name))) == 1


def test_the_list_needs_a_session(server: RunningServer) -> None:
    for method, path in (("GET", paths.AUTH_SESSIONS), ("POST", paths.AUTH_PASSWORD)):
        assert server.api().call(method, path).status_code == 401


def test_a_reuse_in_another_region_ends_the_session_once_it_has_arrived(server: RunningServer) -> None:
    book = server.api().register()
    second = book.refresh(book.signed_in.refresh_token, "r1").refresh_token
    third = book.refresh(second, "r2").refresh_token
    rows(
        server.config.database_url,
        "insert into public.refresh_use (book_id, fam, gen, rid_hash, server)"
        " select book_id, fam, gen, repeat('f', 64), 'far-1' from public.refresh_use"
        " where book_id = %s and gen = 0",
        book.book_id,
    )
    assert refusal(lambda: book.refresh(third, "r3")).code == "unauthenticated"


def test_the_insert_only_tables_skip_existing_rows(server: RunningServer) -> None:
    book = server.api().register()
    book.refresh(book.signed_in.refresh_token, "r1")
    logout(book, book.signed_in.refresh_token)
    url = server.config.database_url
    for statement in (
        "insert into public.refresh_use select * from public.refresh_use where book_id = %s",
        "insert into public.revocation select * from public.revocation where book_id = %s",
        "insert into public.invite_use select book_id, fam from public.revocation where book_id = %s",
        "insert into public.invite_use select * from public.invite_use where book_id = %s",
    ):
        rows(url, statement, book.book_id)  # no conflict: as a subscription's initial copy does
    assert rows(url, "select count(*) from public.revocation where book_id = %s", book.book_id) == [(1,)]


# --- the password ---------------------------------------------------------------------------------


def test_a_password_change_ends_all_sessions_but_the_one_that_made_it(
    server: RunningServer,
) -> None:
    name = a_name()
    mine, other, third = server.api().register(name), server.api().login(name), server.api().login(name)
    assert change(mine, PASSWORD, NEW) == 2
    assert is_over(other)
    assert is_over(third)
    assert not is_over(mine)
    assert refusal(lambda: server.api().login(name)).code == "wrong_credentials"
    again = server.api().login(name, NEW)
    assert not is_over(again)
    assert change(again, NEW, PASSWORD) == 1  # the next change ends the one that was kept
    assert is_over(mine)


def test_a_password_change_also_ends_sessions_not_replicated_yet(server: RunningServer) -> None:
    name = a_name()
    mine, other = server.api().register(name), server.api().login(name)
    url = server.config.database_url
    rows(url, "delete from public.journal where kind = 'session' and book_id = %s", mine.book_id)
    assert change(mine, PASSWORD, NEW) == 0  # as where the other's log-in has not arrived yet
    refused = refusal(lambda: other.refresh(other.signed_in.refresh_token, "r1"))
    assert refused.code == "unauthenticated"
    assert not is_over(mine)


def test_a_wrong_old_and_an_invalid_new_password_are_refused_at_their_fields(book: BookApi) -> None:
    for old, new, field in (
        ("wrong password", NEW, "oldPassword"),
        ("", NEW, "oldPassword"),
        (PASSWORD, "short", "newPassword"),
        (PASSWORD, "", "newPassword"),
        (PASSWORD, "x" * 257, "newPassword"),
    ):
        error = refusal(lambda old=old, new=new: change(book, old, new))
        assert (error.code, list(error.fields)) == ("invalid_fields", [field])
    assert not is_over(book)


def test_guessing_the_old_password_is_throttled(start_server: Start) -> None:
    book = start_server().api().register()
    codes = [refusal(lambda: change(book, "wrong password", NEW)).code for _ in range(15)]
    assert codes.count("invalid_fields") == 10
    assert codes[-1] == "too_many_attempts"


def test_of_two_simultaneous_password_changes_one_succeeds(server: RunningServer) -> None:
    from concurrent.futures import ThreadPoolExecutor

    name = a_name()
    book = server.api().register(name)

    def attempt(number: int) -> bool:
        try:
            change(book, PASSWORD, f"{NEW} {number}")
        except RefusedError as error:
            return "oldPassword" not in error.fields
        return True

    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(attempt, range(3)))
    assert made.count(True) == 1
    server.api().login(name, f"{NEW} {made.index(True)}")


def test_a_late_rehash_never_restores_an_old_password(server: RunningServer) -> None:
    name = a_name()
    book = server.api().register(name)
    services = server.services

    async def account() -> object:
        async with services.pool.connection() as connection:
            return await find_by_name(connection, [name])

    async def late(found: object) -> None:
        async with services.pool.connection() as connection:
            await rehash(connection, found, "an old hash", uuid4(), uuid4(), "test")  # type: ignore[arg-type]

    before = server.run(account())
    change(book, PASSWORD, NEW)
    server.run(late(before))
    server.api().login(name, NEW)


def test_the_password_of_a_local_book_can_be_set_and_removed(start_server: Start) -> None:
    server = start_server(local=True, local_secret="s", region="local", region_letter="0")
    book = server.api().local("Asha")
    other = server.api().local()
    assert change(book, "", NEW) == 1
    assert is_over(other)
    assert server.api().local_book().has_password
    assert refusal(server.api().local).code == "wrong_credentials"
    again = server.api().local(password=NEW)
    assert refusal(lambda: change(again, "wrong password", "")).code == "invalid_fields"
    change(again, NEW, "")
    assert not server.api().local_book().has_password
    server.api().local()


@pytest.mark.parametrize(
    ("chosen", "kept", "began", "cut"),
    [(0, "", 0, False), (5, "", 5, False), (5, "", 0, True), (5, "me", 0, False), (5, "", 9, False)],
)
def test_only_a_newer_password_ends_a_session(chosen: int, kept: str, began: int, cut: bool) -> None:
    me = uuid4()
    password = Password("hash", chosen, str(me) if kept else str(uuid4()))
    assert is_cut_off(password, me, began) is cut


# --- logs -----------------------------------------------------------------------------------------


def test_no_password_token_or_secret_is_ever_logged(
    start_server: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = start_server(registration="invite")
    code = make_invite(server.services.signer, "test-1", uuid4(), 7, int(server.services.clock()))
    device = shapes.Device(str(uuid4()), "PC", "the device's secret")
    body = shapes.Registration(a_name(), PASSWORD, device, code)
    signed_in = server.api().send("POST", paths.AUTH_REGISTER, shapes.SignedIn, body)
    book = BookApi(server.api(), signed_in, device)
    refresh = signed_in.refresh_token
    book.refresh(refresh, "the refresh id")
    refusal(lambda: book.refresh(refresh, "the thief's id"))
    again = server.api().login(body.user_name, PASSWORD, device)
    change(again, PASSWORD, NEW)
    for _ in range(25):
        refusal(lambda: server.api().login(body.user_name, "a guessed password"))
    logout(server.api(), again.signed_in.refresh_token)
    logged = "\n".join(json_lines().format(record) for record in caplog.records)
    assert "refresh token reused" in logged
    secrets = [PASSWORD, NEW, device.secret, code, refresh, signed_in.access_token, "the refresh id"]
    secrets += ["a guessed password", again.signed_in.refresh_token, "$argon2id$"]
    assert [secret for secret in secrets if secret in logged] == []


def test_a_change_of_the_password_is_one_guess_and_not_two(book: BookApi) -> None:
    body = shapes.PasswordChange("a wrong password", "another long password", PASSWORD)
    error = refusal(lambda: book.send("POST", paths.AUTH_PASSWORD, shapes.SessionsEnded, body))
    assert "oldPassword" in error.fields
