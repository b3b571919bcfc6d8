"""Calls over real sockets: broken off from outside, watched, logged without secrets, and never redirected."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.errors import OfflineError, ServerError
from app.log import end_log, log_to_file
from app.remote.call_monitor import CallMonitor, OutcomeKind
from app.remote.client import Client
from app.remote.endpoint import Endpoint
from server.contract import paths
from server.contract.cluster_calls import (
    Closest,
)
from server.contract.shapes import (
    Health,
)
from tests.support.servers import RunningServer
from tests.support.waiting import wait_until


class Told:
    """A client, and what its calls told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.watch = CallMonitor(lambda: self.now)
        self.heard: list[tuple[str, str]] = []
        self.watch.outcomes.subscribe(lambda told: self.heard.append((told.server_id, told.kind)))
        self.client = Client(self.watch)


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.client.close()


Answer = Callable[[socket.socket, threading.Event], None]


@contextmanager
def answering(answer: Answer) -> Iterator[Endpoint]:
    """Listen on loopback and give each connection to `answer`, with what is set when the test is over."""
    over, threads = threading.Event(), []

    def handle(connection: socket.socket) -> None:
        with connection:
            answer(connection, over)

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=handle, args=(connection,)))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepting = threading.Thread(target=serve)
        accepting.start()
        try:
            yield Endpoint(f"http://127.0.0.1:{listening.getsockname()[1]}", server_id="a")
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *threads):
                thread.join(30)


def http(status: str, *headers: str, body: bytes = b"{}") -> Answer:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]

    def answer(connection: socket.socket, _over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return answer


def test_a_call_that_hangs_can_be_aborted_by_another_thread(told: Told) -> None:
    asked, failed = threading.Event(), []

    def never(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        asked.set()
        over.wait(60)

    def call(at: Endpoint) -> None:
        try:
            told.client.call(Health, "GET", paths.HEALTH_LIVE, endpoint=at, seconds=60)
        except OfflineError as error:
            failed.append(error)

    with answering(never) as at:
        thread = threading.Thread(target=call, args=(at,))
        thread.start()
        assert asked.wait(30)
        told.client.break_off("http://127.0.0.1:9")  # another server's calls go on
        assert thread.is_alive()
        told.client.break_off(at.url)
        thread.join(30)
        assert not thread.is_alive()
    assert len(failed) == 1
    assert told.heard == [("a", "refused")]


def test_an_idle_connection_that_was_closed_is_opened_again(told: Told, server: RunningServer) -> None:
    at = Endpoint(server.url, server_id="test-1")
    for _ in range(3):
        assert told.client.call(Health, "GET", paths.HEALTH_LIVE, endpoint=at).status == "ok"
        told.client.break_off(at.url)
    assert told.heard == [("test-1", "answered")] * 3


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (http("200 OK", f"{paths.DRAINING_HEADER}: 1"), "draining"),
        (http("503 Service Unavailable", "Retry-After: 1"), "busy"),
        (http("502 Bad Gateway", body=b"<html>"), "unavailable"),
        (http("504 Gateway Timeout"), "unavailable"),
        (http("500 Internal Server Error"), "answered"),
        (http("404 Not Found"), "answered"),
    ],
)
def test_each_kind_of_answer_has_its_outcome(told: Told, answer: Answer, outcome: OutcomeKind) -> None:
    with answering(answer) as at, pytest.raises(ServerError):
        told.client.call(Closest, "GET", paths.CLOSEST_TO_ME, endpoint=at)
    assert told.heard == [("a", outcome)]


def test_a_refused_connection_and_a_timeout_have_different_outcomes(told: Told) -> None:
    def hangs(_connection: socket.socket, over: threading.Event) -> None:
        over.wait(60)

    with answering(hangs) as at, pytest.raises(OfflineError):
        told.client.call(Health, "GET", paths.HEALTH_LIVE, endpoint=at, seconds=0.2)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen: the port is nobody else's meanwhile
        at = Endpoint(f"http://127.0.0.1:{nobody.getsockname()[1]}", server_id="a")
        with pytest.raises(OfflineError):
            told.client.call(Health, "GET", paths.HEALTH_LIVE, endpoint=at)
    assert told.heard == [("a", "silent"), ("a", "refused")]


def test_a_redirect_to_another_host_is_not_followed(told: Told, server: RunningServer) -> None:
    asked: list[bytes] = []

    def elsewhere(connection: socket.socket, _over: threading.Event) -> None:
        asked.append(connection.recv(65_536))
        target = f"{server.url}{paths.HEALTH_LIVE}"
        connection.sendall(f"HTTP/1.1 307 X\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode())

    with answering(elsewhere) as at, pytest.raises(ServerError, match="redirected"):
        told.client.call(Health, "GET", paths.HEALTH_LIVE, endpoint=at, token="secret-token")
    assert len(asked) == 1


def test_bills_are_sent_only_to_the_server_itself(told: Told, tmp_path: Path) -> None:
    bill = tmp_path / "bill.png"
    bill.write_bytes(b"x")
    at = Endpoint("http://127.0.0.1:9", server_id="a")
    with pytest.raises(ServerError, match="not its own"):
        told.client.put_file("http://127.0.0.1:10/v1/blobs/x", bill, {}, at)


def test_sending_a_file_counts_as_progress_until_the_server_hangs(told: Told, tmp_path: Path) -> None:
    bill = tmp_path / "bill.png"
    bill.write_bytes(bytes(20_000_000))
    began = threading.Event()

    def takes_a_little(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(1_000)
        began.set()
        over.wait(60)

    def silent() -> bool:
        told.now += 100  # what still went into the buffers by now was progress
        return told.watch.silent_servers(3) == {"a"}

    def send(at: Endpoint) -> None:
        with pytest.raises(OfflineError):
            told.client.put_file(f"{at.url}/v1/blobs/x", bill, {}, at)

    with answering(takes_a_little) as at:
        thread = threading.Thread(target=send, args=(at,))
        thread.start()
        assert began.wait(30)
        wait_until(silent)
        assert told.watch.silent_servers(3) == set()
        told.client.break_off(at.url)
        thread.join(30)
    assert not thread.is_alive()


def test_each_call_is_logged_with_its_request_id_and_without_secrets(
    told: Told, server: RunningServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "server.access")
    handler = log_to_file(tmp_path / "bahi.log")
    try:
        at = Endpoint(server.url, server_id="test-1")
        told.client.call(Health, "GET", paths.HEALTH_LIVE, endpoint=at, token="secret-token")
    finally:
        end_log(handler)
    text = (tmp_path / "bahi.log").read_text()
    lines = [json.loads(each) for each in text.splitlines()]  # a session of a test before may add its own
    (line,) = [each for each in lines if each.get("path") == paths.HEALTH_LIVE]
    assert (line["server"], line["status"]) == ("test-1", 200)
    assert "secret-token" not in text
    wait_until(lambda: _logged(caplog, line["request_id"]))  # the server's own line


def test_a_signed_url_is_not_logged(told: Told, tmp_path: Path) -> None:
    bill = tmp_path / "bill.png"
    bill.write_bytes(b"x")
    handler = log_to_file(tmp_path / "bahi.log")
    try:
        with answering(http("204 No Content", body=b"")) as at:
            told.client.put_file(f"{at.url}/v1/blobs/eyJsecret", bill, {}, at)
    finally:
        end_log(handler)
    assert "eyJsecret" not in (tmp_path / "bahi.log").read_text()


def test_the_program_works_without_a_writable_log(tmp_path: Path) -> None:
    end_log(log_to_file(tmp_path / "no" / "such" / "folder" / "bahi.log"))


def _logged(caplog: pytest.LogCaptureFixture, request_id: str) -> bool:
    return any(getattr(record, "request_id", "") == request_id for record in caplog.records)
