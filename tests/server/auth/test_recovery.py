"""The recovery code of a local book, and the operator's link: with a real server and PostgreSQL."""

import logging
from collections.abc import Callable
from uuid import UUID

import pytest

from server.contract import paths, shapes
from server.contract.recovery_codes import code_hash, make_code, read_code
from server.tokens.password_resets import VALID_SECONDS, ResetCode, make_reset
from tests.support.api import PASSWORD, Api, BookApi, a_device, a_name, refusal
from tests.support.postgres import rows
from tests.support.servers import RunningServer, StillClock

Start = Callable[..., RunningServer]
NEW = "a new and longer password"


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def local(start_server: Start, clock: StillClock) -> RunningServer:
    return start_server(clock, local=True, local_secret="s", region="local", region_letter="0")


def recover(api: Api, code: str, new: str = NEW) -> shapes.SignedIn:
    body = shapes.LocalRecovery(a_device(), code, new)
    return api.send("POST", paths.AUTH_LOCAL_RECOVER, shapes.SignedIn, body)


def change(book: BookApi, old: str, new: str) -> shapes.SessionsEnded:
    body = shapes.PasswordChange(old, new)
    return book.send("POST", paths.AUTH_PASSWORD, shapes.SessionsEnded, body)


def replace(book: BookApi, password: str) -> str:
    body = shapes.RecoveryCodeRequest(password)
    return book.send("POST", paths.AUTH_LOCAL_CODE, shapes.RecoveryCode, body).recovery_code


# --- the code of a local book -----------------------------------------------------------------------


def test_a_code_sets_a_new_password_once_and_is_replaced(local: RunningServer) -> None:
    api = local.api()
    first = api.local("Asha", PASSWORD)
    code = first.signed_in.recovery_code
    assert api.local_book().has_recovery_code
    recovered = recover(api, f" {code.lower().replace('-', ' ')} ")
    assert recovered.book_id == first.book_id
    assert recovered.recovery_code not in {"", code}
    assert first.call("GET", paths.ENTRIES).status_code == 401  # every session has ended
    assert refusal(lambda: api.local("Asha", PASSWORD)).code == "wrong_credentials"
    assert api.local("Asha", NEW).signed_in.recovery_code == ""  # it is shown once
    assert "not the recovery code" in refusal(lambda: recover(api, code)).fields["recoveryCode"]
    assert recover(api, recovered.recovery_code, PASSWORD).book_id == first.book_id


def test_wrong_codes_wait_as_wrong_passwords_do(local: RunningServer, clock: StillClock) -> None:
    api = local.api()
    code = api.local("Asha", PASSWORD).signed_in.recovery_code
    waits = []
    for number in range(5):
        error = refusal(lambda number=number: recover(api, make_code(number)))
        assert "not the recovery code" in error.fields["recoveryCode"]
        waits.append(error.detail.get("retryAfter", 0))
        clock.advance(waits[-1])
    assert waits == [0, 1, 2, 4, 8]
    refusal(lambda: recover(api, make_code(1)))
    assert refusal(lambda: recover(api, code)).code == "too_many_attempts"
    clock.advance(10)
    assert recover(api, code).recovery_code


def test_what_is_no_code_and_a_short_password_are_told_without_a_wait(local: RunningServer) -> None:
    api = local.api()
    code = api.local("Asha", PASSWORD).signed_in.recovery_code
    for typed in ("", code[:-1], "x" * 10_000, "\x00"):
        error = refusal(lambda typed=typed: recover(api, typed))
        assert error.fields["recoveryCode"]
        assert error.detail.get("retryAfter") is None
    assert "at least 8" in refusal(lambda: recover(api, code, "short")).fields["newPassword"]
    assert recover(api, code).book_id


def test_the_code_comes_with_the_first_password_stays_with_the_next_and_goes_with_it(
    local: RunningServer,
) -> None:
    api = local.api()
    book = api.local("Asha")
    assert not api.local_book().has_recovery_code
    assert "no recovery code" in refusal(lambda: recover(api, make_code(1))).fields["recoveryCode"]
    code = change(book, "", PASSWORD).recovery_code
    assert code
    assert change(book, PASSWORD, NEW).recovery_code == ""  # the one on paper stays valid
    assert change(book, NEW, "").recovery_code == ""
    assert not api.local_book().has_recovery_code
    assert "no recovery code" in refusal(lambda: recover(api, code)).fields["recoveryCode"]
    again = change(book, "", PASSWORD).recovery_code
    assert again not in {"", code}
    assert recover(api, again).book_id == book.book_id


def test_a_new_code_needs_the_password_and_ends_the_one_before(
    local: RunningServer, clock: StillClock
) -> None:
    api = local.api()
    book = api.local("Asha", PASSWORD)
    old = book.signed_in.recovery_code
    assert "Wrong password" in refusal(lambda: replace(book, "wrong")).fields["password"]
    new = replace(book, PASSWORD)
    assert "not the recovery code" in refusal(lambda: recover(api, old)).fields["recoveryCode"]
    clock.advance(10)
    assert book.call("GET", paths.ENTRIES).ok  # nobody was signed out
    assert recover(api, new).book_id == book.book_id


def test_a_book_of_an_earlier_version_has_no_code_until_the_password_is_changed(
    local: RunningServer,
) -> None:
    api = local.api()
    book = api.local("Asha", PASSWORD)
    url = local.config.database_url
    earlier = "update public.journal set doc = (doc::jsonb - 'recoveryHash')::text where kind = 'credential'"
    rows(url, f"{earlier} returning 1")
    assert not api.local_book().has_recovery_code
    assert change(book, PASSWORD, NEW).recovery_code


def test_the_code_is_stored_as_a_hash_and_neither_is_logged(
    local: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = local.api().local("Asha", PASSWORD).signed_in.recovery_code
    new = recover(local.api(), code).recovery_code
    stored = rows(local.config.database_url, "select doc from public.journal where kind = 'credential'")
    assert code_hash(read_code(new)) in str(stored)
    logged = " ".join(str(record.__dict__) for record in caplog.records)
    assert "password set with the recovery code" in logged
    for secret in (code, new, read_code(code), read_code(new), code_hash(read_code(new)), NEW, PASSWORD):
        assert secret not in logged
        if secret != code_hash(read_code(new)):
            assert secret not in str(stored)


def test_a_server_for_several_users_has_no_recovery_codes(start_server: Start) -> None:
    server = start_server()
    book = server.api().register(a_name())
    assert book.signed_in.recovery_code == ""
    assert change(book, PASSWORD, NEW).recovery_code == ""
    assert refusal(lambda: recover(server.api(), make_code(1))).code == "not_found"
    assert refusal(lambda: replace(book, NEW)).code == "not_found"


# --- the operator's link ----------------------------------------------------------------------------


def link_code(server: RunningServer, book: BookApi, password_ver: int | None = None) -> str:
    (found,) = rows(
        server.config.database_url,
        "select p.id, j.doc::jsonb ->> 'chosenVer' from public.credential p join public.journal j"
        " on j.book_id = p.book_id and j.op_id = p.op_id and j.kind = 'credential' where p.book_id = %s",
        book.book_id,
    )
    ver = int(found[1]) if password_ver is None else password_ver
    of = ResetCode(UUID(book.book_id), found[0], ver)
    services = server.services
    return make_reset(services.trusted_keys, server.config.server_id, of, int(services.clock()))


def reset(api: Api, code: str, new: str = NEW) -> shapes.SignedIn:
    return api.send("POST", paths.AUTH_RESET, shapes.SignedIn, shapes.PasswordReset(code, new, a_device()))


def test_a_link_sets_a_new_password_once_and_ends_every_session(start_server: Start) -> None:
    server = start_server()
    name = a_name()
    book = server.api().register(name)
    code = link_code(server, book)
    assert "at least 8" in refusal(lambda: reset(server.api(), code, "short")).fields["newPassword"]
    assert reset(server.api(), f" {code}\n").user_name == name
    assert book.call("GET", paths.ENTRIES).status_code == 401
    assert refusal(lambda: server.api().login(name)).code == "wrong_credentials"
    server.api().login(name, NEW)
    assert "used already" in refusal(lambda: reset(server.api(), code)).fields["resetCode"]


def test_a_link_is_refused_after_a_day_or_another_change_and_if_it_is_none(start_server: Start) -> None:
    clock = StillClock()
    server = start_server(clock)
    book = server.api().register(a_name())
    late, outrun = link_code(server, book), link_code(server, book)
    change(book, PASSWORD, NEW)
    assert "was changed" in refusal(lambda: reset(server.api(), outrun)).fields["resetCode"]
    clock.advance(VALID_SECONDS)
    assert "expired" in refusal(lambda: reset(server.api(), late)).fields["resetCode"]
    for none in ("", "x.y.z", late[:-3], book.signed_in.access_token, book.signed_in.refresh_token):
        assert "not a link" in refusal(lambda none=none: reset(server.api(), none)).fields["resetCode"]


@pytest.mark.parametrize("version", [2**63 - 1, 2**63, 2**70, -1])
def test_a_link_with_a_version_that_no_password_has_is_refused(start_server: Start, version: int) -> None:
    server = start_server()
    book = server.api().register(a_name())
    code = link_code(server, book, version)
    assert "not a link" in refusal(lambda: reset(server.api(), code)).fields["resetCode"]


def test_a_region_that_lacks_the_named_password_takes_the_link_and_the_new_password_wins(
    start_server: Start,
) -> None:
    server = start_server()
    name = a_name()
    book = server.api().register(name)
    ahead = 4_000_000_000_000_000  # a version that has not arrived here
    reset(server.api(), link_code(server, book, ahead))
    query = "select ver from public.credential where book_id = %s"
    assert rows(server.config.database_url, query, book.book_id)[0][0] > ahead
    server.api().login(name, NEW)


def test_the_operators_contact_is_told_to_everybody(start_server: Start) -> None:
    from server.contract.cluster_calls import Servers

    server = start_server(contact="Meera, 98450 12345")
    assert server.api().send("GET", paths.SERVERS, Servers).contact == "Meera, 98450 12345"
