"""Accounts and sessions, over HTTP."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from uuid import uuid4

import pytest

from server.auth.names import name_key
from server.auth.store import find_by_name as find_account
from server.auth.store import rehash
from server.contract import limits, paths, shapes
from server.tokens import tokens
from tests.support.api import PASSWORD, Api, BookApi, RefusedError, a_device, a_name, an_entry, refusal
from tests.support.postgres import rows
from tests.support.servers import MovingClock, RunningServer, StillClock

Start = Callable[..., RunningServer]
SECRET = "the program's secret"


# --- register ---------------------------------------------------------------------------------------


def test_registering_opens_a_new_empty_book(server: RunningServer) -> None:
    name = a_name()
    book = server.api().register(name)
    signed_in = book.signed_in
    assert (signed_in.user_name, signed_in.last_counter) == (name, 0)
    assert signed_in.primary == shapes.Primary("test-1", "test", server.url)
    assert signed_in.code_prefix.startswith("T")
    assert len(signed_in.code_prefix) == 3
    assert book.page().entries == []


def test_a_server_with_closed_registration_refuses_new_accounts(start_server: Start) -> None:
    error = refusal(start_server(registration="closed").api().register)
    assert (error.status, error.code) == (HTTPStatus.FORBIDDEN, "registration_closed")


def test_a_local_server_never_registers_accounts(
    start_server: Start,
) -> None:
    server = start_server(local=True, local_secret=SECRET, registration="open")
    assert refusal(server.api().register).code == "registration_closed"


def test_a_taken_name_is_refused_in_any_case_and_unicode_form(server: RunningServer) -> None:
    name = a_name()
    server.api().register(f"{name} ASHA")
    for other in (f"{name} asha", f"{name.upper()} Asha", f"{name} \uff21sha"):
        error = refusal(lambda other=other: server.api().register(other))
        assert (error.status, error.code) == (HTTPStatus.CONFLICT, "user_name_taken")


def test_of_two_simultaneous_registrations_of_one_name_one_succeeds(server: RunningServer) -> None:
    name = a_name()

    def register(_: int) -> str:
        try:
            return server.api().register(name).book_id
        except RefusedError as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(register, range(4)))
    assert outcomes.count("user_name_taken") == 3


@pytest.mark.parametrize(
    ("name", "password", "field"),
    [
        ("", PASSWORD, "userName"),
        ("   ", PASSWORD, "userName"),
        ("a" * 65, PASSWORD, "userName"),
        ("ß" * 64, PASSWORD, "userName"),  # twice as long when its case is folded
        ("\ufdfa" * 10, PASSWORD, "userName"),  # 18 characters each in NFKC
        (" asha", PASSWORD, "userName"),
        ("as\x00ha", PASSWORD, "userName"),
        ("as\nha", PASSWORD, "userName"),
        ("asha", "1234567", "password"),
        ("asha", "x" * 257, "password"),
    ],
)
def test_an_invalid_name_or_password_is_refused_at_its_field(
    server: RunningServer, name: str, password: str, field: str
) -> None:
    body = shapes.Credentials(name, password, a_device())
    error = refusal(lambda: server.api().send("POST", paths.AUTH_REGISTER, shapes.SignedIn, body))
    assert (error.status, error.code) == (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_fields")
    assert list(error.fields) == [field]
    assert error.fields[field].endswith(".")


def test_a_device_without_a_valid_id_is_refused(server: RunningServer) -> None:
    error = refusal(lambda: server.api().register(device=shapes.Device("my laptop")))
    assert list(error.fields) == ["device.id"]


def test_the_longest_password_and_a_hindi_name_work(server: RunningServer) -> None:
    name, password = f"{a_name()} आशा", "प" * limits.MAX_PASSWORD
    server.api().register(name, password)
    assert server.api().login(name, password).signed_in.user_name == name


# --- login ------------------------------------------------------------------------------------------


def test_logging_in_opens_the_same_book_by_the_name_in_any_case(server: RunningServer) -> None:
    name = a_name()
    book = server.api().register(name)
    again = server.api().login(name.upper())
    assert (again.book_id, again.signed_in.user_name) == (book.book_id, name)


@pytest.mark.parametrize(
    "password", ["", "wrong password", PASSWORD.upper(), PASSWORD + " ", PASSWORD + "\x00", "x" * 100_000]
)
def test_a_wrong_password_is_refused(server: RunningServer, password: str) -> None:
    name = a_name()
    server.api().register(name)
    error = refusal(lambda: server.api().login(name, password))
    assert (error.status, error.code) == (HTTPStatus.UNAUTHORIZED, "wrong_credentials")


@pytest.mark.parametrize("name", ["nobody-has-this-name", "", "no\x00body", "x" * 100_000])
def test_an_unknown_name_gets_the_error_of_a_wrong_password(server: RunningServer, name: str) -> None:
    known = a_name()
    server.api().register(known)
    wrong = refusal(lambda: server.api().login(known, "wrong password"))
    unknown = refusal(lambda: server.api().login(name))
    assert (unknown.status, unknown.code, unknown.message) == (wrong.status, wrong.code, wrong.message)


def test_a_disabled_user_cannot_log_in_or_refresh(server: RunningServer) -> None:
    name = a_name()
    book = server.api().register(name)
    rows(
        server.config.database_url,
        "update public.app_user set disabled_at = now() where book_id = %s",
        book.book_id,
    )
    assert refusal(lambda: server.api().login(name)).code == "wrong_credentials"
    refused = refusal(lambda: server.api().refresh(book.signed_in.refresh_token, "r1"))
    assert refused.code == "unauthenticated"


def test_a_hash_with_weaker_parameters_is_replaced_at_the_next_log_in(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from argon2 import PasswordHasher

    name = a_name()
    book = server.api().register(name)
    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    service = server.services

    async def weaken() -> None:
        async with service.pool.connection() as connection:
            account = await find_account(connection, [name_key(name)])
            assert account is not None
            await rehash(connection, account, weak, account.user_id, uuid4(), "test")

    server.run(weaken())
    server.api().login(name)
    found = rows(
        server.config.database_url,
        "select password_hash from public.credential where book_id = %s",
        book.book_id,
    )
    assert "m=19456,t=2" in found[0][0]
    server.api().login(name)


def test_each_device_has_its_own_prefix_and_keeps_it(server: RunningServer) -> None:
    name = a_name()
    first, second = a_device(), a_device()
    prefix = server.api().register(name, device=first).signed_in.code_prefix
    other = server.api().login(name, device=second).signed_in.code_prefix
    assert other != prefix
    assert server.api().login(name, device=first).signed_in.code_prefix == prefix
    assert server.api().login(name, device=second).signed_in.code_prefix == other


def test_devices_that_log_in_at_once_get_different_prefixes(server: RunningServer) -> None:
    name = a_name()
    server.api().register(name)
    with ThreadPoolExecutor(6) as pool:
        prefixes = list(pool.map(lambda _: server.api().login(name).signed_in.code_prefix, range(6)))
    assert len(set(prefixes)) == 6


def test_the_counter_resumes_at_the_highest_code_of_this_device(server: RunningServer) -> None:
    name, device = a_name(), a_device()
    book = server.api().register(name, device=device)
    prefix = book.signed_in.code_prefix
    for code in (f"{prefix}-000009", f"{prefix}-000010", "ZZZ-000999"):
        book.add(human_code=code)
    assert server.api().login(name, device=device).signed_in.last_counter == 10


# --- a computer's own server --------------------------------------------------------------------------


@pytest.fixture
def local(start_server: Start) -> RunningServer:
    """A computer's own server, with a secret."""
    return start_server(local=True, local_secret=SECRET, region="local", region_letter="0")


def test_the_first_local_log_in_creates_the_book_and_the_next_opens_it(local: RunningServer) -> None:
    assert local.api().local_book() == shapes.LocalBook(exists=False)
    book = local.api().local("Asha")
    assert book.signed_in.code_prefix.startswith("0")
    saved = book.add()
    assert local.api().local_book() == shapes.LocalBook(exists=True, user_name="Asha", has_password=False)
    again = local.api().local(device=book.device)
    assert again.get(saved.entry.id).entry == saved.entry
    assert again.signed_in.code_prefix == book.signed_in.code_prefix


def test_a_local_book_with_a_password_opens_only_with_it(local: RunningServer) -> None:
    book = local.api().local("Asha", PASSWORD)
    assert local.api().local_book().has_password
    for wrong in ("", "wrong password"):
        error = refusal(lambda wrong=wrong: local.api().local("Asha", wrong))
        assert error.code == "wrong_credentials"
        assert local.api().local("Asha", PASSWORD).book_id == book.book_id


def test_a_book_without_a_password_cannot_be_opened_by_log_in(local: RunningServer) -> None:
    local.api().local("Asha")
    for password in ("", "x"):
        error = refusal(lambda password=password: local.api().login("Asha", password))
        assert error.code == "wrong_credentials"


def test_a_local_book_needs_a_name(local: RunningServer) -> None:
    assert list(refusal(local.api().local).fields) == ["userName"]
    assert list(refusal(lambda: local.api().local("Asha", "short")).fields) == ["password"]
    assert local.api().local_book() == shapes.LocalBook(exists=False)


def test_two_simultaneous_first_log_ins_share_one_book(local: RunningServer) -> None:
    with ThreadPoolExecutor(4) as pool:
        books = list(pool.map(lambda n: local.api().local(f"Asha {n}").book_id, range(4)))
    assert len(set(books)) == 1


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x", SECRET[:-1]])
def test_without_the_secret_only_the_liveness_check_answers(local: RunningServer, secret: str) -> None:
    book = local.api().local("Asha")
    stranger = Api(local.url, secret=secret)
    for path in (paths.AUTH_LOCAL, paths.ENTRIES, paths.HEALTH_READY, "/nowhere"):
        answer = stranger.with_token(book.signed_in.access_token).call("GET", path)
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert answer.json()["error"]["code"] == "forbidden"
    assert stranger.call("GET", paths.HEALTH_LIVE).ok


def test_a_regional_server_has_no_local_log_in(server: RunningServer) -> None:
    assert refusal(server.api().local_book).code == "not_found"
    assert refusal(lambda: server.api().local("Asha")).code == "not_found"


# --- refresh ------------------------------------------------------------------------------------------


def _generation(refreshed: shapes.Refreshed, server: RunningServer) -> int:
    claims = server.services.signer.verify(refreshed.refresh_token, tokens.REFRESH_AUDIENCE)
    return int(claims["gen"])


def test_repeating_a_refresh_id_gives_the_same_next_generation(server: RunningServer, book: BookApi) -> None:
    first = book.signed_in.refresh_token
    answers = [book.refresh(first, "r1") for _ in range(3)]
    assert [_generation(answer, server) for answer in answers] == [1, 1, 1]
    assert not answers[0].changed
    assert answers[0].primary.server_id == "test-1"
    following = book.refresh(answers[2].refresh_token, "r2")
    assert _generation(following, server) == 2
    assert book.with_token(following.access_token).page().entries == []
    assert _generation(book.refresh(first, "r1"), server) == 1  # a late retry ends nothing


def test_another_refresh_id_for_a_used_generation_ends_the_session(book: BookApi) -> None:
    first = book.signed_in.refresh_token
    second = book.refresh(first, "r1").refresh_token
    stolen = refusal(lambda: book.refresh(first, "the thief's"))
    assert (stolen.status, stolen.code) == (HTTPStatus.UNAUTHORIZED, "unauthenticated")
    for token, refresh_id in ((second, "r2"), (first, "r1")):
        refused = refusal(lambda token=token, rid=refresh_id: book.refresh(token, rid))
        assert refused.code == "unauthenticated"


def test_two_simultaneous_refresh_ids_end_the_session(server: RunningServer) -> None:
    for _ in range(20):
        book = server.api().register()
        first = book.signed_in.refresh_token

        def rotate(refresh_id: str, book: BookApi = book, first: str = first) -> bool:
            try:
                book.refresh(first, refresh_id)
            except RefusedError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(rotate, ("owner", "thief")))
        assert not rotate("owner")
        assert not rotate("thief")


def test_ending_a_session_does_not_affect_the_users_other_sessions(server: RunningServer) -> None:
    name = a_name()
    one, other = server.api().register(name), server.api().login(name)
    one.refresh(one.signed_in.refresh_token, "r1")
    refusal(lambda: one.refresh(one.signed_in.refresh_token, "r2"))
    other.refresh(other.signed_in.refresh_token, "r1")


def test_an_access_token_expires_after_five_minutes_and_a_refreshed_one_is_valid(start_server: Start) -> None:
    clock = StillClock()
    book = start_server(clock).api().register()
    book.page()
    clock.advance(298)
    book.page()  # known by now: remembered no longer than it lives
    clock.advance(3)
    error = refusal(book.page)
    assert (error.status, error.code) == (HTTPStatus.UNAUTHORIZED, "unauthenticated")
    fresh = book.refresh(book.signed_in.refresh_token, "r1")
    assert fresh.expires_in == 300
    book.with_token(fresh.access_token).page()


def test_a_refresh_token_expires_after_seven_idle_days(start_server: Start) -> None:
    clock = MovingClock()
    book = start_server(clock).api().register()
    clock.advance(7 * 86_400 - 60)
    second = book.refresh(book.signed_in.refresh_token, "r1").refresh_token
    clock.advance(7 * 86_400 + 1)
    assert refusal(lambda: book.refresh(second, "r2")).code == "unauthenticated"


def test_no_session_lives_longer_than_thirty_days(start_server: Start) -> None:
    clock = StillClock()
    book = start_server(clock).api().register()
    token = book.signed_in.refresh_token
    for week in range(5):
        clock.advance(6 * 86_400 - 1)
        token = book.refresh(token, f"week {week}").refresh_token
    clock.advance(10)
    assert refusal(lambda: book.refresh(token, "too late")).code == "unauthenticated"


def test_access_and_refresh_tokens_cannot_replace_each_other(book: BookApi) -> None:
    as_access = book.with_token(book.signed_in.refresh_token)
    assert refusal(as_access.page).code == "unauthenticated"
    assert refusal(lambda: book.refresh(book.signed_in.access_token, "r1")).code == "unauthenticated"


def test_a_session_pinned_to_another_server_is_directed_to_it(server: RunningServer, book: BookApi) -> None:
    signer = server.services.signer
    claims = signer.verify(book.signed_in.access_token, tokens.ACCESS_AUDIENCE)
    moved = book.with_token(signer.sign({**claims, "srv": "test-2"}))
    error = refusal(lambda: moved.send("POST", paths.ENTRIES, shapes.EntrySaved, an_entry()))
    assert (error.status, error.code) == (HTTPStatus.MISDIRECTED_REQUEST, "wrong_server")
    assert error.detail == {"serverId": "test-2"}
