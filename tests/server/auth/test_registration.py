"""Who may make an account: registration modes and invitations, over HTTP."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from uuid import uuid4

import pytest

from server.contract import paths, shapes
from server.tokens.invites import make_invite
from tests.support.api import PASSWORD, RefusedError, a_device, a_name, refusal
from tests.support.postgres import rows
from tests.support.servers import MovingClock, RunningServer

Start = Callable[..., RunningServer]


def code_of(server: RunningServer, days: int = 7) -> str:
    return make_invite(server.services.signer, "test-1", uuid4(), days, int(server.services.clock()))


def register(server: RunningServer, code: str, name: str = "", password: str = PASSWORD) -> shapes.SignedIn:
    body = shapes.Registration(name or a_name(), password, a_device(), code)
    return server.api().send("POST", paths.AUTH_REGISTER, shapes.SignedIn, body)


@pytest.fixture
def inviting(start_server: Start) -> RunningServer:
    return start_server(registration="invite")


def test_an_invitation_creates_one_account(inviting: RunningServer) -> None:
    code = code_of(inviting)
    signed_in = register(inviting, code)
    spent = rows(inviting.config.database_url, "select book_id::text from public.invite_use")
    assert spent == [(signed_in.book_id,)]
    error = refusal(lambda: register(inviting, code))
    assert (error.status, error.code) == (HTTPStatus.FORBIDDEN, "invite_refused")
    assert error.detail["reason"] == "spent"
    assert error.fields["inviteCode"] == error.message


def test_a_missing_wrong_or_expired_code_has_its_own_error(start_server: Start) -> None:
    clock = MovingClock()
    server = start_server(clock, registration="invite")
    old = code_of(server, days=1)
    clock.advance(86_401)
    for code, reason in (("", "missing"), ("abc", "wrong"), (old, "expired")):
        error = refusal(lambda code=code: register(server, code))
        assert (error.code, error.detail["reason"]) == ("invite_refused", reason)
        assert list(error.fields) == ["inviteCode"]
    assert rows(server.config.database_url, "select count(*) from public.app_user") == [(0,)]


def test_a_refused_registration_does_not_use_up_the_invitation(inviting: RunningServer) -> None:
    code, name = code_of(inviting), a_name()
    register(inviting, code_of(inviting), name)
    assert refusal(lambda: register(inviting, code, name)).code == "user_name_taken"
    assert refusal(lambda: register(inviting, code, password="short")).code == "invalid_fields"
    register(inviting, code)


def test_an_invitation_used_many_times_at_once_creates_one_account(inviting: RunningServer) -> None:
    code = code_of(inviting)

    def attempt(_: int) -> str:
        try:
            return register(inviting, code).book_id
        except RefusedError as error:
            return error.code

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(attempt, range(6)))
    assert outcomes.count("invite_refused") == 5
    assert rows(inviting.config.database_url, "select count(*) from public.app_user") == [(1,)]


def test_an_open_server_requires_no_code_and_uses_up_none(start_server: Start) -> None:
    server = start_server(registration="open")
    register(server, "")
    register(server, code_of(server))
    assert rows(server.config.database_url, "select count(*) from public.invite_use") == [(0,)]


def test_a_closed_server_accepts_no_invitation(start_server: Start) -> None:
    server = start_server(registration="closed")
    assert refusal(lambda: register(server, code_of(server))).code == "registration_closed"
