"""A discovery server: receives heartbeats and reports, probes servers in doubt, and answers long polls."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from server.cluster.membership import OfferRefusedError
from server.cluster.peer_http import PeerHttp
from server.cluster.startup import read_membership, read_text
from server.cluster.trusted_keys import signing_key
from server.contract import signing
from server.contract.cluster import Liveness, Roster, RosterDiscovery
from server.contract.cluster_calls import (
    Servers,
)
from server.contract.durable_files import make_folder
from server.contract.errors import ErrorCode
from server.discovery.config import DiscoveryConfig
from server.discovery.directory import Directories
from server.discovery.heartbeat import HeartbeatReader, refused
from server.discovery.probes import PROBE_SECONDS, answers
from server.discovery.registry import Registry
from server.discovery.waiting import Waiting
from server.errors import ApiError, StartError
from server.node.background import background, end_tasks, start_task
from server.tokens.keys import own_signers, retire_key
from server.tokens.tokens import Signer

_log = logging.getLogger(__name__)
ROSTER_SECONDS: Final = 5.0
_LONGEST_SLEEP: Final = 60.0


class Discovery:
    """The service of a discovery server.

    `clock` returns seconds since 1970. `steady` is the clock of the registry: it starts at the same time, but
    never goes back, even if somebody sets the system clock.
    """

    def __init__(
        self,
        config: DiscoveryConfig,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises StartError if the roster does not have this server, or `ca_file` cannot be read."""
        self.config, self.clock = config, clock
        ahead = clock() - monotonic()
        self.steady: Callable[[], float] = lambda: ahead + monotonic()
        make_folder(config.folder)
        self._signers = own_signers(config.folder)
        self.membership = read_membership(config.as_member(), clock)
        self._signer = _agreed(config.discovery_id, self.membership.roster, self._signers, clock())
        self.registry = Registry(self.membership.roster, self.steady())
        self.directories = Directories(
            config.discovery_id, self.registry, self._signing, lambda: self.membership.roster.version, clock
        )
        self._reader = HeartbeatReader(self.membership.roster)
        self._http = PeerHttp(config.ca_file, direct=True)
        self._waiting, self._changed = Waiting(), asyncio.Event()
        self._probes: set[asyncio.Task[None]] = set()
        self._reported: dict[str, Liveness] = {}
        self._roster_text = ""
        self.membership.changed.append(self._roster_changed)

    # --- calls ----------------------------------------------------------------------------------------

    def beat(self, text: str) -> None:
        """Accept a signed heartbeat. Raises ApiError (heartbeat_refused)."""
        beat = self._reader.read(text, self.clock())
        changes = self.registry.changes
        if not self.registry.beat(beat, self.steady()):
            raise refused("replayed")
        if self.registry.changes != changes:
            self._changed.set()

    def servers(self) -> Servers:
        """Return the current roster and directory."""
        return Servers(self.membership.roster_text, self.directories.text(self.steady()))

    def suspect(self, id_: str) -> Liveness:
        """Note a report on a server; return its state before the report. Raises ApiError (not_found)."""
        self._state(id_)  # raises if there is no such server
        state = self.registry.suspect(id_, self.steady())
        self._changed.set()
        return state

    async def state(self, id_: str, known: str, seconds: float) -> Liveness:
        """Return the state of a server once it is not `known` ("": its state now), or after `seconds`.

        Raises ApiError (not_found).
        """
        until = self.steady() + seconds
        state = self._state(id_)
        known = known or state
        while state == known and not self._waiting.closed and (left := until - self.steady()) > 0:
            await self._waiting.until_woken(id_, left)
            state = self._state(id_)
        return state

    def release(self) -> None:
        """Answer all long polls at once, because this server is shutting down."""
        self._waiting.close()

    def _state(self, id_: str) -> Liveness:
        try:
            return self.registry.state(id_, self.steady())
        except KeyError as error:
            raise ApiError(ErrorCode.NOT_FOUND, "There is no such server in the roster.") from error

    # --- background work ------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the states up to date, probe, and watch the roster file until the block ends."""
        async with self._http:
            await self._http.open()  # imports aiohttp, for which a probe of one second has no time
            try:
                async with background(self._keep_time(), self._poll_roster_file()):
                    yield
            finally:
                await end_tasks(self._probes)

    async def _keep_time(self) -> None:
        # Nothing is polled: sleep until a state can change by time, a probe is due, or an event happens.
        while True:
            self._changed.clear()
            self._wake_waiting()
            self._start_probes()
            now = self.steady()
            ahead = min(self.registry.next_change(now), self.registry.next_probe()) - now
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(ahead, _LONGEST_SLEEP)):
                    await self._changed.wait()

    def _wake_waiting(self) -> None:
        """Answer the long polls for servers whose state has changed, and log the change."""
        states = {id_: record.state for id_, record in self.registry.states(self.steady()).items()}
        for id_ in states.keys() | self._reported.keys():
            if states.get(id_) != self._reported.get(id_):
                state = states.get(id_, "not in the roster")
                _log.info("server state changed", extra={"server": id_, "state": state})
                self._waiting.wake(id_)
        self._reported = states

    def _start_probes(self) -> None:
        now = self.steady()
        for id_ in self.registry.to_probe(now):
            self.registry.probe_began(id_, now)
            task = start_task(self._probe(id_))
            self._probes.add(task)
            task.add_done_callback(self._probes.discard)

    async def _probe(self, id_: str) -> None:
        server = self.membership.roster.server(id_)
        began = self.steady()
        fine = server is not None and await answers(self._http, server.url, id_)
        now = self.steady()
        # A probe that took much longer than its timeout means that this process was suspended meanwhile. Then
        # a failure says nothing about the server.
        was_suspended = not fine and now - began > 2 * PROBE_SECONDS
        self.registry.probed(id_, None if was_suspended else fine, now)
        self._changed.set()

    async def _poll_roster_file(self) -> None:
        while True:
            await asyncio.sleep(ROSTER_SECONDS)
            try:
                text = await asyncio.to_thread(read_text, Path(self.config.roster))
                if text != self._roster_text:
                    self._roster_text = text
                    self.membership.offer_roster(text)
            except (OSError, UnicodeDecodeError, OfferRefusedError) as error:
                _log.warning("roster file rejected", extra={"error": str(error)})

    def _roster_changed(self) -> None:
        roster = self.membership.roster
        self._reader = HeartbeatReader(roster)
        self.registry.set_roster(roster, self.steady())
        try:
            self._signers = own_signers(self.config.folder)
        except StartError as error:
            _log.error("reading own keys failed", extra={"error": str(error)})
        self._changed.set()
        _log.info("roster changed", extra={"version": roster.version})

    def _signing(self) -> Signer:
        """Return the key that is in use according to the roster."""
        # A key comes into use by time alone, so this is checked at each signature. When the next key comes
        # into use, it also replaces the old one in the data folder.
        me = _discovery(self.membership.roster, self.config.discovery_id)
        found = signing_key(self._signers, me, self.clock())
        if found and found is not self._signers[0]:
            retire_key(self.config.folder)
            self._signers = [found]
        self._signer = found or self._signer
        return self._signer


def _agreed(id_: str, roster: Roster, signers: list[Signer], now: float) -> Signer:
    found = signing_key(signers, _discovery(roster, id_), now)
    if found is None:
        key = signing.encode_key(signers[0].raw_public)
        raise StartError(
            f"The roster (version {roster.version}) has no discovery server {id_} with a key of this one. "
            f"Add it with `bahi-server roster add {id_} --discovery --url … --key={key}`."
        )
    return found


def _discovery(roster: Roster, id_: str) -> RosterDiscovery | None:
    return next((each for each in roster.discovery if each.id == id_), None)
