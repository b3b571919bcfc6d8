"""Calls to the other servers of the roster; one that hangs delays nobody's calls to another."""

import asyncio
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from server.cluster.membership import Membership
from server.cluster.peer_http import PeerHttp, PeerHttpError
from server.cluster.trusted_keys import TrustedKeys
from server.contract import cluster, paths, peers
from server.contract.cluster import Directory, RosterServer
from server.contract.peers import AskedOperation, BytesQuestion, PeerRequest, PeerStatus, StatusQuestion
from server.peers import questions

if TYPE_CHECKING:
    import requests

SECONDS: Final = 2.0
"""No region is waited for longer."""
_BATCH: Final = 50  # with twenty bills each, some 90 kB signed
_THREADS: Final = 4
_FETCHES_AT_ONCE: Final = 3
_FETCH_SECONDS: Final = (3.0, 5.0)  # to connect, and without a byte
_PIECE: Final = 64 * 1024
_RANK: Final = {"up": 0, "draining": 1, "suspect": 2, "unknown": 2}


class NotThereError(PeerHttpError):
    """The server answers, and has no such bytes."""


@dataclass(slots=True)
class PeerClient:
    """One event loop's object; `ca_file` has certificates to trust beside the system's."""

    membership: Membership
    trusted_keys: TrustedKeys
    ca_file: str = ""
    _peers: "dict[tuple[str, str], _PeerConnection]" = field(default_factory=dict)

    @property
    def other_regions(self) -> list[str]:
        """The regions of the roster but this server's."""
        roster = self.membership.roster
        home = roster.region_of(self.trusted_keys.server_id)
        return [region.code for region in roster.regions if region.code != home]

    def servers_of(self, region: str) -> list[RosterServer]:
        """Return whom to ask in a region, in order; nobody of whom discovery says that it is gone."""
        return in_order(self.membership.roster.in_region(region), self.membership.directory)

    def is_away(self, region: str) -> bool:
        """Say whether a region has servers, and none that may be up."""
        return bool(self.membership.roster.in_region(region)) and not self.servers_of(region)

    async def status(
        self, region: str, book_id: str, operations: Sequence[AskedOperation]
    ) -> list[PeerStatus] | None:
        """Ask a region where it stands, in batches; None where it does not answer within SECONDS."""
        loop = asyncio.get_running_loop()
        ends, servers = loop.time() + SECONDS, self.servers_of(region)
        for number, server in enumerate(servers):
            share = (ends - loop.time()) / (len(servers) - number)
            try:
                async with asyncio.timeout(share):
                    return await self._status(server, book_id, operations)
            except (PeerHttpError, TimeoutError):
                continue
        return None

    async def _status(
        self, server: RosterServer, book_id: str, operations: Sequence[AskedOperation]
    ) -> list[PeerStatus]:
        answers, link = [], self._peer(server)
        for start in range(0, max(1, len(operations)), _BATCH):  # whether it is silent is an answer too
            batch = list(operations[start : start + _BATCH])
            question = StatusQuestion(self.trusted_keys.server_id, server.id, self._now_ms(), book_id, batch)
            text = questions.sign(self.trusted_keys.signer, peers.STATUS, question)
            answers.append(await link.post(paths.PEER_STATUS, PeerRequest(text)))
        return answers

    async def fetch(
        self, server: RosterServer, book_id: str, sha256: str, part: Path, byte_size: int, ends: float
    ) -> None:
        """Add to the file `part` what is missing of `byte_size` bytes, until `ends` on the monotonic clock.
        Raises PeerHttpError (then what came is kept, for the next try), NotThereError, OSError.
        """
        question = BytesQuestion(self.trusted_keys.server_id, server.id, self._now_ms(), book_id, sha256)
        text = questions.sign(self.trusted_keys.signer, peers.BYTES, question)
        await self._peer(server).fetch(text, part, byte_size, ends)

    def close(self) -> None:
        """Close every connection."""
        for link in self._peers.values():
            link.close()
        self._peers = {}

    def _peer(self, server: RosterServer) -> "_PeerConnection":
        key = server.id, server.url
        for gone in [each for each in self._peers if each[0] == server.id and each != key]:
            self._peers.pop(gone).close()
        if key not in self._peers:
            self._peers[key] = _PeerConnection(server, self.ca_file)
        return self._peers[key]

    def _now_ms(self) -> int:
        return int(self.membership.clock() * 1_000)


class _PeerConnection:
    """Threads and kept connections to one server."""

    def __init__(self, server: RosterServer, ca_file: str) -> None:
        self._server, self._ca_file = server, ca_file
        self._threads = ThreadPoolExecutor(_THREADS, f"peer {server.id}")
        self._fetching = ThreadPoolExecutor(_FETCHES_AT_ONCE, f"bytes {server.id}")
        self._closed = threading.Event()
        self._own = threading.local()
        self._clients: list[PeerHttp] = []

    async def post(self, path: str, body: PeerRequest) -> PeerStatus:
        """Return the answer. Raises PeerHttpError."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._post, path, body)

    async def fetch(self, question: str, part: Path, byte_size: int, ends: float) -> None:
        """Complete `part`. Raises PeerHttpError, OSError."""
        await asyncio.get_running_loop().run_in_executor(
            self._fetching, self._fetch, question, part, byte_size, ends
        )

    def close(self) -> None:
        """Take no more calls; those that are under way end by themselves."""
        self._closed.set()
        for threads in (self._threads, self._fetching):
            threads.shutdown(wait=False, cancel_futures=True)
        for asker in self._clients:
            asker.close()

    def _http(self) -> PeerHttp:
        """Return this thread's own."""
        if not hasattr(self._own, "asker"):
            self._own.asker = PeerHttp(self._server.url, self._ca_file)
            self._clients.append(self._own.asker)
        asker: PeerHttp = self._own.asker
        return asker

    def _post(self, path: str, body: PeerRequest) -> PeerStatus:
        answer = self._http().post(path, body, PeerStatus)
        if answer.server_id != self._server.id:
            raise PeerHttpError("another server answers there")
        return answer

    def _fetch(self, question: str, part: Path, byte_size: int, ends: float) -> None:
        import requests
        from urllib3.exceptions import HTTPError

        if not cluster.is_allowed_url(self._server.url):
            raise PeerHttpError("address not allowed")
        here = part.stat().st_size if part.exists() else 0
        if here == byte_size:
            return
        if time.monotonic() >= ends:
            raise PeerHttpError("no time left")  # it waited for a thread, or another server was slow
        headers = {paths.PEER_HEADER: question, "Accept-Encoding": "identity", "Range": f"bytes={here}-"}
        try:
            with (
                self._http()
                .opened()
                .get(
                    self._server.url + paths.PEER_BYTES,
                    headers=headers,
                    timeout=_FETCH_SECONDS,
                    allow_redirects=False,
                    stream=True,
                ) as reply
            ):
                self._take(reply, part, here, byte_size, ends)
        except (requests.RequestException, HTTPError) as error:
            raise PeerHttpError(type(error).__name__) from error

    def _take(self, reply: "requests.Response", part: Path, here: int, byte_size: int, ends: float) -> None:
        if reply.status_code == HTTPStatus.NOT_FOUND:
            raise NotThereError("not there")
        if reply.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)  # what is here is longer than the whole
        if reply.status_code not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            raise PeerHttpError(f"status {reply.status_code}")
        goes_on = reply.status_code == HTTPStatus.PARTIAL_CONTENT
        if goes_on and not reply.headers.get("Content-Range", "").startswith(f"bytes {here}-"):
            raise PeerHttpError("another part than was asked for")
        left = byte_size - (here if goes_on else 0)
        with part.open("ab" if goes_on else "wb") as out:
            # What is there is taken at once: `iter_content` would wait for a whole piece, whatever the time.
            while piece := reply.raw.read1(_PIECE, decode_content=True):
                out.write(piece)
                left -= len(piece)
                if left < 0 or self._closed.is_set() or time.monotonic() >= ends:
                    break
        if left < 0:
            part.unlink(missing_ok=True)
        if left:
            raise PeerHttpError("more than was announced" if left < 0 else "broke off")


def in_order(servers: Sequence[RosterServer], directory: Directory | None) -> list[RosterServer]:
    """Return whom to ask first, next …: who is up, in any order, before who may be."""
    if directory is None or directory.self_preservation:
        return random.sample(servers, len(servers))
    ranked = [(_RANK.get(directory.state_of(each.id), 9), random.random(), each) for each in servers]  # noqa: S311
    return [server for rank, _, server in sorted(ranked, key=lambda each: each[:2]) if rank < 9]
