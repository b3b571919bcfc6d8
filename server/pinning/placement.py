"""Decides to which server a session is pinned: applies the rules to what this server knows of the cluster."""

import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final

from server.cluster.membership import Membership
from server.contract.cluster import Directory, DirectoryServer, Liveness, RosterServer
from server.contract.errors import ErrorCode
from server.contract.shapes import Primary, RefreshRequest
from server.errors import ApiError
from server.node.lifecycle import Lifecycle
from server.node.load import LoadMeter
from server.pinning import policies, rules
from server.pinning.policies import Chance, Policy
from server.pinning.rules import Decision, PeerServer, Situation, Standing
from server.tokens.tokens import Identity, RefreshToken

_log = logging.getLogger(__name__)
_NO_SERVER: Final = "The cluster has no server for this session at the moment."

# Takes a session and a region; returns whether everything that the session's device has written is in that
# region too.
Arrived = Callable[[Identity, str], Awaitable[bool]]


async def never_arrived(_identity: Identity, _region: str) -> bool:
    """Return False: without other regions, nothing has arrived there."""
    return False


@dataclass(slots=True)
class Placement:
    """Pins sessions to servers. `server_id` is the id of this server.

    A draining server lets tasks go on for `drain_seconds`. `decisions` counts refreshes by the rule that
    decided, and by whether the session moved.
    """

    server_id: str
    policy: Policy
    drain_seconds: float
    membership: Membership
    own: Lifecycle
    load: LoadMeter
    chance: Chance = random.random
    writes_arrived: Arrived = never_arrived
    decisions: Counter[tuple[str, bool]] = field(default_factory=Counter)

    @property
    def roster_version(self) -> int:
        """The version of the roster in force."""
        return self.membership.roster.version

    def primary(self, id_: str) -> Primary:
        """Return a server of the roster in the form sent to clients. Raises ApiError (draining)."""
        server = self.membership.roster.server(id_)
        if server is None:
            raise ApiError(ErrorCode.DRAINING, _NO_SERVER)
        return Primary(server.id, server.region, server.url)

    def at_login(self) -> str:
        """Return the id of the server to which a new session is pinned."""
        return rules.newcomer(self._situation(None, "good", RefreshRequest("", "")))

    async def at_refresh(
        self, token: RefreshToken | None, standing: Standing, body: RefreshRequest
    ) -> Decision:
        """Return to which server the session of `token` is pinned from now on.

        `token` is None if the client sent no valid refresh token.
        """
        situation, asked_for = self._situation(token, standing, body), list[str]()

        def not_yet(region: str) -> bool:
            asked_for.append(region)
            return False

        # The rules are pure and cannot wait for an answer. So decide first as if the writes had not arrived;
        # only if that mattered, ask the other region, and decide again if they have.
        decision = rules.decide(replace(situation, writes_arrived=not_yet))
        if token and asked_for and await self._have_arrived(token, asked_for[0]):
            decision = rules.decide(replace(situation, writes_arrived=lambda _: True))
        pinned = token.server_id if token else ""
        changed = decision.server_id not in ("", pinned)
        self.decisions[decision.rule, changed] += 1
        if changed and decision.server_id != self.server_id:
            self.load.moves += 1
        details = {"rule": decision.rule, "changed": changed, "pinned": pinned, "chosen": decision.server_id}
        _log.info("refresh decided", extra=details)
        return decision

    def moved(self, token: RefreshToken, id_: str) -> RefreshToken:
        """Return `token` pinned to the server `id_`."""
        if id_ == token.server_id:
            return token
        now, region_of = int(self.membership.clock()), self.membership.roster.region_of
        same_region = region_of(id_) == region_of(token.server_id)
        return replace(
            token,
            server_id=id_,
            pin_epoch=token.pin_epoch + 1,
            pinned_since=now,
            region_moved_at=token.region_moved_at if same_region else now,
        )

    async def _have_arrived(self, token: RefreshToken, region: str) -> bool:
        """Return whether everything that the session has written is in `region`."""
        region_of = self.membership.roster.region_of
        # Only servers of the region in which the session writes know all of its writes.
        if region_of(token.server_id) != region_of(self.server_id):
            return False
        return await self.writes_arrived(token.identity, region)

    def _situation(self, token: RefreshToken | None, standing: Standing, body: RefreshRequest) -> Situation:
        directory, pinned = self.membership.directory, token.server_id if token else self.server_id
        servers = self.membership.roster.servers
        # A server that is alone needs no directory to know the state of its cluster.
        alone = [each.id for each in servers] == [self.server_id]
        return Situation(
            standing=standing,
            me=self.server_id,
            pinned=pinned,
            closest=body.closest_server_id,
            critical=body.critical_task_in_progress,
            reason=body.reason,
            peers=tuple(self._peer(each, directory) for each in servers),
            fresh=alone or directory is not None,
            doubtful=directory is not None and directory.self_preservation,
            now=self.membership.clock(),
            pinned_since=token.pinned_since if token else 0,
            region_moved_at=token.region_moved_at if token else 0,
            drain_until=self._drain_until(pinned, directory),
            writes_arrived=lambda _: False,
            policy=self.policy,
            chance=self.chance,
        )

    def _peer(self, server: RosterServer, directory: Directory | None) -> PeerServer:
        # This server knows its own state and load better than the directory, which is some seconds old.
        if server.id == self.server_id:
            state: Liveness = "draining" if self.own.is_draining else "up"
            return PeerServer(server.id, server.region, state, self.load.utilisation)
        listed = _listed(directory, server.id)
        utilisation = listed.load.utilisation if listed and listed.load else policies.ASSUMED
        return PeerServer(server.id, server.region, listed.state if listed else "unknown", utilisation)

    def _drain_until(self, pinned: str, directory: Directory | None) -> float:
        if pinned == self.server_id:
            return self.own.drain_until
        # The directory does not say how long another server drains. All servers are assumed to be configured
        # with the same drain_seconds.
        listed = _listed(directory, pinned)
        return listed.since_ms / 1_000 + self.drain_seconds if listed else 0.0


def _listed(directory: Directory | None, id_: str) -> DirectoryServer | None:
    return next((each for each in directory.servers if each.id == id_), None) if directory else None
