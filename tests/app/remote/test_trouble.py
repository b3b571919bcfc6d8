"""Why no server answered: over real connections, each reason with its own code and sentence."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from app.errors import AppError
from app.remote.call_monitor import CallMonitor
from app.remote.client import CA_FILE_VARIABLE, Client
from app.remote.endpoint import Endpoint
from app.remote.failed_calls import trouble_of
from app.remote.trouble import _SENTENCES, ConnectionTrouble, sentence_of
from server.contract import paths
from server.contract.cluster_calls import Servers
from tests.support.certificates import make_certificate
from tests.support.raw_server import raw_server

HTML = b"HTTP/1.1 %b\r\nContent-Length: 6\r\n%b\r\n<html>"
Place = Callable[[Path, pytest.MonkeyPatch], AbstractContextManager[str]]


def error_at(url: str, **endpoint: str) -> AppError:
    """Return the error of the first call of a log-in."""
    client = Client(CallMonitor(time.monotonic))
    try:
        with pytest.raises(AppError) as caught:
            client.call(
                Servers,
                "GET",
                paths.SERVERS,
                endpoint=Endpoint(url, **endpoint),
                seconds=2,
                connect_seconds=2,
            )
        return caught.value
    finally:
        client.close()


def secure(host: str = "127.0.0.1", *, trusted: bool = True, first_day: int = -1, last_day: int = 1) -> Place:
    """Return a TLS server whose certificate is for `host`."""

    @contextmanager
    def place(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[str]:
        files = make_certificate(folder, host, first_day=first_day, last_day=last_day)
        if trusted:
            patch.setenv(CA_FILE_VARIABLE, str(files[0]))
        with raw_server(lambda server: server.hangs, (str(files[0]), str(files[1]))) as server:
            yield f"https://127.0.0.1:{server.port}"

    return place


def plain(answer: bytes, scheme: str = "http") -> Place:
    """Return a server that sends `answer` to whatever comes."""

    @contextmanager
    def place(_folder: Path, _patch: pytest.MonkeyPatch) -> Iterator[str]:
        def talk(connection: socket.socket) -> None:
            connection.recv(65_536)
            connection.sendall(answer)

        with raw_server(lambda _: talk) as server:
            yield f"{scheme}://127.0.0.1:{server.port}"

    return place


@contextmanager
def old_tls(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the address of a server that has no cipher in common with this program."""
    certificate, key = make_certificate(folder)
    patch.setenv(CA_FILE_VARIABLE, str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("NULL-SHA256:@SECLEVEL=0")

    def talk(connection: socket.socket) -> None:
        context.wrap_socket(connection, server_side=True)

    with raw_server(lambda _: talk) as server:
        yield f"https://127.0.0.1:{server.port}"


@contextmanager
def nobody(_folder: Path, _patch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give an address where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"https://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def unknown(_folder: Path, _patch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give a name that cannot exist."""
    yield "https://books.invalid"


@contextmanager
def behind_a_proxy(_folder: Path, patch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give an address behind a proxy that is away."""
    with nobody(_folder, patch) as url:
        patch.setenv("https_proxy", url.replace("https:", "http:"))
        patch.delenv("no_proxy", raising=False)
        patch.delenv("NO_PROXY", raising=False)
        yield "https://books.invalid"


@contextmanager
def hanging(_folder: Path, _patch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the address of a server that answers nothing."""
    with raw_server(lambda server: server.hangs) as server:
        yield server.url


@contextmanager
def no_label(_folder: Path, _patch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give a name that no name server takes."""
    yield f"https://{'a' * 70}.example"


REASONS = [
    (secure(trusted=False), ConnectionTrouble.UNKNOWN_AUTHORITY),
    (secure(first_day=-9, last_day=-2), ConnectionTrouble.EXPIRED),
    (secure(first_day=2, last_day=9), ConnectionTrouble.NOT_YET_VALID),
    (secure("books.example.com"), ConnectionTrouble.OTHER_NAME),
    (secure("10.9.8.7"), ConnectionTrouble.OTHER_NAME),
    (old_tls, ConnectionTrouble.HANDSHAKE),
    (plain(HTML % (b"400 Bad Request", b""), "https"), ConnectionTrouble.NOT_TLS),
    (plain(b"SSH-2.0-OpenSSH\r\n", "https"), ConnectionTrouble.NOT_TLS),
    (plain(b"\x15\x03\x03\x00\x02\x02\x0a"), ConnectionTrouble.TLS_EXPECTED),
    (plain(b"SSH-2.0-OpenSSH\r\n"), ConnectionTrouble.NOT_HTTP),
    (plain(b""), ConnectionTrouble.LOST),
    (plain(HTML % (b"200 OK", b"")), ConnectionTrouble.NOT_BAHI),
    (plain(HTML % (b"404 Not Found", b"")), ConnectionTrouble.NOT_BAHI),
    (plain(HTML % (b"301 Moved", b"Location: https://example.com/\r\n")), ConnectionTrouble.REDIRECTED),
    (plain(HTML % (b"502 Bad Gateway", b"")), ConnectionTrouble.GATEWAY),
    (hanging, ConnectionTrouble.NO_ANSWER),
    (nobody, ConnectionTrouble.REFUSED),
    (unknown, ConnectionTrouble.UNKNOWN_HOST),
    (no_label, ConnectionTrouble.BAD_ADDRESS),
    (behind_a_proxy, ConnectionTrouble.PROXY),
]


@pytest.mark.parametrize(("place", "expected"), REASONS, ids=[f"{n} {t}" for n, (_, t) in enumerate(REASONS)])
def test_each_reason_has_its_code_and_sentence(
    place: Place, expected: ConnectionTrouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place(tmp_path, monkeypatch) as url:
        error = error_at(url)
        assert (error.code, error.message) == (expected, sentence_of(expected, url))
        assert url.partition("://")[2].partition(":")[0] in error.message
        other = error_at(url, server_id="a")  # in a session, the status line tells that the server is away
    assert (
        "cannot be reached" in other.message
        or "could not be understood" in other.message
        or "redirected" in other.message
    )


def test_a_network_without_a_way_is_told() -> None:
    error = OSError(101, "Network is unreachable")
    assert trouble_of(error) is ConnectionTrouble.UNREACHABLE


def test_an_unknown_number_of_a_certificate_gets_the_general_sentence() -> None:
    error = ssl.SSLCertVerificationError("Zertifikat abgelehnt")
    error.verify_code = -67843
    assert trouble_of(error) is ConnectionTrouble.CERTIFICATE


def test_a_certificate_that_is_wrong_today_tells_the_date() -> None:
    today = f"{datetime.now():%B %Y}"  # noqa: DTZ005 - the date on this computer
    for trouble in (
        ConnectionTrouble.EXPIRED,
        ConnectionTrouble.NOT_YET_VALID,
        ConnectionTrouble.CERTIFICATE,
    ):
        assert today in sentence_of(trouble, "https://books.example.com")


def test_each_reason_has_a_sentence() -> None:
    assert set(_SENTENCES) == set(ConnectionTrouble)
