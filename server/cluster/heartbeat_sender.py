"""Sends heartbeats to every discovery server of the roster, and fetches the newest roster and directory.

A failure of discovery does not affect calls: the server goes on with the roster and directory that it has.
"""

import asyncio
import contextlib
import itertools
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

from server.cluster.membership import Membership, OfferRefusedError
from server.cluster.peer_http import PeerHttp, PeerHttpError
from server.cluster.startup import read_text
from server.cluster.trusted_keys import TrustedKeys
from server.contract import cluster, paths, signing
from server.contract.cluster import Heartbeat, Load, RosterDiscovery
from server.contract.cluster_calls import (
    HeartbeatRequest,
    HeartbeatTaken,
    Servers,
)
from server.node.background import background, end_tasks, start_task
from server.node.lifecycle import Lifecycle

_log = logging.getLogger(__name__)
HEARTBEAT_SECONDS: Final = 5.0
_LEAVE_SECONDS: Final = 1.5


@dataclass(slots=True)
class HeartbeatSender:
    """Sends the heartbeats of this server.

    `load` returns the load to report. `roster_file`, if given, is watched for a newer roster. `sent` and
    `failed` count heartbeats by the id of the discovery server.
    """

    membership: Membership
    trusted_keys: TrustedKeys
    own: Lifecycle
    load: Callable[[], Load]
    version: str
    http: PeerHttp
    roster_file: Path | None = None
    sent: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    boot_id: str = field(default_factory=lambda: uuid4().hex)
    _seq: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _tickers: "dict[tuple[str, str], _Ticker]" = field(default_factory=dict)
    _roster_text: str = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send heartbeats until the block ends; then report that this server has left."""
        self.membership.changed.append(self._follow_roster)
        self.own.changed.append(self._beat_now)
        self._follow_roster()
        try:
            async with background(self._poll_roster_file()):
                yield
        finally:
            await self.leave()
            self.membership.changed.remove(self._follow_roster)
            self.own.changed.remove(self._beat_now)
            await end_tasks(ticker.task for ticker in self._tickers.values())
            self._tickers = {}

    async def leave(self) -> None:
        """Report to all discovery servers that this server has left, within _LEAVE_SECONDS."""
        if self.own.state == "left":
            return
        # A heartbeat that is under way still reports the old state, so wait for the next one of each.
        waiting = [ticker.after_next() for ticker in self._tickers.values()]
        self.own.leave()
        if waiting:
            await asyncio.wait(waiting, timeout=_LEAVE_SECONDS)

    def heartbeat(self) -> str:
        """Return the next heartbeat, signed."""
        id_ = self.trusted_keys.server_id
        server = self.membership.roster.server(id_)
        beat = Heartbeat(
            server_id=id_,
            boot_id=self.boot_id,
            seq=next(self._seq),
            sent_at_ms=int(self.membership.clock() * 1_000),
            region=server.region if server else "",
            url=server.url if server else "",
            state=self.own.state,
            version=self.version,
            load=self.load(),
        )
        signer = self.trusted_keys.signer
        return signing.sign(signer.key, signer.kid, cluster.HEARTBEAT, beat)

    def count(self, id_: str, *, well: bool) -> None:
        """Count a heartbeat that was sent or failed."""
        (self.sent if well else self.failed)[id_] += 1

    def take(self, found: Servers) -> None:
        """Offer the roster and directory of a discovery server. Raises OfferRefusedError."""
        self.membership.offer_roster(found.roster)
        if found.directory:
            self.membership.offer_directory(found.directory)

    def _beat_now(self) -> None:
        for ticker in self._tickers.values():
            ticker.wake()

    def _follow_roster(self) -> None:
        """Keep one ticker for each discovery server of the roster."""
        wanted = {(each.id, each.url): each for each in self.membership.roster.discovery}
        for gone in [each for each in self._tickers if each not in wanted]:
            self._tickers.pop(gone).task.cancel()
        for new in [each for each in wanted if each not in self._tickers]:
            self._tickers[new] = _Ticker(self, wanted[new])

    async def _poll_roster_file(self) -> None:
        """Offer the roster file after each change; log a problem once."""
        problem = ""
        while self.roster_file is not None:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            before, problem = problem, await self._read_roster(self.roster_file, problem)
            if problem and problem != before:
                _log.warning("roster file rejected", extra={"error": problem})

    async def _read_roster(self, file: Path, problem: str) -> str:
        """Return the problem with the file, "" if there is none; `problem` if the file has not changed."""
        try:
            text = await asyncio.to_thread(read_text, file)
            if text == self._roster_text:
                return problem
            self._roster_text = text
            self.membership.offer_roster(text)
        except (OSError, UnicodeDecodeError, OfferRefusedError) as error:
            return str(error)
        return ""


class _Ticker:
    """Heartbeats to one discovery server, in a task of its own: a server that hangs delays no other."""

    def __init__(self, sender: HeartbeatSender, to: RosterDiscovery) -> None:
        self._sender, self._to = sender, to
        self._due = asyncio.Event()
        self._next: asyncio.Future[None] | None = None
        self._problem = ""
        self.task = start_task(self._run())

    def wake(self) -> None:
        """Send a heartbeat now."""
        self._due.set()

    def after_next(self) -> "asyncio.Future[None]":
        """Return a future that is done once a heartbeat that begins after this call has gone or failed."""
        if self._next is None or self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        return self._next

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            waited_for, self._next = self._next, None
            self._due.clear()
            await self._beat()
            if waited_for is not None and not waited_for.done():
                waited_for.set_result(None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(began + HEARTBEAT_SECONDS - time.monotonic()):
                    await self._due.wait()

    async def _beat(self) -> None:
        problem = ""
        try:
            await self._send(HeartbeatRequest(self._sender.heartbeat()))
            if self._sender.own.state != "left":
                self._sender.take(await self._sender.http.get(self._to.url, paths.SERVERS, Servers))
        except (PeerHttpError, OfferRefusedError) as error:
            problem = str(error)
        self._log_change(problem)

    async def _send(self, request: HeartbeatRequest) -> None:
        sent = False
        try:
            await self._sender.http.post(self._to.url, paths.HEARTBEATS, request, HeartbeatTaken)
            sent = True
        finally:
            self._sender.count(self._to.id, well=sent)

    def _log_change(self, problem: str) -> None:
        """Log the first of several equal problems, and the recovery."""
        if problem and problem != self._problem:
            _log.warning("discovery failed", extra={"discovery": self._to.id, "error": problem})
        elif self._problem and not problem:
            _log.info("discovery answers again", extra={"discovery": self._to.id})
        self._problem = problem
