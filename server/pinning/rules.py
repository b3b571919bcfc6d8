"""Where a client belongs after a refresh: an ordered list of named rules, of which the first that answers
wins. Pure: clock, chance and what was heard of the other servers are arguments.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from server.contract.cluster import Liveness
from server.pinning import policies
from server.pinning.policies import FULL, Candidate, Chance, Policy

Standing = Literal["good", "invalid", "reused"]
"""Of a refresh token: to be rotated; bad, expired or revoked; or spent by somebody else too."""
REGION_SECONDS: Final = 600
"""A client changes to a closer region at most once in this time."""


@dataclass(frozen=True, slots=True)
class PeerServer:
    """A server of the roster as the answering server sees it."""

    id: str
    region: str
    state: Liveness
    utilisation: float = policies.ASSUMED

    @property
    def candidate(self) -> Candidate:
        """What the policies see of it."""
        return Candidate(self.id, self.utilisation)


@dataclass(frozen=True, slots=True)
class Situation:
    """One refresh. `me` answers it, `locked` is the server of the token, `closest` whom `/closestToMe` named
    ("" where nobody did). `fresh` says that the states of `peers` are known now, `doubtful` that discovery
    suspects itself. Instants are seconds since 1970; `drain_until` is when the draining server that the
    client is locked to ends, whatever goes on there.
    """

    standing: Standing
    me: str
    pinned: str
    closest: str
    critical: bool
    reason: Literal["expiry", "unreachable"]
    peers: tuple[PeerServer, ...]
    fresh: bool
    doubtful: bool
    now: float
    pinned_since: float
    region_moved_at: float
    drain_until: float
    writes_arrived: Callable[[str], bool]
    policy: Policy
    chance: Chance

    def peer(self, id_: str) -> PeerServer | None:
        """Return a server of the roster."""
        return next((each for each in self.peers if each.id == id_), None)

    def state(self, id_: str) -> Liveness:
        """Return a server's state; one that the roster no longer has is gone."""
        found = self.peer(id_)
        return found.state if found else "left"

    def region(self, id_: str) -> str:
        """Return a server's region, "" where the roster does not have it."""
        found = self.peer(id_)
        return found.region if found else ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The rule that answered, and the server that the client belongs to from now on ("": to none, it must
    log in)."""

    rule: str
    server_id: str


Rule = Callable[[Situation], Decision | Situation | None]
"""Answers; or goes on, with another view of the situation where it returns one."""


def decide(situation: Situation) -> Decision:
    """Return the answer of the first rule that has one; nobody moves without."""
    for rule in RULES:
        found = rule(situation)
        if isinstance(found, Decision):
            return found
        situation = found or situation
    return Decision("balance", situation.pinned)


# --- the rules ------------------------------------------------------------------------------------------


def invalid(situation: Situation) -> Decision | None:
    """The token is bad, expired or revoked."""
    return Decision("invalid", "") if situation.standing == "invalid" else None


def reused(situation: Situation) -> Decision | None:
    """The generation was spent with another refreshId."""
    return Decision("reused", "") if situation.standing == "reused" else None


def failover(situation: Situation) -> Decision | None:
    """The locked server is gone, or the client does not reach it: on to one that has its data, else one near
    the client, else any; if nobody is known to be up, this server is: it answers.
    """
    s = situation
    if s.pinned == s.me:  # if it did not answer, it does again
        over = s.reason == "unreachable" and s.state(s.me) == "up"
        return Decision("failover", s.pinned) if over else None
    gone = s.peer(s.pinned) is None or (s.fresh and s.state(s.pinned) in {"down", "left"})
    if not gone and s.reason != "unreachable":
        return None
    up = [each for each in s.peers if each.state == "up" and each.id != s.pinned]
    nearest = _by_region(up, s.region(s.pinned), s.region(s.closest), s.region(s.me))
    roomy = [[each for each in group if each.utilisation < FULL] for group in nearest]
    return Decision("failover", _forced(s, *roomy, *nearest) or _answering(s))


def critical(situation: Situation) -> Decision | None:
    """A task of several steps is going on: it ends where it began, unless that server ends first."""
    s = situation
    if not s.critical or (s.state(s.pinned) == "draining" and s.now >= s.drain_until):
        return None
    return Decision("critical", s.pinned)


def uncertain(situation: Situation) -> Decision | None:
    """Nobody knows how the others are. That this server itself is to end, it knows for sure."""
    s = situation
    if s.pinned == s.me and s.state(s.me) == "draining":
        return None
    unsure = not s.fresh or s.doubtful or s.state(s.pinned) == "unknown"
    return Decision("uncertain", s.pinned) if unsure else None


def drain(situation: Situation) -> Decision | None:
    """The locked server is to end: another of its region, else of another one."""
    s = situation
    if s.state(s.pinned) != "draining":
        return None
    up = _by_region([each for each in s.peers if each.state == "up"], s.region(s.pinned), s.region(s.closest))
    maybe = [each for each in s.peers if each.state in {"unknown", "suspect"}]
    chosen = _forced(s, *up, *_by_region(maybe, s.region(s.pinned), s.region(s.closest)))
    return Decision("drain", chosen or s.pinned)


def no_hint(situation: Situation) -> Situation | None:
    """Whoever is said to be closest is unknown or not up: forget the hint."""
    known = situation.state(situation.closest) == "up"
    return None if known else replace(situation, closest="")


def closer_region(situation: Situation) -> Decision | None:
    """The client is nearer to another region: there, once its writes are there too."""
    s = situation
    closest = s.peer(s.closest)
    if closest is None or closest.region == s.region(s.pinned):
        return None
    may_move = s.now - s.region_moved_at >= REGION_SECONDS and closest.utilisation < FULL
    moves = may_move and s.writes_arrived(closest.region)
    return Decision("closer_region", closest.id if moves else s.pinned)


def balance(situation: Situation) -> Decision | None:
    """The lowest load of the region, without flapping."""
    s = situation
    own = s.peer(s.pinned)
    if own is None or own.state != "up":
        return None
    others = [
        each.candidate
        for each in s.peers
        if each.region == own.region and each.state == "up" and each.id != own.id
    ]
    chosen = policies.balanced(s.policy, own.candidate, others, s.now - s.pinned_since, s.chance)
    return Decision("balance", chosen.id)


RULES: Final[tuple[Rule, ...]] = (
    *(invalid, reused, failover, critical, uncertain, drain, no_hint, closer_region, balance),
)


# --- inside ---------------------------------------------------------------------------------------------


def newcomer(situation: Situation) -> str:
    """Return where a client that logs in goes: to a server of this one's region, never to one that ends."""
    s = situation
    if not s.fresh and s.state(s.me) == "up":
        return s.me
    home = s.region(s.me)
    up = [each for each in s.peers if each.state == "up" and (each.region == home or s.state(s.me) != "up")]
    maybe = (
        [each for each in s.peers if each.state in {"unknown", "suspect"}] if s.state(s.me) != "up" else []
    )
    return _forced(s, *_by_region(up, home, ""), *_by_region(maybe, home, "")) or s.me


def _by_region(peers: Sequence[PeerServer], *regions: str) -> list[list[PeerServer]]:
    """Return the peers of each of `regions`, and then the rest."""
    groups = [[each for each in peers if each.region == code] for code in dict.fromkeys(regions)]
    return [*groups, [each for each in peers if each.region not in regions]]


def _forced(situation: Situation, *groups: Sequence[PeerServer]) -> str:
    """Choose in the first group that has anybody, "" where none has."""
    for group in groups:
        if group:
            candidates = [each.candidate for each in group]
            return policies.forced(situation.policy, candidates, situation.chance).id
    return ""


def _answering(situation: Situation) -> str:
    """Return this server, or where the roster no longer has it one that may be up."""
    if situation.peer(situation.me) is not None:
        return situation.me
    maybe = [each for each in situation.peers if each.state in {"unknown", "suspect"}]
    return _forced(situation, maybe) or situation.pinned
