"""The status of each subscription: its state and a sentence, from what both regions say of it.

Pure except for `read_status`.
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
# The values of wal_status that announce the loss of a slot.
_SLOT_AT_RISK: Final = {
    "unreserved": "its slot will be lost soon",
    "extended": "its slot keeps more of the log than max_wal_size",
}


@dataclass(frozen=True, slots=True)
class RegionEnd:
    """What one region says of its subscriptions.

    `received` is by the name of a subscription here, `sent` by the name of a slot here. If the region cannot
    be reached, `away` is the reason.
    """

    code: str
    received: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inventory: RegionInventory | None = None
    away: str = ""

    @property
    def is_member(self) -> bool:
        """Whether the region has a subscription or a slot of the mesh."""
        return bool(self.received or self.sent)


@dataclass(frozen=True, slots=True)
class SubscriptionStatus:
    """The status of the subscription of one ordered pair of regions.

    Errors are counted since PostgreSQL's statistics were last reset. `lag_bytes` is how much of the
    publisher's log the subscriber has not confirmed. `safe_bytes` is how much may be written there before the
    slot is lost (None: no limit).
    """

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
        """The pair as it is shown to the operator."""
        return f"{self.publisher} → {self.subscriber}"


@dataclass(frozen=True, slots=True)
class MeshStatus:
    """The status of the mesh.

    `members` are the codes of the regions that take part. `inventories` has one for each region of the file.
    `away` gives the reason for each region that cannot be reached, by its code.
    """

    members: tuple[str, ...]
    subscriptions: tuple[SubscriptionStatus, ...]
    inventories: tuple[RegionInventory, ...]
    away: Mapping[str, str]

    @property
    def is_well(self) -> bool:
        """Whether there are members and every subscription works."""
        return len(self.members) > 1 and all(
            each.state in {"ok", "copying", "behind"} for each in self.subscriptions
        )

    @property
    def verdict(self) -> str:
        """A sentence on the whole mesh, with what to do, and one for each region that is late with bills."""
        return " ".join(filter(None, (_verdict(self), inventory.late_sentences(self.inventories))))


def read_status(node: Node) -> RegionEnd:
    """Return what a region says of its subscriptions. Raises RegionError."""
    received = {row["subscription"]: row for row in node.named("received")}
    sent = {row["slot"]: row for row in node.named("sent")}
    return RegionEnd(node.code, received, sent, inventory.read_inventory(node))


def judge(ends: Sequence[RegionEnd]) -> MeshStatus:
    """Return the status of the mesh, from what each region says."""
    # A region that cannot be reached is a member if another one has a subscription or slot for it.
    known = [name for end in ends for name in (*end.received, *end.sent)]
    members = [end for end in ends if end.is_member or _is_named(end.code, ends, known)]
    subscriptions = [_judge_pair(one, other) for one in members for other in members if one is not other]
    away = {end.code: end.away for end in ends if end.away}
    inventories = tuple(end.inventory or RegionInventory(end.code) for end in ends)
    return MeshStatus(tuple(end.code for end in members), tuple(subscriptions), inventories, away)


def _is_named(code: str, ends: Sequence[RegionEnd], known: Sequence[str]) -> bool:
    its_names = {names.subscription(code)}
    its_names |= {name for end in ends for name in (names.pair(code, end.code), names.pair(end.code, code))}
    return any(name in its_names for name in known)


def _judge_pair(publisher: RegionEnd, subscriber: RegionEnd) -> SubscriptionStatus:
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
    # The worst first: each check assumes that those before it have passed.
    for end in (publisher, subscriber):
        if end.away:
            return "unreachable", f"{end.code} cannot be reached"
    if not received or not sent:
        return "missing", f"it is incomplete: run `replication join {subscriber.code}`"
    if sent["wal_status"] == "lost":
        why = sent.get("invalidation_reason") or "wal_removed"
        return "broken", f"its slot is lost ({why}): run `replication repair`"
    if not received["enabled"]:
        return "broken", f"it is disabled: run `replication join {subscriber.code}`"
    if not received["running"] or not sent["active"]:
        return "broken", f"it is not running: see the PostgreSQL log of {subscriber.code}"
    return _pace(received, sent)


def _pace(received: Mapping[str, Any], sent: Mapping[str, Any]) -> tuple[State, str]:
    # Checked before the lag, which grows during a first copy.
    if received["copying"]:
        failed = received.get("copy_errors") or 0
        errors = f" ({failed} errors so far; see the PostgreSQL log of the subscriber)" if failed else ""
        return "copying", f"the first copy of {', '.join(received['copying'])} is running{errors}"
    if risk := _SLOT_AT_RISK.get(sent["wal_status"]):
        return "behind", f"{risk}: let the subscriber catch up, or raise max_slot_wal_keep_size"
    if (sent["lag_seconds"] or 0) > BEHIND_SECONDS or (sent["lag_bytes"] or 0) > BEHIND_BYTES:
        return "behind", "it is far behind"
    return "ok", ""


def _verdict(status: MeshStatus) -> str:
    if len(status.members) < 2:
        return "No regions are joined: run `replication join`."
    total = len(status.subscriptions)
    bad = [each for each in status.subscriptions if each.state not in {"ok", "copying"}]
    if bad:
        worst = min(bad, key=lambda each: _WORST_FIRST.index(each.state))
        return f"{len(bad)} of {total} subscriptions need attention; {worst.name}: {worst.sentence}."
    if unfinished := [each for each in status.subscriptions if each.state == "copying"]:
        return f"{len(unfinished)} of {total} subscriptions are still copying existing rows."
    furthest = max(status.subscriptions, key=lambda each: (each.lag_seconds or 0, each.lag_bytes or 0))
    lag = f"{furthest.lag_seconds or 0:.1f} s, {furthest.lag_bytes or 0} bytes"
    return f"All {total} subscriptions work; the furthest behind is {furthest.name} ({lag})."


_WORST_FIRST: Final[tuple[State, ...]] = ("broken", "missing", "unreachable", "behind", "copying", "ok")
