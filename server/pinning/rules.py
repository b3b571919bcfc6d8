"""The rules that decide at a token refresh to which server a session is pinned.

`RULES` is an ordered list; the first rule with an answer decides. Pure: clock, randomness and the state of
the other servers are arguments.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from server.contract.cluster import Liveness
from server.pinning import policies
from server.pinning.policies import FULL, Candidate, Chance, Policy

# The result of checking a refresh token. `invalid`: damaged, expired or revoked. `reused`: its generation was
# used with two different refresh ids, so somebody else has a copy of the token.
Standing = Literal["good", "invalid", "reused"]
# A session changes to a closer region at most once in this time, so that it does not move back and forth.
REGION_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class PeerServer:
    """A server of the roster as the server that answers the refresh sees it."""

    id: str
    region: str
    state: Liveness
    utilisation: float = policies.ASSUMED

    @property
    def candidate(self) -> Candidate:
        """What the policies need to know of the server."""
        return Candidate(self.id, self.utilisation)


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a decision depends on. Times are in seconds since 1970.

    `me` is the server that answers the refresh, `pinned` the server that the session is pinned to, `closest`
    the server that `/closestToMe` named ("" if it did not answer). `fresh` says that the states of `peers`
    are up to date, `doubtful` that discovery suspects its own network. If the pinned server is draining, it
    stops at `drain_until`, even if sessions are left there.
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
        """Return a server of the roster, or None if it is not in the roster."""
        return next((each for each in self.peers if each.id == id_), None)

    def state(self, id_: str) -> Liveness:
        """Return a server's state; `left` if it is not in the roster."""
        found = self.peer(id_)
        return found.state if found else "left"

    def region(self, id_: str) -> str:
        """Return a server's region, or "" if it is not in the roster."""
        found = self.peer(id_)
        return found.region if found else ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The name of the rule that decided, and the server to which the session is pinned from now on.

    `server_id` is "" if the client must log in again.
    """

    rule: str
    server_id: str


# Returns a decision, None to pass to the next rule, or a changed situation for the following rules.
Rule = Callable[[Situation], Decision | Situation | None]


def decide(situation: Situation) -> Decision:
    """Return the decision of the first rule that has one; without one, the session stays where it is."""
    for rule in RULES:
        found = rule(situation)
        if isinstance(found, Decision):
            return found
        situation = found or situation
    return Decision("balance", situation.pinned)


# --- the rules ------------------------------------------------------------------------------------------


def invalid(situation: Situation) -> Decision | None:
    """The token is damaged, expired or revoked: the client must log in."""
    return Decision("invalid", "") if situation.standing == "invalid" else None


def reused(situation: Situation) -> Decision | None:
    """The generation was used with another refresh id too: the client must log in."""
    return Decision("reused", "") if situation.standing == "reused" else None


def failover(situation: Situation) -> Decision | None:
    """The pinned server is gone, or the client cannot reach it: pin the session to another server.

    Servers of the same region are preferred, because they have all of its data. Then follow servers of the
    region closest to the client, of this server's region, and all others. If none is known to be up, it is
    this server, which evidently answers.
    """
    s = situation
    # The client could not reach this server before, but it reaches it now.
    if s.pinned == s.me:
        is_back = s.reason == "unreachable" and s.state(s.me) == "up"
        return Decision("failover", s.pinned) if is_back else None
    gone = s.peer(s.pinned) is None or (s.fresh and s.state(s.pinned) in {"down", "left"})
    if not gone and s.reason != "unreachable":
        return None
    up = [each for each in s.peers if each.state == "up" and each.id != s.pinned]
    nearest = _by_region(up, s.region(s.pinned), s.region(s.closest), s.region(s.me))
    with_room = [[each for each in group if each.utilisation < FULL] for group in nearest]
    return Decision("failover", _forced(s, *with_room, *nearest) or _answering(s))


def critical(situation: Situation) -> Decision | None:
    """A task of several calls is running: the session stays until it ends, or until a drain is over."""
    s = situation
    if not s.critical or (s.state(s.pinned) == "draining" and s.now >= s.drain_until):
        return None
    return Decision("critical", s.pinned)


def uncertain(situation: Situation) -> Decision | None:
    """The states of the servers are not known, or not to be trusted: the session stays where it is."""
    s = situation
    # That this server itself is draining is certain.
    if s.pinned == s.me and s.state(s.me) == "draining":
        return None
    unsure = not s.fresh or s.doubtful or s.state(s.pinned) == "unknown"
    return Decision("uncertain", s.pinned) if unsure else None


def drain(situation: Situation) -> Decision | None:
    """The pinned server is draining: choose another one of its region, or else of another region."""
    s = situation
    if s.state(s.pinned) != "draining":
        return None
    up = _by_region([each for each in s.peers if each.state == "up"], s.region(s.pinned), s.region(s.closest))
    maybe = [each for each in s.peers if each.state in {"unknown", "suspect"}]
    chosen = _forced(s, *up, *_by_region(maybe, s.region(s.pinned), s.region(s.closest)))
    return Decision("drain", chosen or s.pinned)


def no_hint(situation: Situation) -> Situation | None:
    """The closest server is unknown or not up: ignore it in the following rules."""
    known = situation.state(situation.closest) == "up"
    return None if known else replace(situation, closest="")


def closer_region(situation: Situation) -> Decision | None:
    """The client is closer to another region: move there, once everything that it wrote is there too."""
    s = situation
    closest = s.peer(s.closest)
    if closest is None or closest.region == s.region(s.pinned):
        return None
    may_move = s.now - s.region_moved_at >= REGION_SECONDS and closest.utilisation < FULL
    moves = may_move and s.writes_arrived(closest.region)
    return Decision("closer_region", closest.id if moves else s.pinned)


def balance(situation: Situation) -> Decision | None:
    """Choose a less loaded server of the region, as the policy says."""
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
    """Return the server for a new session: one of this server's region, and never a draining one."""
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
    """Return the peers grouped by region: first those of `regions` in this order, last all others."""
    groups = [[each for each in peers if each.region == code] for code in dict.fromkeys(regions)]
    return [*groups, [each for each in peers if each.region not in regions]]


def _forced(situation: Situation, *groups: Sequence[PeerServer]) -> str:
    """Choose from the first group that is not empty; return "" if all are."""
    for group in groups:
        if group:
            candidates = [each.candidate for each in group]
            return policies.forced(situation.policy, candidates, situation.chance).id
    return ""


def _answering(situation: Situation) -> str:
    """Return this server; if it is not in the roster any more, a server that may be up."""
    if situation.peer(situation.me) is not None:
        return situation.me
    maybe = [each for each in situation.peers if each.state in {"unknown", "suspect"}]
    return _forced(situation, maybe) or situation.pinned
