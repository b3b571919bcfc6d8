"""Calls to the other servers of the roster. A server that hangs does not delay calls to the others."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final

from server.cluster.membership import Membership
from server.cluster.peer_http import Download, PeerHttp, PeerHttpError
from server.cluster.trusted_keys import TrustedKeys
from server.contract import paths, peers
from server.contract.cluster import Directory, RosterServer
from server.contract.peers import AskedOperation, BytesQuestion, PeerRequest, PeerStatus, StatusQuestion
from server.contract.private_files import private_opener
from server.peers import questions

# The time limit for the answer of one region.
SECONDS: Final = 2.0
_BATCH: Final = 50  # with twenty bills for each operation, about 90 kB signed
_FETCHES_AT_ONCE: Final = 3  # from one server
_FETCH_SECONDS: Final = (3.0, 5.0)  # to connect, and to wait for the next bytes
_RANK: Final = {"up": 0, "draining": 1, "suspect": 2, "unknown": 2}


class NotThereError(PeerHttpError):
    """The server answers that it does not have these bytes."""


@dataclass(slots=True)
class PeerClient:
    """Asks other servers questions that this server signs. Used in one event loop only."""

    membership: Membership
    trusted_keys: TrustedKeys
    http: PeerHttp
    _fetching: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    @property
    def other_regions(self) -> list[str]:
        """The regions of the roster, without this server's own."""
        roster = self.membership.roster
        home = roster.region_of(self.trusted_keys.server_id)
        return [region.code for region in roster.regions if region.code != home]

    def servers_of(self, region: str) -> list[RosterServer]:
        """Return the servers of a region in the order to ask them, without those that are down or left."""
        return in_order(self.membership.roster.in_region(region), self.membership.directory)

    def is_away(self, region: str) -> bool:
        """Return whether a region has servers, but none that may be up."""
        return bool(self.membership.roster.in_region(region)) and not self.servers_of(region)

    async def status(
        self, region: str, book_id: str, operations: Sequence[AskedOperation]
    ) -> list[PeerStatus] | None:
        """Ask a region which of `operations` it has; return one answer for each batch.

        Returns None if no server of the region answers within SECONDS.
        """
        # Each server gets an equal share of the remaining time, so that one that hangs does not use up all.
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
        answers = []
        # Without operations there is one empty batch, to find out whether the region answers.
        for start in range(0, max(1, len(operations)), _BATCH):
            batch = list(operations[start : start + _BATCH])
            question = StatusQuestion(self.trusted_keys.server_id, server.id, self._now_ms(), book_id, batch)
            request = PeerRequest(questions.sign(self.trusted_keys.signer, peers.STATUS, question))
            answer = await self.http.post(server.url, paths.PEER_STATUS, request, PeerStatus)
            if answer.server_id != server.id:
                raise PeerHttpError("another server answers there")
            answers.append(answer)
        return answers

    async def fetch(
        self, server: RosterServer, book_id: str, sha256: str, part: Path, byte_size: int, ends: float
    ) -> None:
        """Complete the file `part` to `byte_size` bytes, until `ends` on the monotonic clock.

        Raises PeerHttpError (what came is kept, for the next try), NotThereError, OSError.
        """
        here = part.stat().st_size if part.exists() else 0
        if here == byte_size:
            return
        at_once = self._fetching.setdefault(server.id, asyncio.Semaphore(_FETCHES_AT_ONCE))
        try:
            async with asyncio.timeout(ends - time.monotonic()), at_once:
                question = BytesQuestion(
                    self.trusted_keys.server_id, server.id, self._now_ms(), book_id, sha256
                )
                text = questions.sign(self.trusted_keys.signer, peers.BYTES, question)
                headers = {paths.PEER_HEADER: text, "Range": f"bytes={here}-"}
                async with self.http.fetch(server.url, paths.PEER_BYTES, headers, _FETCH_SECONDS) as answer:
                    await _append(answer, part, here, byte_size)
        except TimeoutError as error:
            raise PeerHttpError("no time left") from error

    def _now_ms(self) -> int:
        return int(self.membership.clock() * 1_000)


async def _append(answer: Download, part: Path, here: int, byte_size: int) -> None:
    """Append an answer to the file `part`, which has `here` bytes.

    Raises PeerHttpError, NotThereError, OSError.
    """
    if answer.status == HTTPStatus.NOT_FOUND:
        raise NotThereError("not there")
    if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.unlink(missing_ok=True)  # the part here is longer than the document
    if answer.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        raise PeerHttpError(f"status {answer.status}")
    resumed = answer.status == HTTPStatus.PARTIAL_CONTENT
    if resumed and not answer.headers.get("Content-Range", "").startswith(f"bytes {here}-"):
        raise PeerHttpError("not the requested range")
    left = byte_size - (here if resumed else 0)
    # Read before the file is opened: if the connection breaks meanwhile, aiohttp drops the bytes that were
    # not read yet. So each attempt keeps the first bytes, and gets further than the one before.
    piece = await answer.read()
    with await asyncio.to_thread(open, part, "ab" if resumed else "wb", opener=private_opener) as out:
        while piece and left >= 0:
            await asyncio.to_thread(out.write, piece)
            left -= len(piece)
            piece = await answer.read()
    if left < 0:
        part.unlink(missing_ok=True)
        raise PeerHttpError("longer than announced")
    if left:
        raise PeerHttpError("interrupted")


def in_order(servers: Sequence[RosterServer], directory: Directory | None) -> list[RosterServer]:
    """Return servers in the order to ask them: those that are up before those that may be, else at random."""
    if directory is None or directory.self_preservation:
        return random.sample(servers, len(servers))
    ranked = [(_RANK.get(directory.state_of(each.id), 9), random.random(), each) for each in servers]  # noqa: S311
    return [server for rank, _, server in sorted(ranked, key=lambda each: each[:2]) if rank < 9]
