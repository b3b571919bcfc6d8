"""Where sessions go: the rules, applied to what this server knows at this moment."""

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
_NOBODY: Final = "The cluster has no server for this session just now."


Arrived = Callable[[Identity, str], Awaitable[bool]]
"""Whether what a session's device has written here is in another region too."""


async def nobody_can_tell(_identity: Identity, _region: str) -> bool:
    """Say that it has not arrived."""
    return False


@dataclass(slots=True)
class Placement:
    """`server_id` is this server's, `drain_seconds` how long a draining one lets tasks go on;
    `decisions` counts refreshes by (rule, whether it moved the client)."""

    server_id: str
    policy: Policy
    drain_seconds: float
    membership: Membership
    own: Lifecycle
    load: LoadMeter
    chance: Chance = random.random
    writes_arrived: Arrived = nobody_can_tell
    decisions: Counter[tuple[str, bool]] = field(default_factory=Counter)

    @property
    def roster_version(self) -> int:
        """The version of the roster in force."""
        return self.membership.roster.version

    def primary(self, id_: str) -> Primary:
        """Return a server of the roster as a client is told of it. Raises ApiError (draining)."""
        server = self.membership.roster.server(id_)
        if server is None:
            raise ApiError(ErrorCode.DRAINING, _NOBODY)
        return Primary(server.id, server.region, server.url)

    def at_login(self) -> str:
        """Return the id of the server that a new session goes to."""
        return rules.newcomer(self._situation(None, "good", RefreshRequest("", "")))

    async def at_refresh(
        self, token: RefreshToken | None, standing: Standing, body: RefreshRequest
    ) -> Decision:
        """Return where the session of `token` (None: what was sent is none) goes from now on.

        Another region is asked about the client's writes only where the rules wait for nothing else.
        """
        situation, waits_for = self._situation(token, standing, body), list[str]()

        def not_yet(region: str) -> bool:
            waits_for.append(region)
            return False

        decision = rules.decide(replace(situation, writes_arrived=not_yet))
        if token and waits_for and await self._are_there(token, waits_for[0]):
            decision = rules.decide(replace(situation, writes_arrived=lambda _: True))
        pinned = token.server_id if token else ""
        changed = decision.server_id not in ("", pinned)
        self.decisions[decision.rule, changed] += 1
        if changed and decision.server_id != self.server_id:
            self.load.moves += 1
        moved = {"rule": decision.rule, "changed": changed, "pinned": pinned, "chosen": decision.server_id}
        _log.info("refresh decided", extra=moved)
        return decision

    def moved(self, token: RefreshToken, id_: str) -> RefreshToken:
        """Return `token` with its lock on the server `id_`."""
        if id_ == token.server_id:
            return token
        now, region_of = int(self.membership.clock()), self.membership.roster.region_of
        stays = region_of(id_) == region_of(token.server_id)
        return replace(
            token,
            server_id=id_,
            pin_epoch=token.pin_epoch + 1,
            pinned_since=now,
            region_moved_at=token.region_moved_at if stays else now,
        )

    async def _are_there(self, token: RefreshToken, region: str) -> bool:
        """Say whether the session's writes are in `region`; only the region where it writes can tell."""
        region_of = self.membership.roster.region_of
        if region_of(token.server_id) != region_of(self.server_id):
            return False
        return await self.writes_arrived(token.identity, region)

    def _situation(self, token: RefreshToken | None, standing: Standing, body: RefreshRequest) -> Situation:
        directory, pinned = self.membership.directory, token.server_id if token else self.server_id
        servers = self.membership.roster.servers
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
        if server.id == self.server_id:  # of itself it knows better than discovery does
            state: Liveness = "draining" if self.own.is_draining else "up"
            return PeerServer(server.id, server.region, state, self.load.utilisation)
        said = _said(directory, server.id)
        used = said.load.utilisation if said and said.load else policies.ASSUMED
        return PeerServer(server.id, server.region, said.state if said else "unknown", used)

    def _drain_until(self, pinned: str, directory: Directory | None) -> float:
        if pinned == self.server_id:
            return self.own.drain_until
        said = _said(directory, pinned)
        return said.since_ms / 1_000 + self.drain_seconds if said else 0.0


def _said(directory: Directory | None, id_: str) -> DirectoryServer | None:
    return next((each for each in directory.servers if each.id == id_), None) if directory else None
