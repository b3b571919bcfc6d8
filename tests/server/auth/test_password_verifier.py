"""The throttle over HTTP: a guesser at many addresses, and the owner meanwhile.

The server trusts `X-Forwarded-For` from loopback, where a proxy of its own machine would be.
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from itertools import count
from uuid import uuid4

import msgspec
import pytest
import requests

from server.auth.password_verifier import too_many_attempts
from server.contract import paths, shapes
from tests.support.api import PASSWORD, BookApi, a_device, a_name
from tests.support.servers import MovingClock, RunningServer, StillClock

Start = Callable[..., RunningServer]
LIMIT = 100
_addresses = count(1)


def attempt(
    server: RunningServer, name: str, password: str, device: shapes.Device | None = None, address: str = ""
) -> requests.Response:
    number = next(_addresses)
    host = address or f"198.{18 + number % 2}.{number // 250 % 250}.{number % 250 + 1}"
    body = msgspec.json.encode(shapes.Credentials(name, password, device or a_device()))
    return server.api().call("POST", paths.AUTH_LOGIN, data=body, headers={"X-Forwarded-For": host})


def register(server: RunningServer, device: shapes.Device) -> str:
    name = a_name()
    server.api().register(name, device=device)
    return name


def own_device() -> shapes.Device:
    return shapes.Device(str(uuid4()), "Laptop", uuid4().hex)


def test_guessing_from_many_addresses_is_stopped_while_the_owner_can_log_in(start_server: Start) -> None:
    clock = MovingClock()
    server = start_server(clock)
    mine = own_device()
    name = register(server, mine)
    through = 0
    steps = 160
    for step in range(steps):
        answer = attempt(server, name, "a guess")
        through += answer.status_code == HTTPStatus.UNAUTHORIZED
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            assert int(answer.headers["Retry-After"]) == answer.json()["error"]["detail"]["retryAfter"] > 0
            assert answer.json()["error"]["code"] == "too_many_attempts"
        if step % 20 == 10:
            assert attempt(server, name, PASSWORD, mine).status_code == HTTPStatus.OK
        clock.advance(3_500 / steps)
    assert 20 < through < LIMIT
    # the right password too waits where it comes from a device that nobody knows: it is no oracle
    assert attempt(server, name, PASSWORD).status_code in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.OK}


ZERO_WIDTH = "\u200b"
SPELLINGS = [
    "{}",
    *(f"{ZERO_WIDTH * (65 - shown)}{{}}" for shown in range(8)),
    *(f"{ZERO_WIDTH * hidden}{{}}" for hidden in (1, 40, 66, 100)),
    "{}\u2060\U000e0041",
    "\u202e{}\u202c",
]


@pytest.mark.parametrize("exists", [True, False])
def test_all_spellings_that_find_an_account_share_one_allowance(start_server: Start, *, exists: bool) -> None:
    server = start_server(StillClock())
    name = register(server, own_device()) if exists else a_name()
    spellings = [spelling.format(each) for spelling in SPELLINGS for each in (name, name.upper())]
    through = [attempt(server, typed, "a guess").status_code for typed in spellings * 2]
    assert through.count(HTTPStatus.UNAUTHORIZED) == 20
    assert set(through[20:]) == {HTTPStatus.TOO_MANY_REQUESTS}


def test_each_of_these_spellings_finds_the_account(start_server: Start) -> None:
    server = start_server(StillClock())
    name = register(server, own_device())
    for spelling in SPELLINGS:
        assert attempt(server, spelling.format(name), PASSWORD).status_code == HTTPStatus.OK


def test_a_device_id_without_its_secret_counts_as_unknown(start_server: Start) -> None:
    server = start_server()
    mine = own_device()
    name = register(server, mine)
    for secret in ("", "wrong", mine.secret[:-1]):
        leaked = msgspec.structs.replace(mine, secret=secret)
        for _ in range(10):
            attempt(server, name, "a guess", leaked)
    assert attempt(server, name, PASSWORD, leaked).status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert attempt(server, name, PASSWORD, mine).status_code == HTTPStatus.OK


def test_a_device_is_known_only_to_accounts_it_has_logged_in_to(start_server: Start) -> None:
    server = start_server(StillClock())
    thief = own_device()
    register(server, thief)
    victim = register(server, own_device())
    through = [attempt(server, victim, "a guess", thief).status_code for _ in range(40)]
    assert through.count(HTTPStatus.UNAUTHORIZED) == 20  # a stranger's allowance, not one more
    assert attempt(server, victim, "a guess").status_code == HTTPStatus.TOO_MANY_REQUESTS


def test_a_device_without_a_secret_becomes_known_at_its_next_log_in(start_server: Start) -> None:
    server = start_server()
    mine = own_device()
    name = register(server, msgspec.structs.replace(mine, secret=""))
    prefix = server.api().login(name, device=mine).signed_in.code_prefix
    for _ in range(30):
        attempt(server, name, "a guess")
    answer = attempt(server, name, PASSWORD, mine)
    assert answer.status_code == HTTPStatus.OK
    assert answer.json()["codePrefix"] == prefix


def test_the_error_names_the_time_to_wait_and_a_log_in_resets_the_count(
    start_server: Start,
) -> None:
    clock = MovingClock()
    server = start_server(clock)
    mine = own_device()
    name = register(server, mine)
    for _ in range(9):
        assert attempt(server, name, "mistyped", mine).status_code == HTTPStatus.UNAUTHORIZED
    assert attempt(server, name, PASSWORD, mine).status_code == HTTPStatus.OK
    codes = [attempt(server, name, "mistyped", mine).status_code for _ in range(11)]
    assert codes == [HTTPStatus.UNAUTHORIZED] * 10 + [HTTPStatus.TOO_MANY_REQUESTS]
    refused = attempt(server, name, PASSWORD, mine)
    assert refused.json()["error"]["message"].endswith("minutes.")
    clock.advance(int(refused.headers["Retry-After"]))
    assert attempt(server, name, PASSWORD, mine).status_code == HTTPStatus.OK


def test_one_address_that_tries_many_names_is_stopped(start_server: Start) -> None:
    server = start_server(StillClock())
    codes = [attempt(server, f"n{n}", "a guess", address="192.0.2.7").status_code for n in range(55)]
    assert codes == [HTTPStatus.UNAUTHORIZED] * 50 + [HTTPStatus.TOO_MANY_REQUESTS] * 5


def test_an_unknown_name_gets_the_same_answers_as_a_known_one(start_server: Start) -> None:
    server = start_server(StillClock())
    name = register(server, own_device())

    def answers(name: str) -> list[tuple[int, str]]:
        found = [attempt(server, name, "a guess") for _ in range(24)]
        return [(a.status_code, a.json()["error"]["message"]) for a in found]

    assert answers(name) == answers("nobody-has-this-name")
    assert answers(name.upper())[0][0] == HTTPStatus.TOO_MANY_REQUESTS  # the same account, so counted with it


def test_an_unknown_name_takes_as_long_as_a_known_one(start_server: Start) -> None:
    clock = MovingClock()
    server = start_server(clock)
    names = [register(server, own_device()) for _ in range(2)]

    def seconds(name: str) -> float:
        began = time.perf_counter()
        attempt(server, name, "a guess")
        return time.perf_counter() - began

    # argon2 takes 15 ms and more; were it skipped, the unknown would take a fraction. What else a machine
    # does only ever adds to a call: the least of each come together, sooner or later
    known, unknown = [], []
    for number in range(200):
        known.append(min(seconds(name) for name in names))
        unknown.append(min(seconds(name) for name in ("nobody-1", "nobody-2")))
        if number >= 8 and 0.5 < min(unknown) / min(known) < 2:
            break
        clock.advance(100)  # each name is allowed one more
    assert 0.5 < min(unknown) / min(known) < 2


def test_at_the_local_book_a_wrong_password_costs_seconds(start_server: Start) -> None:
    clock = StillClock()
    server = start_server(clock, local=True, local_secret="s", region="local", region_letter="0")
    body = shapes.LocalSignIn(own_device(), "Asha", PASSWORD)
    api = server.api()
    api.send("POST", paths.AUTH_LOCAL, shapes.SignedIn, body)
    right = msgspec.json.encode(body)
    wrong = msgspec.json.encode(msgspec.structs.replace(body, password="wrong"))
    told = []
    for _ in range(8):
        answer = api.call("POST", paths.AUTH_LOCAL, data=wrong)
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        wait = answer.json()["error"]["detail"].get("retryAfter", 0)
        told.append(wait)
        if wait:  # until then the right password waits too
            assert int(answer.headers["Retry-After"]) == wait
            assert api.call("POST", paths.AUTH_LOCAL, data=right).status_code == HTTPStatus.TOO_MANY_REQUESTS
        clock.advance(wait)
    assert told == [0, 1, 2, 4, 8, 10, 10, 10]
    assert api.call("POST", paths.AUTH_LOCAL, data=right).status_code == HTTPStatus.OK
    assert "retryAfter" not in api.call("POST", paths.AUTH_LOCAL, data=wrong).json()["error"]["detail"]


def test_the_time_to_wait_is_given_in_words() -> None:
    assert "in a second." in too_many_attempts(0.2).message
    assert "in 42 seconds." in too_many_attempts(41.3).message
    assert "in a minute." in too_many_attempts(59.5).message
    assert "in 2 minutes." in too_many_attempts(61).message
    assert too_many_attempts(0.2).detail == {"retryAfter": 1}


def test_a_correct_password_uses_up_no_attempt(start_server: Start) -> None:
    server = start_server()
    name = register(server, own_device())
    for _ in range(30):
        assert isinstance(server.api().login(name), BookApi)
