"""The central address of the tests leads to the nearest healthy server, as DNS with health checks would."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from tests.support.haproxy import HAProxy, Place, program
from tests.support.ports import steady_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(program() is None, reason="HAProxy is not installed")


class Server:
    """Says its name; `ready` is what its health check answers."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self.ready = True


@contextmanager
def serving(name: str) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # keeps connections

        def do_GET(self) -> None:
            healthy = made.ready or not self.path.startswith("/health/")
            body = name.encode()
            self.send_response(200 if healthy else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Listening(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A health check hangs up once it has read the status."""

    with Listening(("127.0.0.1", 0), Handler) as listening:
        made = Server(name, f"http://127.0.0.1:{listening.server_port}")
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield made
        finally:
            listening.shutdown()
            thread.join()


@pytest.fixture
def servers() -> Iterator[dict[str, Server]]:
    with ExitStack() as running:
        yield {name: running.enter_context(serving(name)) for name in ("near-1", "near-2", "far")}


@pytest.fixture
def place(servers: dict[str, Server], tmp_path: Path) -> Iterator[Place]:
    named = {name: (name, server.url) for name, server in servers.items()}
    made = Place("here", steady_port(), [named["near-1"], named["near-2"]], [named["far"]])
    proxy = HAProxy(tmp_path, [made])
    proxy.start()
    try:
        yield made
    finally:
        proxy.end()


def led_to(place: Place, times: int = 6) -> set[str]:
    return {requests.get(f"{place.url}/who", timeout=5).text for _ in range(times)}


def test_clients_are_spread_over_the_servers_near_them(place: Place) -> None:
    wait_until(lambda: led_to(place) == {"near-1", "near-2"})  # one whose first check was late is not yet


def test_a_server_that_is_not_ready_gets_no_clients_and_gets_them_again(
    place: Place, servers: dict[str, Server]
) -> None:
    servers["near-1"].ready = False
    wait_until(lambda: led_to(place) == {"near-2"})
    servers["near-1"].ready = True
    wait_until(lambda: led_to(place) == {"near-1", "near-2"})


def test_where_no_near_server_is_ready_clients_come_to_a_far_one(
    place: Place, servers: dict[str, Server]
) -> None:
    servers["near-1"].ready = servers["near-2"].ready = False
    wait_until(lambda: led_to(place) == {"far"})


def test_what_came_on_one_connection_stays_at_one_server(place: Place) -> None:
    with requests.Session() as session:
        assert len({session.get(f"{place.url}/who", timeout=5).text for _ in range(6)}) == 1
