"""A server that sends too much, too slowly, or nonsense: each call ends in time, in little memory, in a
sentence."""

import socket
import subprocess
import sys
import textwrap
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.errors import AppError, OfflineError, ServerError
from app.remote import watchdog
from app.remote.answers import MAX_BYTES
from app.remote.call_monitor import CallMonitor
from app.remote.client import Client
from app.remote.endpoint import Endpoint
from server.contract import paths
from server.contract.shapes import Health
from tests.support.raw_server import RawServer, Talk, ok, raw_server
from tests.support.servers import ROOT

OK = b"HTTP/1.1 200 OK\r\n"
GZIP = b"Content-Encoding: gzip\r\n"


def call(at: Endpoint, seconds: float = 1.0) -> AppError:
    """Return the error of a small call."""
    client = Client(CallMonitor(time.monotonic))
    try:
        with pytest.raises(AppError) as caught:
            client.call(Health, "GET", paths.HEALTH_LIVE, endpoint=at, seconds=seconds, connect_seconds=0.5)
        return caught.value
    finally:
        client.close()


def at(server: RawServer) -> Endpoint:
    return Endpoint(server.url, server_id="a")


def sends(first: bytes, again: bytes = b"", pause: float = 0.0) -> Callable[[RawServer], Talk]:
    """Return a talk that sends `first`, then `again` until the caller hangs up."""

    def talk(server: RawServer) -> Talk:
        def answer(connection: socket.socket) -> None:
            server.take_request(connection)
            connection.sendall(first)
            gone = threading.Event()
            while again:
                connection.sendall(again)
                gone.wait(pause)

        return answer

    return talk


def bomb(mebibytes: int) -> bytes:
    """Return a gzip stream of that many MiB of zeros."""
    packer = zlib.compressobj(9, wbits=31)
    piece = bytes(1024 * 1024)
    return b"".join([*(packer.compress(piece) for _ in range(mebibytes)), packer.flush()])


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(sends(OK + b"Content-Length: 1000\r\n\r\n", b" ", 0.05), id="a byte now and then"),
        pytest.param(sends(OK, b"X: y\r\n", 0.05), id="a header now and then"),
        pytest.param(sends(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01), id="always: continue"),
        pytest.param(sends(b"HT", b"T", 0.05), id="a letter of the status now and then"),
        pytest.param(
            sends(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.05), id="endless chunks"
        ),
        pytest.param(
            sends(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n", 0.05), id="endless trailers"
        ),
        pytest.param(
            sends(b"HTTP/1.1 500 X\r\nContent-Length: 1000\r\n\r\n", b" ", 0.05), id="an error now and then"
        ),
        pytest.param(
            sends(b"HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 1000\r\n\r\n", b" ", 0.05),
            id="a redirect now and then",
        ),
        pytest.param(sends(b""), id="nothing"),
    ],
)
def test_a_small_call_ends_in_time_however_slowly_the_answer_comes(talk: Callable[[RawServer], Talk]) -> None:
    with raw_server(talk) as server:
        began = time.monotonic()
        error = call(at(server))
        assert time.monotonic() - began < 1.5 + 1.0
    assert isinstance(error, OfflineError)


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(sends(OK + b"\r\n", b" " * 65_536), id="no end"),
        pytest.param(
            sends(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65_536 + b"\r\n"),
            id="chunks",
        ),
        pytest.param(sends(OK + b"Content-Length: 99999999999\r\n\r\n", b" " * 65_536), id="a long length"),
        pytest.param(sends(b"HTTP/1.1 500 X\r\n\r\n", b" " * 65_536), id="an error"),
        pytest.param(sends(b"HTTP/1.1 301 X\r\nLocation: /\r\n\r\n", b" " * 65_536), id="a redirect"),
        pytest.param(sends(OK + GZIP + b"\r\n" + bomb(64)), id="gzip"),
    ],
)
def test_a_body_that_is_too_long_is_refused(talk: Callable[[RawServer], Talk]) -> None:
    with raw_server(talk) as server:
        error = call(at(server), seconds=30)
    assert isinstance(error, ServerError)
    assert "could not be understood" in error.message


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(ok(b"\xff\xfe{"), id="not UTF-8"),
        pytest.param(ok(b'{"status":"\xff"}'), id="not UTF-8 in a text"),
        pytest.param(ok(b'{"x":' + b"[" * 3_000_000), id="deep lists"),
        pytest.param(ok(b'{"x":' * 1_000_000), id="deep objects"),
        pytest.param(b"HTTP/1.1 400 X\r\n" + ok(b'{"error":' * 900_000)[len(OK) :], id="a deep error"),
        pytest.param(ok(b"no gzip", b"Content-Encoding: gzip"), id="not gzip"),
        pytest.param(ok(bomb(1)[:200], b"Content-Encoding: gzip"), id="half of a gzip"),
        pytest.param(ok(b"<html>"), id="HTML"),
        pytest.param(ok(b""), id="empty"),
    ],
)
def test_nonsense_is_an_error_with_a_sentence(answer: bytes) -> None:
    with raw_server(lambda server: server.answers_once(answer)) as server:
        error = call(at(server), seconds=30)
    assert isinstance(error, ServerError)
    assert "could not be understood" in error.message


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(OK + b"X: y\r\n" * 1_000 + b"\r\n{}", id="many headers"),
        pytest.param(OK + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n{}", id="a long header"),
        pytest.param(b"HTTP/1.1 " + b"2" * 1_000_000, id="a long status"),
        pytest.param(OK + b"Content-Length: 50\r\n\r\n{}", id="less than announced"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", id="no number"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 1_000_000, id="a long chunk line"),
        pytest.param(b"SSH-2.0-x\r\n", id="not HTTP"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_not_http_counts_as_no_answer(answer: bytes) -> None:
    with raw_server(lambda server: server.answers_once(answer)) as server:
        assert isinstance(call(at(server), seconds=30), OfflineError)


def test_a_compressed_answer_is_read() -> None:
    packer = zlib.compressobj(wbits=31)
    body = packer.compress(b'{"status":"ok","serverId":"a","version":"1"}') + packer.flush()
    client = Client(CallMonitor(time.monotonic))
    with raw_server(lambda server: server.answers(ok(body, b"Content-Encoding: gzip"))) as server:
        assert client.call(Health, "GET", paths.HEALTH_LIVE, endpoint=at(server)).status == "ok"
        client.close()


def test_a_bomb_takes_little_memory() -> None:
    """A call, an error, a redirect and a download of zeros: the process grows by little."""
    program = textwrap.dedent(
        """
        import resource, sys, time
        from app.errors import AppError
        from app.remote.call_monitor import CallMonitor
        from app.remote.client import Client
        from app.remote.endpoint import Endpoint
        from server.contract import paths
        from server.contract.shapes import Health

        client = Client(CallMonitor(time.monotonic))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for url in sys.argv[1:]:
            try:
                client.call(Health, "GET", paths.HEALTH_LIVE, endpoint=Endpoint(url), seconds=30)
            except AppError as error:
                print(error.code)
        try:
            with client.stream("/v1/x", endpoint=Endpoint(sys.argv[1])) as pieces:
                print(sum(map(len, pieces)))
        except AppError:
            print("refused")
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
        """
    )
    body = bomb(256)
    heads = (OK, b"HTTP/1.1 500 X\r\n", b"HTTP/1.1 302 X\r\nLocation: /\r\n")
    answers = [head + GZIP + b"Content-Length: %d\r\n\r\n" % len(body) + body for head in heads]
    with (
        raw_server(lambda s: s.answers_once(answers[0])) as one,
        raw_server(lambda s: s.answers_once(answers[1])) as two,
        raw_server(lambda s: s.answers_once(answers[2])) as three,
    ):
        command = [sys.executable, "-c", program, one.url, two.url, three.url]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    *codes, mebibytes = done.stdout.split()
    assert codes == [*["not_bahi"] * 3, "refused"]
    assert int(mebibytes) < 3 * MAX_BYTES // 1024**2 + 8


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a window of a transfer be short; the least number of bytes in it is the same."""
    monkeypatch.setattr(watchdog, "WINDOW_SECONDS", 0.5)
    monkeypatch.setattr(watchdog, "MIN_BYTES_PER_SECOND", 60_000)
    return


def download(at_: Endpoint) -> int:
    """Return how many bytes came before an error."""
    client, sizes = Client(CallMonitor(time.monotonic)), list[int]()
    with pytest.raises(OfflineError), client.stream("/v1/x", endpoint=at_) as pieces:
        sizes.extend(map(len, pieces))
    client.close()
    return sum(sizes)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("first", [OK + b"\r\n", OK, OK + b"Transfer-Encoding: chunked\r\n\r\n"])
def test_a_download_that_drips_is_ended(first: bytes) -> None:
    piece = b"1\r\nx\r\n" if b"chunked" in first else b"x: y\r\n"
    with raw_server(sends(first, piece, 0.02)) as server:
        began = time.monotonic()
        assert download(at(server)) < 10_000
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"GZIP, gzip", b"br"])
def test_a_compressed_download_is_not_understood(encoding: bytes) -> None:
    client, answer = Client(CallMonitor(time.monotonic)), ok(bomb(1), b"Content-Encoding: " + encoding)
    with raw_server(lambda server: server.answers_once(answer)) as server:
        with (
            pytest.raises(ServerError, match="could not be understood"),
            client.stream("/v1/x", endpoint=at(server)) as pieces,
        ):
            next(pieces)
        client.close()
    assert b"Accept-Encoding: identity" in server.asked[0]


@pytest.mark.usefixtures("soon")
def test_a_download_that_moves_goes_on_over_many_windows() -> None:
    head = OK + b"Content-Length: 400000\r\n\r\n"
    client = Client(CallMonitor(time.monotonic))

    def talk(server: RawServer) -> Talk:
        def answer(connection: socket.socket) -> None:
            server.take_request(connection)
            connection.sendall(head)
            pause = threading.Event()
            for _ in range(20):
                connection.sendall(bytes(20_000))
                pause.wait(0.1)

        return answer

    with raw_server(talk) as server, client.stream("/v1/x", endpoint=at(server)) as pieces:
        assert sum(map(len, pieces)) == 400_000
    client.close()


@pytest.mark.usefixtures("soon")
def test_an_upload_to_a_server_that_does_not_read_is_ended(tmp_path: Path) -> None:
    bill, over = tmp_path / "bill", threading.Event()
    bill.write_bytes(bytes(20_000_000))
    client = Client(CallMonitor(time.monotonic))
    with raw_server(lambda _: lambda _connection: over.wait(20)) as server:
        began = time.monotonic()
        with pytest.raises(OfflineError):
            client.put_file(f"{server.url}/v1/blobs/x", bill, {}, at(server))
        assert time.monotonic() - began < 5
        over.set()
    client.close()
