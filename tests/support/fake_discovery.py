"""A fake discovery server: it verifies nothing, stores what it receives, and returns configured answers."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from server.contract import cluster, paths, signing
from server.contract.cluster import Heartbeat
from server.contract.cluster_calls import (
    HeartbeatRequest,
    HeartbeatTaken,
    Servers,
)


class FakeDiscovery:
    """`status` is what it answers with, `holds` keeps every answer back until it is set."""

    def __init__(self) -> None:
        self.beats: list[Heartbeat] = []
        self.texts: list[str] = []
        self.ids: list[str] = []
        self.asked: list[str] = []
        self.servers = Servers("")
        self.status = 200
        self.headers: dict[str, str] = {}
        self.goes_on = threading.Event()
        self.goes_on.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.asked.append(self.path)
                self._answer(outer.servers)

            def do_POST(self) -> None:
                outer.asked.append(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                text = msgspec.json.decode(body, type=HeartbeatRequest).heartbeat
                outer.ids.append(self.headers[paths.REQUEST_ID_HEADER])
                outer.texts.append(text)
                outer.beats.append(signing.peek(text, cluster.HEARTBEAT, Heartbeat))
                self._answer(HeartbeatTaken(1, ""))

            def _answer(self, body: msgspec.Struct) -> None:
                outer.goes_on.wait(20)
                data = msgspec.json.encode(body)
                with contextlib.suppress(OSError):  # whoever asked may have lost patience
                    self.send_response(outer.status)
                    for name, value in {**outer.headers, "Content-Length": str(len(data))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextlib.contextmanager
    def running(self) -> Iterator["FakeDiscovery"]:
        """Answer until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.goes_on.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join(20)
