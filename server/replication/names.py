"""The names of the mesh's objects in PostgreSQL, and the tables that are replicated. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

PUBLICATION: Final = "bahi"
# A group role that may only read the published tables. Each pair of regions has a login role in it.
GROUP: Final = "bahi_replication"
# The role that owns the subscriptions. What arrives is written with its few rights, not an administrator's.
APPLY: Final = "bahi_apply"
# The replication origin of rows that `repair` writes. With it, no subscription sends them on.
REPAIR: Final = "bahi_repair"

# A name in PostgreSQL has at most 63 bytes, and the longest one of ours contains two region codes.
_MAX_CODE: Final = 27


@dataclass(frozen=True, slots=True)
class Table:
    """How a table is compared.

    A row is identified by book_id and the columns `key`; the columns `value` must be the same in all regions.
    `bucket` is an SQL expression that divides a book into parts, which are compared one by one.
    """

    name: str
    key: tuple[str, ...]
    value: tuple[str, ...] = ()
    bucket: str = "''"


_MONTH: Final = "to_char(public.bahi_instant(t.ver) at time zone 'UTC', 'YYYY-MM')"

# The columns region, server and at are not compared: one operation may be accepted in two regions.
REPLICATED: Final = (
    Table("journal", ("op_id", "kind", "id"), ("ver", "doc", "author", "device"), _MONTH),
    Table("refresh_use", ("fam", "gen", "rid_hash")),
    Table("revocation", ("fam",)),
    Table("invite_use", ("jti",)),
)


# The kind of journal records that each table is merged from, by a function public.bahi_merge_<kind>.
KIND_OF: Final = {
    "accounting_entry": "entry",
    "accounting_document": "document",
    "app_user": "user",
    "credential": "credential",
    "username_claim": "username",
    "device": "device",
}


def merged(name: str, columns: Iterable[str]) -> Table:
    """Return how to compare a table merged from the journal. `columns` are those that all regions have."""
    return Table(name, ("id",), tuple(sorted(set(columns) - {"book_id", "id"})))


def subscription(publisher: str) -> str:
    """Return the name of a region's subscription to `publisher`."""
    return f"bahi_from_{_part(publisher)}"


def pair(publisher: str, subscriber: str) -> str:
    """Return the name of the slot, and of the role, that `subscriber` has at `publisher`."""
    return f"bahi_{_part(publisher)}_to_{_part(subscriber)}"


def _part(code: str) -> str:
    # A long code is cut off; the hash keeps two codes apart that begin alike.
    if len(code) > _MAX_CODE:
        code = f"{code[: _MAX_CODE - 9]}_{hashlib.sha256(code.encode()).hexdigest()[:8]}"
    return code.replace("-", "_")
