"""Heartbeats to every discovery server of the roster, each with its own ticker; what they know comes back.

Nothing here affects the answering of calls: where discovery fails, the server goes on with what it has.
"""

import asyncio
import contextlib
import itertools
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
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
from server.node.lifecycle import Lifecycle

_log = logging.getLogger(__name__)
HEARTBEAT_SECONDS: Final = 5.0
_LEAVING_SECONDS: Final = 1.5


@dataclass(slots=True)
class HeartbeatSender:
    """`load` gives the figures of now, `roster_file` is watched where there is one."""

    membership: Membership
    trusted_keys: TrustedKeys
    own: Lifecycle
    load: Callable[[], Load]
    version: str
    roster_file: Path | None = None
    ca_file: str = ""
    sent: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    boot_id: str = field(default_factory=lambda: uuid4().hex)
    _seq: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _tickers: "dict[tuple[str, str], _Ticker]" = field(default_factory=dict)
    _watched: str = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Beat until the block ends; then say that this server has left."""
        self.membership.changed.append(self._follow)
        self.own.changed.append(self._at_once)
        self._follow()
        watching = asyncio.create_task(self._watch(), name="roster file")
        try:
            yield
        finally:
            await self.leave()
            watching.cancel()
            for ticker in self._tickers.values():
                ticker.stop()
            self._tickers = {}
            self.membership.changed.remove(self._follow)
            self.own.changed.remove(self._at_once)

    async def leave(self) -> None:
        """Say to all that this server has left; for as long as a clean end may take."""
        if self.own.state == "left":
            return
        waiting = [ticker.after_next() for ticker in self._tickers.values()]
        self.own.leave()
        if waiting:
            await asyncio.wait(waiting, timeout=_LEAVING_SECONDS)

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
        """Note how a beat went."""
        (self.sent if well else self.failed)[id_] += 1

    def take(self, found: Servers) -> None:
        """Offer what a discovery server knows. Raises OfferRefusedError."""
        self.membership.offer_roster(found.roster)
        if found.directory:
            self.membership.offer_directory(found.directory)

    def _at_once(self) -> None:
        for ticker in self._tickers.values():
            ticker.wake()

    def _follow(self) -> None:
        """Keep one ticker for each discovery server of the roster."""
        wanted = {(each.id, each.url): each for each in self.membership.roster.discovery}
        for gone in [each for each in self._tickers if each not in wanted]:
            self._tickers.pop(gone).stop()
        for new in [each for each in wanted if each not in self._tickers]:
            self._tickers[new] = _Ticker(self, wanted[new])

    async def _watch(self) -> None:
        """Offer the roster's file each time that it has changed; what is wrong with it is told once."""
        problem = ""
        while self.roster_file is not None:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            before, problem = problem, await self._look_at(self.roster_file, problem)
            if problem and problem != before:
                _log.warning("roster file not taken", extra={"error": problem})

    async def _look_at(self, file: Path, problem: str) -> str:
        """Return what is wrong with the file, `problem` where it is the same as before."""
        try:
            text = await asyncio.to_thread(read_text, file)
            if text == self._watched:
                return problem
            self._watched = text
            self.membership.offer_roster(text)
        except (OSError, UnicodeDecodeError, OfferRefusedError) as error:
            return str(error)
        return ""


class _Ticker:
    """Beats to one discovery server, in a thread of its own: one that hangs delays no other."""

    def __init__(self, sender: HeartbeatSender, to: RosterDiscovery) -> None:
        self._sender, self._to = sender, to
        self._http = PeerHttp(to.url, sender.ca_file)
        self._thread = ThreadPoolExecutor(1, f"beat {to.id}")
        self._due = asyncio.Event()
        self._next: asyncio.Future[None] | None = None
        self._problem = ""
        self._task = asyncio.create_task(self._run(), name=f"beat {to.id}")

    def wake(self) -> None:
        """Beat now."""
        self._due.set()

    def after_next(self) -> "asyncio.Future[None]":
        """Return what is done once a beat that begins after this call was sent, or could not be."""
        if self._next is None or self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        return self._next

    def stop(self) -> None:
        """Beat no more."""
        self._task.cancel()
        self._thread.submit(self._http.close)
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            waited_for, self._next = self._next, None
            self._due.clear()
            await self._beat()
            if waited_for is not None and not waited_for.done():
                waited_for.set_result(None)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    self._due.wait(), max(0.0, began + HEARTBEAT_SECONDS - time.monotonic())
                )

    async def _beat(self) -> None:
        loop, problem = asyncio.get_running_loop(), ""
        text = self._sender.heartbeat()
        try:
            await loop.run_in_executor(self._thread, self._send, text)
            if self._sender.own.state != "left":
                found = await loop.run_in_executor(self._thread, self._http.get, paths.SERVERS, Servers)
                self._sender.take(found)
        except (PeerHttpError, OfferRefusedError) as error:
            problem = str(error)
        self._tell(problem)

    def _send(self, text: str) -> None:
        well = False
        try:
            self._http.post(paths.HEARTBEATS, HeartbeatRequest(text), HeartbeatTaken)
            well = True
        finally:
            self._sender.count(self._to.id, well=well)

    def _tell(self, problem: str) -> None:
        """Log a change, never each beat."""
        if problem and problem != self._problem:
            _log.warning("discovery failed", extra={"discovery": self._to.id, "error": problem})
        elif self._problem and not problem:
            _log.info("discovery answers again", extra={"discovery": self._to.id})
        self._problem = problem
