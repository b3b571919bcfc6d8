"""Probes of servers that answer, refuse, keep silent, redirect, or are another server."""

import asyncio
import socket

import pytest

from server.cluster import peer_http
from server.cluster.peer_http import PeerHttp
from server.discovery import probes
from server.discovery.probes import answers
from tests.support.raw_server import ok, raw_server

OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"status":"ok","serverId":"a","version":"1"}'
KEPT = ok(OK.partition(b"\r\n\r\n")[2])


def probe(url: str, server_id: str = "a") -> bool:
    async def ask() -> bool:
        async with PeerHttp(direct=True) as http:
            await http.open()
            return await answers(http, url, server_id)

    return asyncio.run(ask())


def probe_answered(answer: bytes, server_id: str = "a") -> bool:
    with raw_server(lambda server: server.answers_once(answer)) as server:
        return probe(server.url, server_id)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers is heard, however busy this machine is."""
    monkeypatch.setattr(probes, "PROBE_SECONDS", 60.0)
    monkeypatch.setattr(peer_http, "SECONDS", 60.0)


@pytest.mark.usefixtures("patient")
def test_a_server_that_answers_is_there() -> None:
    assert probe_answered(OK)


@pytest.mark.usefixtures("patient")
def test_another_server_at_the_same_address_is_not_it() -> None:
    assert not probe_answered(OK, "b")


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 503 Service Unavailable\r\n\r\n" + OK.partition(b"\r\n\r\n")[2],
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/health/live\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"x" * 1_000_000,
        OK + b" " * 1_000_000,
    ],
)
def test_anything_else_is_no_answer(answer: bytes) -> None:
    assert not probe_answered(answer)


def test_a_refused_connection_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "PROBE_SECONDS", 600.0)  # longer than this test may take
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))  # no other program takes the port meanwhile, and nothing listens
        port = kept.getsockname()[1]
        assert not probe(f"http://127.0.0.1:{port}")


def test_one_that_accepts_and_never_answers_is_given_up() -> None:
    with raw_server(lambda server: server.hangs) as server:
        assert not probe(server.url)


@pytest.mark.parametrize("url", ["http://example.org", "http://127.0.0.1:1/path", "file:///etc/passwd", ""])
def test_an_address_that_may_not_be_is_not_called(url: str) -> None:
    assert not probe(url)


@pytest.mark.usefixtures("patient")
def test_plain_words_are_no_https() -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(1_000)
        connection.sendall(b"no TLS\r\n\r\n")

    with raw_server(lambda _: talk) as server:
        assert not probe(f"https://127.0.0.1:{server.port}")


@pytest.mark.usefixtures("patient")
def test_each_probe_makes_its_own_connection() -> None:
    async def ask() -> list[bool]:
        async with PeerHttp(direct=True) as http:
            return [await answers(http, server.url, "a") for _ in range(3)]

    with raw_server(lambda server: server.answers(KEPT)) as server:
        assert asyncio.run(ask()) == [True] * 3
    assert len(server.accepted) == 3
