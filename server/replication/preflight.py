"""Checks the requirements for joining regions. Each problem is reported with its fix.

Pure except for `read_facts`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from server.replication import names
from server.replication.node import Node

# Versions are timestamps, and the highest wins. With clocks further apart, older edits would win.
MAX_CLOCK_DIFFERENCE: Final = 60.0
_OLDEST_VERSION: Final = 170_000
# From this version on, PostgreSQL has a separate setting for the number of replication origins.
_ORIGINS_SETTING: Final = 180_000


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about a region's PostgreSQL.

    `clock` is how many seconds its clock is ahead of this computer's, known to ± `clock_error`. `keyed` are
    the tables with a primary key, `schema` the migrations applied, and `sleeping` the triggers that would not
    run for replicated rows. `foreign_slots` counts slots that are not ours.
    """

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
        """Return an integer setting."""
        return int(self.settings.get(name, default))


def read_facts(node: Node) -> Facts:
    """Return the facts of a region. Raises RegionError."""
    # The region reads its clock at some time between these two readings of ours.
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
    """Return a sentence with a fix for each problem that keeps a mesh of `members` regions from working."""
    alone = [f"{each.code}: {problem}" for each in facts for problem in _alone(each, members)]
    return [*alone, *_together(facts)]


def _alone(facts: Facts, members: int) -> Iterator[str]:
    if facts.version < _OLDEST_VERSION:
        yield "PostgreSQL is older than version 17: upgrade it."
        return
    if not facts.schema:
        yield "the database is empty: run `bahi-server migrate` there first."
        return
    yield from _settings(facts)
    yield from _capacity(facts, members)
    yield from _tables(facts)
    yield from _rights(facts)


def _settings(facts: Facts) -> Iterator[str]:
    if facts.settings.get("wal_level") != "logical":
        yield (
            "wal_level is not logical: "
            "set wal_level = logical (on RDS rds.logical_replication = 1) and restart PostgreSQL."
        )
    if facts.number("idle_replication_slot_timeout"):
        yield "idle_replication_slot_timeout would drop the slot of a region that is away: set it to 0."
    if facts.settings.get("server_encoding") != "UTF8":
        yield "the encoding of the database is not UTF-8: create it again with encoding UTF8."
    if not facts.rights["may_quieten"] and _logs_values(facts):
        yield (
            "statements are logged with their values, which may be passwords: "
            "set log_statement = ddl and do not log durations."
        )


def _logs_values(facts: Facts) -> bool:
    durations = facts.number("log_min_duration_statement", -1) == 0
    sampled = float(facts.settings.get("log_transaction_sample_rate", 0)) > 0
    return facts.settings.get("log_statement") == "all" or durations or sampled


def _capacity(facts: Facts, members: int) -> Iterator[str]:
    # Each peer needs a slot and a sender for its subscription, and one more for each table that it copies at
    # the same time. Each subscription here needs a worker, and the copies share some.
    peers = members - 1
    copies = facts.number("max_sync_workers_per_subscription", 2)
    slots = facts.foreign_slots + peers * (1 + copies)
    workers = peers + copies
    origins = (
        "max_active_replication_origins" if facts.version >= _ORIGINS_SETTING else "max_replication_slots"
    )
    needs = {
        "max_replication_slots": slots,
        "max_wal_senders": slots,
        "max_logical_replication_workers": workers,
        "max_worker_processes": workers + 1,
    }
    needs[origins] = max(needs.get(origins, 0), peers * (1 + copies) + 1)  # 1 is for `repair`
    for name, needed in needs.items():
        if facts.number(name) < needed:
            yield (
                f"{name} is {facts.number(name)}, but {members} regions need {needed}: "
                f"set it to {2 * needed} and restart PostgreSQL."
            )


def _tables(facts: Facts) -> Iterator[str]:
    if missing := sorted({table.name for table in names.REPLICATED} - facts.keyed):
        yield f"no primary key on {', '.join(missing)}: run `bahi-server migrate` there."
    # By default, a trigger does not run for rows that a subscription writes.
    if facts.sleeping:
        yield f"{', '.join(facts.sleeping)} would not run for replicated rows: ENABLE ALWAYS TRIGGER."


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
            yield f"{older.code} has another schema than {newer.code}: migrate both with the same version."
    if not facts:
        return
    late, early = min(facts, key=lambda each: each.clock), max(facts, key=lambda each: each.clock)
    apart = early.clock - late.clock
    if apart - early.clock_error - late.clock_error > MAX_CLOCK_DIFFERENCE:
        yield f"The clock of {early.code} is {apart:.0f} s ahead of {late.code}'s: synchronise both by NTP."


_RIGHTS: Final[Mapping[str, str]] = {
    "may_create_roles": "the user may not create roles: ALTER ROLE … CREATEROLE.",
    "may_replicate": "the user may not create slots: ALTER ROLE … REPLICATION (on RDS GRANT rds_superuser).",
    "may_subscribe": "the user may not create subscriptions: GRANT pg_create_subscription TO it.",
    "may_publish": "the user may not create a publication: GRANT CREATE ON DATABASE … TO it.",
    "owns_tables": "the user does not own the tables: use the url of their owner, or GRANT the owner to it.",
}


def describe(found: Sequence[str]) -> str:
    """Return all problems as one text."""
    return "\n  ".join(["Nothing was changed. Fix this first:", *found])
