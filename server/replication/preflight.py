"""What must hold before regions are joined, and the fix of each thing that does not. Pure but for `look`."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from server.replication import names
from server.replication.node import Node

MOST_SECONDS_APART: Final = 60.0
_OLDEST: Final = 170_000
_TOLD_ORIGINS: Final = 180_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What a region's PostgreSQL says of itself. `clock` is how far it is ahead of this computer (s), known
    to ± `clock_error`; `schema` is what it was migrated by, `sleeping` its triggers that would not run."""

    code: str
    version: int
    settings: Mapping[str, str]
    clock: float
    clock_error: float
    foreign_slots: int
    keyed: frozenset[str]
    sleeping: tuple[str, ...]
    schema: tuple[tuple[int, str, str], ...]
    rights: Mapping[str, bool]

    def number(self, name: str, default: int = 0) -> int:
        """Return a setting that is a whole number."""
        return int(self.settings.get(name, default))


def read_facts(node: Node) -> Facts:
    """Ask a region for its facts. Raises RegionError."""
    began = time.time()
    (found,) = node.named("facts")
    ended = time.time()
    schema = node.rows("migrations") if found["is_migrated"] else []
    return Facts(
        code=node.code,
        version=found["version"],
        settings=found["settings"],
        clock=found["clock"] - (began + ended) / 2,
        clock_error=(ended - began) / 2,
        foreign_slots=found["foreign_slots"],
        keyed=frozenset(found["keyed"]),
        sleeping=tuple(found["sleeping"]),
        schema=tuple(schema),
        rights={name: bool(found[name]) for name in (*_RIGHTS, "may_quieten", "is_superuser")},
    )


def problems(facts: Sequence[Facts], members: int) -> list[str]:
    """Return a sentence with its fix for each thing that keeps a mesh of `members` from working."""
    alone = [f"{each.code}: {problem}" for each in facts for problem in _alone(each, members)]
    return [*alone, *_together(facts)]


def _alone(facts: Facts, members: int) -> Iterator[str]:
    if facts.version < _OLDEST:
        yield "it runs PostgreSQL older than 17: upgrade it."
        return
    if not facts.schema:
        yield "its database is empty: run `bahi-server migrate` there first."
        return
    yield from _settings(facts)
    yield from _room(facts, members)
    yield from _tables(facts)
    yield from _rights(facts)


def _settings(facts: Facts) -> Iterator[str]:
    if facts.settings.get("wal_level") != "logical":
        yield (
            "wal_level is not logical: "
            "set wal_level = logical (on RDS rds.logical_replication = 1) and restart it."
        )
    if facts.number("idle_replication_slot_timeout"):
        yield "idle_replication_slot_timeout would end the link to a region that is away: set it to 0."
    if facts.settings.get("server_encoding") != "UTF8":
        yield "its database is not in UTF-8: make it anew with encoding UTF8."
    if not facts.rights["may_quieten"] and _logs_values(facts):
        yield "it logs the values of statements, passwords too: set log_statement = ddl, log no durations."


def _logs_values(facts: Facts) -> bool:
    durations = facts.number("log_min_duration_statement", -1) == 0
    sampled = float(facts.settings.get("log_transaction_sample_rate", 0)) > 0
    return facts.settings.get("log_statement") == "all" or durations or sampled


def _room(facts: Facts, members: int) -> Iterator[str]:
    peers = members - 1
    copies = facts.number("max_sync_workers_per_subscription", 2)
    slots = facts.foreign_slots + peers * (1 + copies)
    workers = peers + copies
    origins = "max_active_replication_origins" if facts.version >= _TOLD_ORIGINS else "max_replication_slots"
    needs = {
        "max_replication_slots": slots,
        "max_wal_senders": slots,
        "max_logical_replication_workers": workers,
        "max_worker_processes": workers + 1,
    }
    needs[origins] = max(needs.get(origins, 0), peers * (1 + copies) + 1)  # and that of `repair`
    for name, needed in needs.items():
        if facts.number(name) < needed:
            yield (
                f"{name} is {facts.number(name)} and {members} regions need {needed}: "
                f"set it to {2 * needed} and restart it."
            )


def _tables(facts: Facts) -> Iterator[str]:
    if missing := sorted({table.name for table in names.REPLICATED} - facts.keyed):
        yield f"{', '.join(missing)} without a primary key: run `bahi-server migrate` there."
    if facts.sleeping:
        yield f"{', '.join(facts.sleeping)} would not run for what arrives: ENABLE ALWAYS TRIGGER."


def _rights(facts: Facts) -> Iterator[str]:
    if facts.rights["is_superuser"]:
        return
    for name, fix in _RIGHTS.items():
        if not facts.rights[name]:
            yield fix


def _together(facts: Sequence[Facts]) -> Iterator[str]:
    for one, other in pairwise(facts):
        if one.schema and other.schema and one.schema != other.schema:
            older, newer = sorted((one, other), key=lambda each: len(each.schema))
            yield f"{older.code} has another schema than {newer.code}: migrate both with one version."
    if not facts:
        return
    late, early = min(facts, key=lambda each: each.clock), max(facts, key=lambda each: each.clock)
    apart = early.clock - late.clock
    if apart - early.clock_error - late.clock_error > MOST_SECONDS_APART:
        yield f"The clock of {early.code} is {apart:.0f} s ahead of {late.code}'s: let both follow NTP."


_RIGHTS: Final[Mapping[str, str]] = {
    "may_create_roles": "its user may make no roles: ALTER ROLE … CREATEROLE.",
    "may_replicate": "its user may make no slots: ALTER ROLE … REPLICATION (on RDS GRANT rds_superuser).",
    "may_subscribe": "its user may make no subscriptions: GRANT pg_create_subscription TO it.",
    "may_publish": "its user may make no publication: GRANT CREATE ON DATABASE … TO it.",
    "owns_tables": "its user does not own the tables: give the url of their owner, or GRANT the owner to it.",
}


def describe(found: Sequence[str]) -> str:
    """Return all problems as one text."""
    return "\n  ".join(["Nothing was changed. First:", *found])
