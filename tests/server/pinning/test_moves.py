"""Sessions that move between real servers of one region: log-in, lock, refresh, and what a thief meets."""

import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import requests

from server.cluster.trusted_keys import CLUSTER
from server.contract import cluster, cluster_calls, paths, shapes
from server.log import json_lines
from server.node.load import LoadMeter
from server.tokens import tokens
from server.tokens.invites import make_invite
from server.tokens.tokens import Signer
from tests.support.api import PASSWORD, Api, BookApi, a_device, a_document, a_name, refusal
from tests.support.regional import MUMBAI, SINGAPORE, Regional
from tests.support.servers import MovingClock, RunningServer, running_server
from tests.support.two_regions import patience

Start = Callable[..., RunningServer]
ONE, TWO, FAR = "in-1", "in-2", "sg-1"


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture(autouse=True)
def _idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this process is, whose load the servers take for their own: a full one is spared."""
    monkeypatch.setattr(LoadMeter, "sample", lambda _: None)


@pytest.fixture
def regional(tmp_path: Path) -> Regional:
    return Regional(tmp_path, (ONE, TWO, FAR))


@pytest.fixture
def start(regional: Regional, database_url: str, clock: MovingClock) -> Iterator[Start]:
    with patience(), ExitStack() as running:

        def start(id_: str, **settings: Any) -> RunningServer:
            return running.enter_context(
                running_server(regional.config(id_, database_url, **settings), clock)
            )

        yield start


def refresh(api: Api, token: str, **said: Any) -> shapes.Refreshed:
    body = shapes.RefreshRequest(token, said.pop("refresh_id", str(uuid4())), **said)
    return api.send("POST", paths.AUTH_REFRESH, shapes.Refreshed, body)


def where(api: Api, refreshed: shapes.Refreshed) -> BookApi:
    """Return the client as it goes on after a refresh."""
    signed_in = shapes.SignedIn(
        refreshed.access_token,
        refreshed.expires_in,
        refreshed.refresh_token,
        refreshed.primary,
        *("", "", "", 0, ""),
    )
    return BookApi(Api(refreshed.primary.url), signed_in, a_device())


def drain(server: RunningServer) -> None:
    async def begin() -> None:
        server.services.lifecycle.drain(server.services.clock(), 900)

    server.run(begin())


# --- who is there -------------------------------------------------------------------------------------


def test_a_server_says_who_it_is_and_what_it_knows(start: Start, regional: Regional) -> None:
    server = start(ONE)
    answer = server.api().call("GET", paths.CLOSEST_TO_ME)
    assert answer.headers["Cache-Control"] == "no-store"
    closest = msgspec.json.decode(answer.content, type=cluster_calls.Closest)
    assert (closest.server_id, closest.region) == (ONE, MUMBAI)
    known = server.api().send("GET", paths.SERVERS, cluster_calls.Servers)
    assert known == cluster_calls.Servers(regional.roster_file.read_text(), "")
    regional.tell(server)
    text = server.api().send("GET", paths.SERVERS, cluster_calls.Servers).directory
    assert cluster.read_directory(text, regional.cluster.roster, time.time()).state_of(TWO) == "up"


def test_a_computers_own_server_is_nobodys_closest(start_server: Start) -> None:
    server = start_server(local=True, local_secret="s", region="local", region_letter="0")
    assert (
        refusal(lambda: server.api().send("GET", paths.CLOSEST_TO_ME, cluster_calls.Closest)).code
        == "not_found"
    )
    roster = server.api().send("GET", paths.SERVERS, cluster_calls.Servers).roster
    key = server.services.signer.raw_public
    assert cluster.signing.peek(roster, cluster.ROSTER, cluster.Roster).servers[0].url == server.url
    assert cluster.read_roster(roster, cluster.signing.fingerprint(key)).version == 1


# --- the lock -----------------------------------------------------------------------------------------


def test_a_session_is_locked_to_one_server_and_the_other_names_it(start: Start, regional: Regional) -> None:
    one, two = start(ONE), start(TWO)
    book = one.api().register()
    assert book.signed_in.primary == shapes.Primary(ONE, MUMBAI, regional.url(ONE))
    assert (book.signed_in.lock_epoch, book.signed_in.code_prefix[0]) == (0, "M")
    assert book.signed_in.roster_version == regional.cluster.roster.version
    elsewhere = two.api().with_token(book.signed_in.access_token).call("GET", paths.ENTRIES)
    assert elsewhere.status_code == HTTPStatus.MISDIRECTED_REQUEST
    assert elsewhere.json()["error"]["detail"] == {"serverId": ONE}


def test_log_ins_spread_over_the_servers_of_the_region(start: Start, regional: Regional) -> None:
    one = start(ONE)
    start(TWO)
    regional.tell(one, used={TWO: 0.0})
    one.services.placement.chance = iter([0.0, 0.99]).__next__
    name = a_name()
    first, second = one.api().register(name), one.api().login(name)
    assert [each.signed_in.primary.server_id for each in (first, second)] == [ONE, TWO]
    moved = BookApi(Api(second.signed_in.primary.url), second.signed_in, second.device)
    assert moved.page().entries == []
    assert one.services.load.report().locks == 1


# --- refresh ------------------------------------------------------------------------------------------


def test_any_server_answers_any_servers_refresh_token(start: Start, regional: Regional) -> None:
    one, two = start(ONE), start(TWO)
    book = one.api().register()
    regional.tell(two)
    refreshed = refresh(two.api(), book.signed_in.refresh_token)
    assert (refreshed.reason, refreshed.changed) == ("balance", False)
    assert refreshed.primary.server_id == ONE
    where(one.api(), refreshed).page()
    claims = one.services.trusted_keys.verify(refreshed.access_token, tokens.ACCESS_AUDIENCE)
    assert (claims["iss"], claims["srv"], claims["lep"]) == (TWO, ONE, 0)


def test_a_dead_servers_client_goes_on_at_the_survivor(
    start: Start, regional: Regional, clock: MovingClock
) -> None:
    one, two = start(ONE), start(TWO)
    book = one.api().register()
    saved = book.add(a_document())
    clock.advance(1_000)
    regional.tell(two, {ONE: "down"}, now=clock())
    refreshed = refresh(two.api(), book.signed_in.refresh_token, critical_task_in_progress=True)
    assert (refreshed.reason, refreshed.changed, refreshed.lock_epoch) == ("failover", True, 1)
    assert refreshed.primary == shapes.Primary(TWO, MUMBAI, regional.url(TWO))
    assert where(two.api(), refreshed).get(saved.entry.id).entry.id == saved.entry.id
    claims = two.services.trusted_keys.verify(refreshed.refresh_token, tokens.REFRESH_AUDIENCE)
    assert (claims["srv"], claims["gen"], claims["lep"], claims["rat"]) == (TWO, 1, 1, 0)
    assert abs(claims["lat"] - clock()) < 60


def test_unreachable_is_answered_without_any_news(start: Start) -> None:
    one, two = start(ONE), start(TWO)
    book = one.api().register()
    refreshed = refresh(two.api(), book.signed_in.refresh_token, reason="unreachable")
    assert (refreshed.reason, refreshed.primary.server_id) == ("failover", TWO)
    again = refresh(two.api(), refreshed.refresh_token, reason="unreachable")
    assert (again.reason, again.changed, again.lock_epoch) == ("failover", False, 1)


def test_another_region_takes_over_and_the_change_of_region_is_noted(
    start: Start, regional: Regional, clock: MovingClock
) -> None:
    one, far = start(ONE), start(FAR)
    book = one.api().register()
    regional.tell(far, {ONE: "down", TWO: "down"})
    refreshed = refresh(far.api(), book.signed_in.refresh_token, reason="unreachable")
    assert refreshed.primary.region == SINGAPORE
    claims = far.services.trusted_keys.verify(refreshed.refresh_token, tokens.REFRESH_AUDIENCE)
    assert claims["rat"] == claims["lat"] > 0


def test_nobody_changes_to_a_closer_region_before_the_writes_are_there(
    start: Start, regional: Regional
) -> None:
    one = start(ONE)
    book = one.api().register()
    regional.tell(one)
    refreshed = refresh(one.api(), book.signed_in.refresh_token, closest_server_id=FAR)
    assert (refreshed.reason, refreshed.changed) == ("closer_region", False)
    start(FAR)  # on the same database here: everything is there
    refreshed = refresh(one.api(), refreshed.refresh_token, closest_server_id=FAR)
    assert (refreshed.reason, refreshed.primary.server_id) == ("closer_region", FAR)
    assert one.services.load.report().moves == 1


def test_the_same_refresh_id_at_two_servers_gives_the_same_generation(
    start: Start, regional: Regional
) -> None:
    one, two = start(ONE), start(TWO)
    book = one.api().register()
    first = refresh(one.api(), book.signed_in.refresh_token, refresh_id="r1")
    second = refresh(two.api(), book.signed_in.refresh_token, refresh_id="r1", reason="unreachable")
    verify = one.services.trusted_keys.verify
    assert [verify(each.refresh_token, tokens.REFRESH_AUDIENCE)["gen"] for each in (first, second)] == [1, 1]


def test_a_thief_who_replays_a_refresh_token_at_another_server_ends_the_session(start: Start) -> None:
    one, two = start(ONE), start(TWO)
    book = one.api().register()
    honest = refresh(one.api(), book.signed_in.refresh_token, refresh_id="owner")
    stolen = refusal(lambda: refresh(two.api(), book.signed_in.refresh_token, refresh_id="thief"))
    assert (stolen.status, stolen.code) == (HTTPStatus.UNAUTHORIZED, "unauthenticated")
    assert refusal(lambda: refresh(one.api(), honest.refresh_token)).code == "unauthenticated"
    assert two.services.placement.decisions == {("reused", False): 1}
    assert one.services.placement.decisions["invalid", False] == 1


def test_a_primary_is_never_outside_the_roster(start: Start, regional: Regional) -> None:
    one, two = start(ONE), start(TWO)
    book = two.api().register()
    roster = regional.cluster.roster
    left = [each for each in roster.servers if each.id != TWO]
    text = regional.publish(servers=left, version=roster.version + 1)
    membership = one.services.membership
    regional.tell(one)

    async def take() -> bool:
        return membership.offer_roster(text)

    # Its key went with it: what it signed opens nothing, so that its clients log in again.
    assert one.run(take())
    assert refusal(lambda: refresh(one.api(), book.signed_in.refresh_token)).code == "unauthenticated"
    for _ in range(10):
        assert one.api().register().signed_in.primary.server_id == ONE
    ours = one.services.trusted_keys.sign(
        {**_claims(one, one.api().register()), "srv": TWO}
    )  # locked there, but issued here
    refreshed = refresh(one.api(), ours)
    assert (refreshed.reason, refreshed.primary.server_id) == ("failover", ONE)


def _claims(server: RunningServer, book: BookApi) -> dict[str, Any]:
    return server.services.trusted_keys.verify(book.signed_in.refresh_token, tokens.REFRESH_AUDIENCE)


def test_a_removed_servers_access_token_is_forgotten_though_it_was_seen_before(
    start: Start, regional: Regional
) -> None:
    one, two = start(ONE), start(TWO)
    regional.tell(two)
    book = one.api().register()
    refreshed = refresh(two.api(), book.signed_in.refresh_token)  # issued by TWO, for ONE
    here = where(one.api(), refreshed)
    here.page()
    roster = regional.cluster.roster
    text = regional.publish(
        servers=[each for each in roster.servers if each.id != TWO], version=roster.version + 1
    )

    async def take() -> bool:
        return one.services.membership.offer_roster(text)

    one.run(take())
    assert refusal(here.page).code == "unauthenticated"
    book.page()


# --- draining -----------------------------------------------------------------------------------------


def test_a_draining_server_serves_on_says_so_and_hands_its_clients_over(
    start: Start, regional: Regional
) -> None:
    one, two = start(ONE), start(TWO)
    name = a_name()
    book = one.api().register(name)
    assert paths.DRAINING_HEADER not in book.call("GET", paths.ENTRIES).headers
    drain(one)
    assert book.call("GET", paths.ENTRIES).headers[paths.DRAINING_HEADER] == "1"
    not_ready = one.api().call("GET", paths.HEALTH_READY)
    assert (not_ready.status_code, not_ready.json()["error"]["code"]) == (503, "draining")
    assert one.api().call("GET", paths.HEALTH_LIVE).ok
    login = one.api().login(name)
    assert login.signed_in.primary.server_id in (TWO, FAR)
    regional.tell(one)
    assert one.api().login(name).signed_in.primary.server_id == TWO
    busy = refresh(one.api(), book.signed_in.refresh_token, critical_task_in_progress=True)
    assert (busy.reason, busy.changed) == ("critical", False)
    assert one.services.load.report().locks == 1
    moved = refresh(one.api(), busy.refresh_token)
    assert (moved.reason, moved.primary.server_id) == ("drain", TWO)
    assert one.services.load.report().locks == 0
    where(two.api(), moved).page()


# --- invitations, limits, logs ------------------------------------------------------------------------


def test_the_operators_invitation_opens_an_account_at_any_server(start: Start, regional: Regional) -> None:
    server = start(TWO, registration="invite")
    code = make_invite(Signer(regional.cluster.key), CLUSTER, uuid4(), 7, int(time.time()))
    body = shapes.Registration(a_name(), PASSWORD, a_device(), code)
    assert server.api().send("POST", paths.AUTH_REGISTER, shapes.SignedIn, body).book_id
    other = shapes.Registration(a_name(), PASSWORD, a_device(), code)
    refused = refusal(lambda: server.api().send("POST", paths.AUTH_REGISTER, shapes.SignedIn, other))
    assert refused.detail["reason"] == "spent"


def test_the_limit_on_wrong_passwords_is_divided_by_the_rosters_servers(
    start: Start, regional: Regional
) -> None:
    server = start(ONE)
    name = a_name()
    server.api().register(name)

    def tries() -> int:
        count = 0
        while refusal(lambda: server.api().login(name, "a wrong password")).code == "wrong_credentials":
            count += 1
        return count

    assert tries() == 20 // 3  # strangers' burst, by three servers
    roster = regional.cluster.roster
    text = regional.publish(servers=roster.servers[:1], version=roster.version + 1)

    async def take() -> bool:
        return server.services.membership.offer_roster(text)

    server.run(take())
    assert tries() == 14  # what was spent stays spent


def test_a_decision_is_logged_with_the_request_it_was_for_and_without_a_token(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    one = start(ONE)
    book = one.api().register()
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(json_lines())
    logger = logging.getLogger("server.pinning.placement")
    logger.addHandler(handler)
    try:
        with caplog.at_level(logging.INFO):
            body = shapes.RefreshRequest(book.signed_in.refresh_token, "r1")
            answer = one.api().call(
                "POST",
                paths.AUTH_REFRESH,
                data=msgspec.json.encode(body),
                headers={paths.REQUEST_ID_HEADER: "call-17"},
            )
    finally:
        logger.removeHandler(handler)
    assert answer.ok
    line = json.loads(lines.getvalue())
    assert line["request_id"] == "call-17"
    assert {key: line[key] for key in ("rule", "changed", "pinned", "chosen")} == {
        "rule": "uncertain",
        "changed": False,
        "pinned": ONE,
        "chosen": ONE,
    }
    for secret in (book.signed_in.refresh_token, answer.json()["refreshToken"]):
        assert secret not in caplog.text + lines.getvalue()


# --- metrics ------------------------------------------------------------------------------------------


def metrics(server: RunningServer, **headers: str) -> requests.Response:
    return server.api().call("GET", paths.METRICS, headers=headers)


def test_metrics_tell_calls_decisions_beats_and_states(start: Start, regional: Regional) -> None:
    one, two = start(ONE), start(TWO)
    regional.tell(two, {ONE: "down"})
    book = one.api().register()
    refresh(two.api(), book.signed_in.refresh_token)
    answer = metrics(two)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    for line in (
        'bahi_requests_total{method="POST",route="/v1/auth/refresh",status="200"} 1.0',
        'bahi_request_seconds_count{route="/v1/auth/refresh"} 1.0',
        'bahi_refresh_decisions_total{rule="failover"} 1.0',
        "bahi_moves_total 1.0",
        "bahi_locks 1.0",
        "bahi_in_flight 1.0",
        'bahi_registry_state{server="in-1",state="down"} 1.0',
        'bahi_registry_state{server="in-1",state="up"} 0.0',
        f"bahi_roster_version {float(regional.cluster.roster.version)}",
    ):
        assert line in lines
    assert any(line.startswith("bahi_directory_age_seconds ") for line in lines)
    assert str(book.signed_in.book_id) not in answer.text


def test_metrics_never_hold_an_address_that_somebody_made_up(start: Start) -> None:
    server = start(ONE)
    server.api().call("GET", "/nowhere/secret")
    server.api().call("BREW", paths.ENTRIES)
    text = metrics(server).text
    assert "secret" not in text
    assert "BREW" not in text
    assert 'bahi_requests_total{method="GET",route="unknown",status="404"} 1.0' in text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_metrics_are_not_for_whoever_comes_through_a_proxy(start: Start, header: str) -> None:
    server = start(ONE)
    assert metrics(server).ok
    assert metrics(server, **{header: "127.0.0.1"}).status_code == HTTPStatus.NOT_FOUND


def test_metrics_with_a_token_are_for_whoever_has_it(start: Start) -> None:
    server = start(ONE, metrics_token="open sesame")
    assert metrics(server).status_code == HTTPStatus.NOT_FOUND
    assert metrics(server, Authorization="Bearer wrong").status_code == HTTPStatus.NOT_FOUND
    forwarded = {"Authorization": "Bearer open sesame", "X-Forwarded-For": "203.0.113.9"}
    assert metrics(server, **forwarded).ok
