"""How each link is: what both of its ends say, and one word and one sentence for it. Pure but for `look`.

What each region holds and lacks is shown beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from server.replication import inventory, names
from server.replication.inventory import RegionInventory
from server.replication.node import Node

State = Literal["ok", "copying", "behind", "broken", "missing", "unreachable"]
BEHIND_SECONDS: Final = 60.0
BEHIND_BYTES: Final = 64 * 1024 * 1024
_NEAR_THE_END: Final = {"unreserved": "soon", "extended": "while it lasts"}


@dataclass(frozen=True, slots=True)
class RegionEnd:
    """What one region says: `received` by subscription, `sent` by slot; "" or why it cannot be asked."""

    code: str
    received: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inventory: RegionInventory | None = None
    away: str = ""

    @property
    def is_member(self) -> bool:
        """Whether it has a part in the mesh."""
        return bool(self.received or self.sent)


@dataclass(frozen=True, slots=True)
class SubscriptionStatus:
    """One ordered pair. Errors are counted since PostgreSQL's statistics were last reset; `lag_bytes` are of
    the publisher's log, `safe_bytes` what may be written there before the slot is lost (None: no bound)."""

    publisher: str
    subscriber: str
    state: State
    sentence: str = ""
    enabled: bool = False
    running: bool = False
    active: bool = False
    copying: tuple[str, ...] = ()
    wal_status: str = ""
    safe_bytes: int | None = None
    lag_bytes: int | None = None
    lag_seconds: float | None = None
    apply_errors: int = 0
    copy_errors: int = 0
    conflicts: int = 0

    @property
    def name(self) -> str:
        """How a person is told of it."""
        return f"{self.publisher} → {self.subscriber}"


@dataclass(frozen=True, slots=True)
class MeshStatus:
    """`members` take part; `held` is of every region; `away` is why one cannot be asked, by its code."""

    members: tuple[str, ...]
    subscriptions: tuple[SubscriptionStatus, ...]
    inventories: tuple[RegionInventory, ...]
    away: Mapping[str, str]

    @property
    def is_well(self) -> bool:
        """Whether every link carries what is written."""
        return len(self.members) > 1 and all(
            link.state in {"ok", "copying", "behind"} for link in self.subscriptions
        )

    @property
    def verdict(self) -> str:
        """All of it in one sentence, with what to do; one more for each region that is late with bills."""
        return " ".join(filter(None, (_verdict(self), inventory.late_sentences(self.inventories))))


def read_status(node: Node) -> RegionEnd:
    """Ask one region. Raises RegionError."""
    received = {row["subscription"]: row for row in node.named("received")}
    sent = {row["slot"]: row for row in node.named("sent")}
    return RegionEnd(node.code, received, sent, inventory.read_inventory(node))


def judge(ends: Sequence[RegionEnd]) -> MeshStatus:
    """Return how all links are. A region that is away is a member where another has links with it."""
    known = [name for end in ends for name in (*end.received, *end.sent)]
    members = [end for end in ends if end.is_member or _is_named(end.code, ends, known)]
    links = [_link(one, other) for one in members for other in members if one is not other]
    away = {end.code: end.away for end in ends if end.away}
    stocks = tuple(end.inventory or RegionInventory(end.code) for end in ends)
    return MeshStatus(tuple(end.code for end in members), tuple(links), stocks, away)


def _is_named(code: str, ends: Sequence[RegionEnd], known: Sequence[str]) -> bool:
    ours = {names.subscription(code)}
    ours |= {name for end in ends for name in (names.pair(code, end.code), names.pair(end.code, code))}
    return any(name in ours for name in known)


def _link(publisher: RegionEnd, subscriber: RegionEnd) -> SubscriptionStatus:
    received = subscriber.received.get(names.subscription(publisher.code), {})
    sent = publisher.sent.get(names.pair(publisher.code, subscriber.code), {})
    state, sentence = _state(publisher, subscriber, received, sent)
    return SubscriptionStatus(
        publisher=publisher.code,
        subscriber=subscriber.code,
        state=state,
        sentence=sentence,
        enabled=received.get("enabled", False),
        running=received.get("running", False),
        active=sent.get("active", False),
        copying=tuple(received.get("copying", ())),
        wal_status=sent.get("wal_status", ""),
        safe_bytes=sent.get("safe_wal_size"),
        lag_bytes=sent.get("lag_bytes"),
        lag_seconds=sent.get("lag_seconds"),
        apply_errors=received.get("apply_errors") or 0,
        copy_errors=received.get("copy_errors") or 0,
        conflicts=received.get("conflicts") or 0,
    )


def _state(
    publisher: RegionEnd, subscriber: RegionEnd, received: Mapping[str, Any], sent: Mapping[str, Any]
) -> tuple[State, str]:
    for end in (publisher, subscriber):
        if end.away:
            return "unreachable", f"{end.code} is away"
    if not received or not sent:
        return "missing", f"half of it is not there: run `replication join {subscriber.code}`"
    if sent["wal_status"] == "lost":
        why = sent.get("invalidation_reason") or "wal_removed"
        return "broken", f"its slot is lost ({why}): run `replication repair`"
    if not received["enabled"]:
        return "broken", f"it is disabled: run `replication join {subscriber.code}`"
    if not received["running"] or not sent["active"]:
        return "broken", f"nothing is carried now: look into the PostgreSQL log of {subscriber.code}"
    return _pace(received, sent)


def _pace(received: Mapping[str, Any], sent: Mapping[str, Any]) -> tuple[State, str]:
    if received["copying"]:
        failed = received.get("copy_errors") or 0
        errors = f" ({failed} errors so far: the PostgreSQL log of the subscriber has them)" if failed else ""
        return "copying", f"the first copy of {', '.join(received['copying'])} is under way{errors}"
    if until := _NEAR_THE_END.get(sent["wal_status"]):
        return (
            "behind",
            f"its slot is kept {until}: let the subscriber catch up, or raise max_slot_wal_keep_size",
        )
    if (sent["lag_seconds"] or 0) > BEHIND_SECONDS or (sent["lag_bytes"] or 0) > BEHIND_BYTES:
        return "behind", "it is far behind"
    return "ok", ""


def _verdict(status: MeshStatus) -> str:
    if len(status.members) < 2:
        return "No regions are joined: run `replication join`."
    bad = [link for link in status.subscriptions if link.state not in {"ok", "copying"}]
    if bad:
        worst = min(bad, key=lambda link: _WORST.index(link.state))
        return f"{len(bad)} of {len(status.subscriptions)} links need care; {worst.name}: {worst.sentence}."
    if copying := [link for link in status.subscriptions if link.state == "copying"]:
        return f"{len(copying)} of {len(status.subscriptions)} links are still copying what was there before."
    furthest = max(status.subscriptions, key=lambda link: (link.lag_seconds or 0, link.lag_bytes or 0))
    lag = f"{furthest.lag_seconds or 0:.1f} s, {furthest.lag_bytes or 0} bytes"
    return f"All {len(status.subscriptions)} links carry; the furthest behind is {furthest.name} ({lag})."


_WORST: Final[tuple[State, ...]] = ("broken", "missing", "unreachable", "behind", "copying", "ok")
