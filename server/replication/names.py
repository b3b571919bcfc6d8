"""What the mesh calls its parts in PostgreSQL, and which tables it carries. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

PUBLICATION: Final = "bahi"
GROUP: Final = "bahi_replication"
"""May read what is published, and nothing else; each pair of regions has a role of its own in it."""
APPLY: Final = "bahi_apply"
"""Owns the subscriptions: what arrives is written with its few rights, never with an administrator's."""
REPAIR: Final = "bahi_repair"
"""The origin of what `repair` writes, so that no subscription sends it on."""

_MOST: Final = 27  # two of them and what stands around them are a name of at most 63 bytes


@dataclass(frozen=True, slots=True)
class Table:
    """One table as it is compared: a row is known by book_id and `key`; `value` (columns) must then be the
    same everywhere. `bucket` is an expression that cuts a book in parts."""

    name: str
    key: tuple[str, ...]
    value: tuple[str, ...] = ()
    bucket: str = "''"


_MONTH: Final = "to_char(public.bahi_instant(t.ver) at time zone 'UTC', 'YYYY-MM')"

# Where and when a copy was accepted (region, server, at) is no part of what must be equal.
REPLICATED: Final = (
    Table("journal", ("op_id", "kind", "id"), ("ver", "doc", "author", "device"), _MONTH),
    Table("refresh_use", ("fam", "gen", "rid_hash")),
    Table("revocation", ("fam",)),
    Table("invite_use", ("jti",)),
)


KIND_OF: Final = {
    "accounting_entry": "entry",
    "accounting_document": "document",
    "app_user": "user",
    "credential": "credential",
    "username_claim": "username",
    "device": "device",
}
"""Which records of the journal a table is merged from, by `public.bahi_merge_…`."""


def merged(name: str, columns: Iterable[str]) -> Table:
    """Return how a table that is merged from the journal is compared; `columns` are those that all have."""
    return Table(name, ("id",), tuple(sorted(set(columns) - {"book_id", "id"})))


def subscription(publisher: str) -> str:
    """Return what a region calls its subscription to `publisher`."""
    return f"bahi_from_{_part(publisher)}"


def pair(publisher: str, subscriber: str) -> str:
    """Return what `publisher` calls the slot of `subscriber`, and the role that it comes with."""
    return f"bahi_{_part(publisher)}_to_{_part(subscriber)}"


def _part(code: str) -> str:
    if len(code) > _MOST:
        code = f"{code[: _MOST - 9]}_{hashlib.sha256(code.encode()).hexdigest()[:8]}"
    return code.replace("-", "_")
