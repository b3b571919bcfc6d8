"""Calls to servers that answer, hang, trickle, redirect, or are not the server they should be."""

import asyncio
import gc
import gzip
import json
import logging
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from server.cluster import peer_http
from server.cluster.peer_http import PeerHttp, PeerHttpError
from server.contract import paths
from server.contract.cluster_calls import HeartbeatRequest, Servers
from server.errors import StartError
from server.process.ready_line import loop_factory
from tests.support.certificates import make_certificate
from tests.support.raw_server import RawServer, ok, raw_server
from tests.support.servers import ROOT
from tests.support.waiting import wait_until

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]
Work = Callable[[PeerHttp], Awaitable[T]]
ANSWER = Servers("roster", "directory")
BODY = msgspec.json.encode(ANSWER)
PATIENT = 30.0


@pytest.fixture(params=[asyncio.new_event_loop, loop_factory()], ids=["asyncio", "ours"])
def run(request: pytest.FixtureRequest) -> Run[Any]:
    def run(work: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(work)

    return run


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers is heard, however busy this machine is."""
    monkeypatch.setattr(peer_http, "SECONDS", PATIENT)


async def within(work: Work[T], *arguments: Any, **options: Any) -> T:
    async with PeerHttp(*arguments, **options) as http:
        return await work(http)


def ask(url: str, **options: Any) -> Work[Servers]:
    return lambda http: http.get(url, paths.SERVERS, Servers, **options)


def reason(run: Run[Any], work: Work[Any], *arguments: Any, **options: Any) -> str:
    with pytest.raises(PeerHttpError) as failed:
        run(within(work, *arguments, **options))
    return str(failed.value)


def header(request: bytes, name: str) -> str:
    found = re.search(rf"(?im)^{name}: *(.*?)\r$", request.decode())
    return found[1] if found else ""


async def until(happened: Callable[[], object]) -> None:
    """Wait as `wait_until` does, while the event loop goes on."""
    async with asyncio.timeout(60):
        while not happened():
            await asyncio.sleep(0.005)


# --- answers ------------------------------------------------------------------------------------------


def test_an_answer_is_decoded_and_each_call_has_an_id(run: Run[Any]) -> None:
    async def calls(http: PeerHttp) -> list[Servers]:
        return [
            await http.get(server.url, paths.SERVERS, Servers),
            await http.post(server.url, paths.HEARTBEATS, HeartbeatRequest("beat"), Servers),
        ]

    with raw_server(lambda server: server.answers(ok(BODY))) as server:
        assert run(within(calls)) == [ANSWER, ANSWER]
    first, second = server.asked
    assert first.startswith(f"GET {paths.SERVERS} HTTP/1.1\r\n".encode())
    assert second.startswith(f"POST {paths.HEARTBEATS} HTTP/1.1\r\n".encode())
    assert json.loads(second.partition(b"\r\n\r\n")[2]) == {"heartbeat": "beat"}
    assert header(second, "content-type") == "application/json"
    ids = [header(each, paths.REQUEST_ID_HEADER) for each in server.asked]
    assert len(set(ids)) == 2
    assert all(ids)


def test_a_connection_is_kept_unless_calls_are_direct(run: Run[Any]) -> None:
    async def twice(http: PeerHttp) -> None:
        await ask(server.url)(http)
        await ask(server.url)(http)

    with raw_server(lambda server: server.answers(ok(BODY))) as server:
        run(within(twice))
        assert len(server.accepted) == 1
        run(within(twice, direct=True))
        assert len(server.accepted) == 3
        wait_until(lambda: len(server.hung_up) == 3)


def test_a_connection_that_was_closed_meanwhile_is_replaced(run: Run[Any]) -> None:
    async def twice(http: PeerHttp) -> None:
        for number in (1, 2):
            await ask(server.url)(http)
            await until(lambda number=number: len(server.over) == number)

    with raw_server(lambda server: server.answers_once(ok(BODY))) as server:
        run(within(twice))


def test_a_name_that_has_an_address_which_refuses_is_called_at_another(run: Run[Any]) -> None:
    with raw_server(lambda server: server.answers(ok(BODY))) as server:  # only at the IPv4 address
        assert run(within(ask(f"http://localhost:{server.port}"))) == ANSWER


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "status 503"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "status 204"),
        (ok(b"<html>"), "answer not understood"),
        (ok(b"{}"), "answer not understood"),
        (ok(b'{"roster": "\xff"}'), "answer not understood"),
        (ok(gzip.compress(BODY), b"Content-Encoding: gzip"), "answer not understood"),
        (b"", "ServerDisconnectedError"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ""),
        (b"x" * 1_000_000, ""),
        (ok(BODY)[:-1], "ClientPayloadError"),
    ],
)
def test_anything_else_is_an_error(run: Run[Any], answer: bytes, words: str) -> None:
    with raw_server(lambda server: server.answers_once(answer)) as server:
        assert words in reason(run, ask(server.url))


def test_a_redirect_is_not_followed(run: Run[Any]) -> None:
    with raw_server(lambda server: server.answers(ok(BODY))) as elsewhere:
        answer = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n"
        with raw_server(lambda server: server.answers_once(answer.encode())) as server:
            assert reason(run, ask(server.url)) == "status 307"
    assert elsewhere.accepted == []


@pytest.mark.parametrize("url", ["http://example.org", "http://127.0.0.1:1/path", "file:///etc/passwd", ""])
def test_an_address_that_is_not_allowed_is_not_called(run: Run[Any], url: str) -> None:
    assert reason(run, ask(url)) == "address not allowed"
    assert reason(run, lambda http: http.fetch(url, "/", {}, (1, 1)).__aenter__()) == "address not allowed"


# --- limits -------------------------------------------------------------------------------------------


def test_a_refused_connection_fails_at_once(run: Run[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_http, "SECONDS", 600.0)  # longer than this test may take
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))  # no other program takes the port meanwhile, and nothing listens
        assert reason(run, ask(f"http://127.0.0.1:{kept.getsockname()[1]}")) == "ClientConnectorError"


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64 + ".example", "a..example", "2130706433"])
def test_a_name_that_cannot_be_resolved_is_an_error(run: Run[Any], host: str) -> None:
    assert reason(run, ask(f"https://{host}"))


def test_a_server_that_hangs_is_given_up(run: Run[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_http, "SECONDS", 0.1)
    with raw_server(lambda server: server.hangs) as server:
        assert "Timeout" in reason(run, ask(server.url))
        wait_until(lambda: len(server.hung_up) == 1)


def test_a_body_that_comes_too_slowly_is_given_up(run: Run[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_http, "SECONDS", 0.3)

    def trickle(server: RawServer) -> Callable[[socket.socket], None]:
        def talk(connection: socket.socket) -> None:
            server.take_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:  # until nobody listens
                connection.sendall(b" ")
                time.sleep(0.02)

        return talk

    with raw_server(trickle) as server:
        assert reason(run, ask(server.url)) == "TimeoutError"


def test_an_endless_answer_is_cut_off(run: Run[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    sent = 0

    def endless(server: RawServer) -> Callable[[socket.socket], None]:
        def talk(connection: socket.socket) -> None:
            nonlocal sent
            server.take_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                sent += connection.send(b" " * 65_536)

        return talk

    with raw_server(endless) as server:
        assert reason(run, ask(server.url)) == "answer too long"
        assert 4 * 1024 * 1024 <= sent < 40 * 1024 * 1024
        assert reason(run, ask(server.url, max_bytes=10)) == "answer too long"
        assert reason(run, ask(server.url, max_bytes=16 * 1024)) == "answer too long"


def test_servers_that_hang_do_not_delay_calls_to_others(run: Run[Any]) -> None:
    async def calls(http: PeerHttp) -> Servers:
        waiting = [asyncio.create_task(ask(hanging.url)(http)) for _ in range(150)]
        await until(lambda: len(hanging.accepted) == peer_http._CONNECTIONS)
        answer = await ask(server.url)(http)
        assert not any(each.done() for each in waiting)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return answer

    with (
        raw_server(lambda server: server.hangs) as hanging,
        raw_server(lambda server: server.answers(ok(BODY))) as server,
    ):
        assert run(within(calls)) == ANSWER
        assert len(hanging.accepted) == peer_http._CONNECTIONS


# --- cancelled and closed -----------------------------------------------------------------------------


def test_a_cancelled_call_closes_its_connection_and_harms_no_other(run: Run[Any]) -> None:
    async def calls(http: PeerHttp) -> Servers:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await ask(hanging.url)(http)
        await until(lambda: len(hanging.hung_up) == 1)
        return await ask(server.url)(http)

    with (
        raw_server(lambda server: server.hangs) as hanging,
        raw_server(lambda server: server.answers(ok(BODY))) as server,
    ):
        assert run(within(calls)) == ANSWER


def test_a_closed_client_calls_nobody(run: Run[Any]) -> None:
    async def after_the_end(opened: bool) -> str:
        async with PeerHttp() as http:
            if opened:
                await http.open()
        with pytest.raises(PeerHttpError) as failed:
            await ask(server.url)(http)
        return str(failed.value)

    with raw_server(lambda server: server.answers(ok(BODY))) as server:
        assert run(after_the_end(False)) == run(after_the_end(True)) == "client closed"
        assert server.accepted == []


def test_a_call_during_which_the_client_is_closed_fails(run: Run[Any]) -> None:
    async def work() -> None:
        async with PeerHttp() as http:
            call = asyncio.create_task(ask(hanging.url)(http))
            await until(lambda: hanging.asked)
        with pytest.raises(PeerHttpError):
            await call

    with raw_server(lambda server: server.hangs) as hanging:
        run(work())
        wait_until(lambda: len(hanging.hung_up) == len(hanging.accepted))


class SlowNames:
    """Look-ups of names in `.example` hang until they are `released`; then they fail."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failed: list[str] = []
        self.released = threading.Event()
        self._look_up = socket.getaddrinfo

    def __call__(self, host: str, *arguments: Any, **options: Any) -> Any:
        if not host.endswith(".example"):
            return self._look_up(host, *arguments, **options)
        self.asked.append(host)
        self.released.wait(PATIENT)
        self.failed.append(host)
        raise socket.gaierror("no such name")


@pytest.fixture
def slow_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowNames]:
    slow = SlowNames()
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    yield slow
    slow.released.set()


def test_a_look_up_that_fails_when_its_call_is_over_logs_nothing(
    run: Run[Any], slow_names: SlowNames, caplog: pytest.LogCaptureFixture
) -> None:
    async def give_up(http: PeerHttp) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await ask("https://slow.example")(http)

    async def work(http: PeerHttp) -> None:
        await http.open()
        await asyncio.gather(*(give_up(http) for _ in range(3)))
        assert slow_names.asked == ["slow.example"]  # once for all
        slow_names.released.set()
        await until(lambda: slow_names.failed)
        await asyncio.sleep(0)
        gc.collect()

    with caplog.at_level(logging.INFO):
        run(within(work))
        gc.collect()
    assert caplog.messages == []


def test_a_client_with_a_look_up_under_way_closes_at_once(run: Run[Any], slow_names: SlowNames) -> None:
    async def work() -> None:
        async with PeerHttp() as http:
            await http.open()
            call = asyncio.create_task(ask("https://slow.example")(http))
            await until(lambda: slow_names.asked)
        with pytest.raises((PeerHttpError, asyncio.CancelledError)):
            await call

    run(work())
    assert slow_names.failed == []


def test_look_ups_that_hang_do_not_delay_calls_to_others(run: Run[Any], slow_names: SlowNames) -> None:
    async def calls(http: PeerHttp) -> list[Servers]:
        urls = [f"https://slow-{number}.example" for number in range(10)]
        waiting = [asyncio.create_task(ask(url)(http)) for url in urls]
        await until(lambda: len(slow_names.asked) == len(urls))
        answers = [await ask(server.url)(http), await ask(f"http://localhost:{server.port}")(http)]
        assert not any(each.done() for each in waiting)
        slow_names.released.set()
        await asyncio.gather(*waiting, return_exceptions=True)
        return answers

    with raw_server(lambda server: server.answers(ok(BODY))) as server:
        assert run(within(calls)) == [ANSWER, ANSWER]


# --- bodies piece by piece ----------------------------------------------------------------------------


def test_a_download_is_read_as_it_comes_and_what_came_before_a_break_is_kept(run: Run[Any]) -> None:
    go_on = threading.Event()

    def breaks_off(server: RawServer) -> Callable[[socket.socket], None]:
        def talk(connection: socket.socket) -> None:
            server.take_request(connection)
            connection.sendall(
                b"HTTP/1.1 206 Partial Content\r\nX-Of: sg-1\r\nContent-Length: 10\r\n\r\nfirst"
            )
            go_on.wait(PATIENT)

        return talk

    async def work(http: PeerHttp) -> None:
        async with http.fetch(server.url, "/bytes", {"Range": "bytes=3-"}, (PATIENT, PATIENT)) as answer:
            assert (answer.status, answer.headers.get("x-of")) == (206, "sg-1")
            came = b""
            while len(came) < 5:
                came += await answer.read()
            assert came == b"first"
            go_on.set()
            with pytest.raises(PeerHttpError):
                await answer.read()

    with raw_server(breaks_off) as server:
        run(within(work))
    assert header(server.asked[0], "range") == "bytes=3-"
    assert header(server.asked[0], "accept-encoding") == "identity"


def test_a_download_without_a_byte_for_too_long_is_given_up(run: Run[Any]) -> None:
    async def work(http: PeerHttp) -> None:
        async with http.fetch(server.url, "/bytes", {}, (PATIENT, 0.1)) as answer:
            assert answer.status == 200

    with raw_server(lambda server: server.hangs) as server:
        assert "Timeout" in reason(run, work)


# --- TLS and proxies ----------------------------------------------------------------------------------


def test_only_a_trusted_certificate_with_the_right_name_is_accepted(run: Run[Any], tmp_path: Path) -> None:
    right = make_certificate(tmp_path / "right")
    other = make_certificate(tmp_path / "other", "other.example")

    def talk(server: RawServer) -> Callable[[socket.socket], None]:
        return server.answers(ok(BODY))

    with raw_server(talk, (str(right[0]), str(right[1]))) as server:
        url = f"https://127.0.0.1:{server.port}"
        assert run(within(ask(url), str(right[0]))) == ANSWER
        assert run(within(ask(url), str(right[0]), direct=True)) == ANSWER
        assert reason(run, ask(url)) == "ClientConnectorCertificateError"
        assert reason(run, ask(url), str(other[0])) == "ClientConnectorCertificateError"
        assert reason(run, ask(f"https://localhost:{server.port}"), str(right[0])) == (
            "ClientConnectorCertificateError"
        )
    with raw_server(talk, (str(other[0]), str(other[1]))) as server:
        url = f"https://127.0.0.1:{server.port}"
        assert reason(run, ask(url), str(other[0])) == "ClientConnectorCertificateError"
    assert server.asked == []


def test_a_server_without_tls_is_no_https_server(run: Run[Any]) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"no TLS\r\n\r\n")

    with raw_server(lambda _: talk) as server:
        assert reason(run, ask(f"https://127.0.0.1:{server.port}"))


def test_certificates_that_cannot_be_read_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="nowhere"):
        PeerHttp(str(tmp_path / "nowhere.pem"))
    (tmp_path / "text.pem").write_text("no certificate")
    with pytest.raises(StartError, match="text"):
        PeerHttp(str(tmp_path / "text.pem"))


def test_a_proxy_is_for_other_computers_only(run: Run[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        raw_server(lambda server: server.answers_once(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as proxy,
        raw_server(lambda server: server.answers(ok(BODY))) as server,
    ):
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://user:secret@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "near.invalid")
        assert run(within(ask(server.url))) == ANSWER
        assert proxy.asked == []
        assert reason(run, ask("https://near.invalid"))
        assert reason(run, ask("https://elsewhere.invalid"), direct=True)
        assert proxy.asked == []
        assert reason(run, ask("https://elsewhere.invalid"))
    assert proxy.asked[0].startswith(b"CONNECT elsewhere.invalid:443 HTTP/1.1\r\n")
    assert header(proxy.asked[0], "proxy-authorization") == "Basic dXNlcjpzZWNyZXQ="


# --- the start ----------------------------------------------------------------------------------------


def test_a_server_without_a_cluster_loads_no_http_client() -> None:
    """Its start does not wait for them."""
    said = "import sys, server.process.api_server; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["aiohttp", "requests", "truststore", "urllib.request"]
    done = subprocess.run([sys.executable, "-c", said, *heavy], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
