"""Knocking at servers that answer, refuse, keep silent, redirect, or are somebody else."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.discovery import probes
from server.discovery.probes import answers, trust
from server.errors import StartError

OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"status":"ok","serverId":"a","version":"1"}'
TRUSTED = trust("")


@contextlib.contextmanager
def _server(answer: bytes | None) -> Iterator[str]:
    """Answer one call with these bytes; None: never, as a process that stands still."""

    def talk() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                connection.recv(1_000)
                connection.sendall(answer or b"")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=talk, daemon=True)
        if answer is not None:
            thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    if answer is not None:
        thread.join(10)


def _knock(answer: bytes | None, server_id: str = "a") -> bool:
    with _server(answer) as url:
        return asyncio.run(answers(url, server_id, TRUSTED))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers is heard, however busy this machine is."""
    monkeypatch.setattr(probes, "PROBE_SECONDS", 60.0)


@pytest.mark.usefixtures("patient")
def test_a_server_that_answers_is_there() -> None:
    assert _knock(OK)


@pytest.mark.usefixtures("patient")
def test_another_server_at_the_same_address_is_not_it() -> None:
    assert not _knock(OK, "b")


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
    assert not _knock(answer)


def test_a_refused_connection_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "PROBE_SECONDS", 600.0)  # longer than this test may take
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))  # nobody else's meanwhile, and nobody listens
        port = kept.getsockname()[1]
        assert not asyncio.run(answers(f"http://127.0.0.1:{port}", "a", TRUSTED))


def test_one_that_accepts_and_never_answers_is_given_up() -> None:
    assert not _knock(None)


@pytest.mark.parametrize("url", ["http://example.org", "http://127.0.0.1:1/path", "file:///etc/passwd", ""])
def test_an_address_that_may_not_be_is_not_called(url: str) -> None:
    assert not asyncio.run(answers(url, "a", TRUSTED))


@pytest.mark.usefixtures("patient")
def test_plain_words_are_no_https() -> None:
    with _server(b"no TLS\r\n\r\n") as url:
        assert not asyncio.run(answers(url.replace("http", "https"), "a", TRUSTED))


def test_certificates_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="nowhere"):
        trust(str(tmp_path / "nowhere.pem"))
    (tmp_path / "text.pem").write_text("no certificate")
    with pytest.raises(StartError, match="text"):
        trust(str(tmp_path / "text.pem"))
    assert isinstance(TRUSTED, ssl.SSLContext)
