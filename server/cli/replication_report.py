"""Formats the status of a mesh, as text or JSON, for `bahi-server replication`. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from server.cli.roster_table import columns
from server.replication import units
from server.replication.comparator import Comparison
from server.replication.inventory import RegionInventory
from server.replication.status import MeshStatus, SubscriptionStatus
from server.replication.verify import Verification

# How many differences are printed, and how many on the screen of `--watch`.
_MAX_DIFFERENCES: Final = 20
_MAX_WATCHED: Final = 3


def show_status(status: MeshStatus, before: MeshStatus | None = None) -> str:
    """Return a table of subscriptions, a table of regions, and the verdict.

    A + marks errors that are new since `before`.
    """
    old = {(each.publisher, each.subscriber): each for each in before.subscriptions} if before else {}
    rows: list[tuple[str, ...]] = [("SUBSCRIPTION", "STATE", "SLOT", "LAG", "BYTES", "ERRORS", "NOTE")]
    rows += [_row(each, old.get((each.publisher, each.subscriber))) for each in status.subscriptions]
    away = "".join(f"{code}: {why}\n" for code, why in status.away.items())
    parts = [columns(rows)] if status.subscriptions else []
    return "\n".join([*parts, _inventory(status.inventories), away + status.verdict + "\n"])


def show_compared(compared: Comparison | None) -> str:
    """Return the result of the last comparison, or that the first one is running."""
    if compared is None:
        return "Comparing the regions for the first time.\n"
    ago, found = f"{units.span(compared.seconds_ago)} ago", compared.found
    if found is None:
        return f"Comparison failed {ago}: {compared.why}\n"
    if found.are_equal:
        journal = max(found.rows["journal"].values())
        return f"Compared {ago}: {', '.join(found.regions)} are equal ({journal:,} rows of the journal).\n"
    lines = [f"Compared {ago}: the regions differ; run `bahi-server replication repair`.", *_late(found)]
    return "\n".join([*lines, *_differences(found, _MAX_WATCHED)]) + "\n"


def status_json(status: MeshStatus, compared: Comparison | None = None) -> str:
    """Return the status of the mesh as JSON."""
    # Programs of the operator read these keys, so they do not follow the names of the fields.
    values = {
        "members": status.members,
        "links": msgspec.to_builtins(status.subscriptions),
        "held": msgspec.to_builtins(status.inventories),
        "away": status.away,
        "well": status.is_well,
        "verdict": status.verdict,
    }
    return _json({**values, "compared": _compared(compared)})


def show_verification(found: Verification) -> str:
    """Return a table of the rows in each table of each region, the differences, and the verdict."""
    rows: list[tuple[str, ...]] = [("TABLE", *found.regions)]
    rows += [(name, *(str(counts[code]) for code in found.regions)) for name, counts in found.rows.items()]
    differences = _differences(found, _MAX_DIFFERENCES)
    lines = [columns(rows), *differences, *_late(found), _verdict(found), *_left_out(found)]
    return "\n".join(lines) + "\n"


def verification_json(found: Verification) -> str:
    """Return the result of a comparison as JSON."""
    return _json({**msgspec.to_builtins(found), "equal": found.is_well})


def _row(now: SubscriptionStatus, before: SubscriptionStatus | None) -> tuple[str, ...]:
    errors = now.apply_errors + now.copy_errors
    has_new = before is not None and errors > before.apply_errors + before.copy_errors
    lag = f"{now.lag_seconds:.1f} s" if now.lag_seconds is not None else "-"
    size = units.size(now.lag_bytes) if now.lag_bytes is not None else "-"
    return (
        *(now.name, now.state, now.wal_status or "-", lag, size),
        *(f"{errors}+" if has_new else str(errors), now.sentence),
    )


def _inventory(inventories: Iterable[RegionInventory]) -> str:
    rows = [("REGION", "JOURNAL", "BILLS TO COPY", "OLDEST")]
    return columns([*rows, *(_inventory_row(each) for each in inventories)])


def _inventory_row(each: RegionInventory) -> tuple[str, str, str, str]:
    journal = "-" if each.journal is None else ("about " if each.is_estimate else "") + f"{each.journal:,}"
    bills = "-"
    if each.bills_to_copy is not None and each.bytes_to_copy is not None:
        bills = f"{each.bills_to_copy:,} ({units.size(each.bytes_to_copy)})" if each.bills_to_copy else "0"
    oldest = "-" if each.oldest_seconds is None else units.span(each.oldest_seconds)
    return each.code, journal, bills, oldest


def _compared(compared: Comparison | None) -> object:
    if compared is None:
        return None
    found = compared.found and {**msgspec.to_builtins(compared.found), "equal": compared.found.are_equal}
    return {"seconds_ago": compared.seconds_ago, "found": found, "why": compared.why}


def _late(found: Verification) -> list[str]:
    late = f"Not caught up in time: {', '.join(found.late)}; the differences may still be in transit."
    return [late] if found.late else []


def _differences(found: Verification, limit: int) -> list[str]:
    by_part: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for difference in found.differences:
        part = by_part[difference.row_slice[:3]]
        part["(unlike)"] += difference.unlike  # no region code contains a parenthesis
        for code, number in difference.missing.items():
            part[code] += number
    lines = [_part(*key, counts) for key, counts in by_part.items()]
    rest = [f"… and {len(lines) - limit} more parts of books"] if len(lines) > limit else []
    return lines[:limit] + rest


def _part(table: str, book_id: str, bucket: str, counts: Mapping[str, int]) -> str:
    lacks = [
        f"{code} lacks {number}" for code, number in sorted(counts.items()) if number and code != "(unlike)"
    ]
    unlike = [f"{counts['(unlike)']} rows have different contents"] if counts["(unlike)"] else []
    when = f", {bucket}" if bucket else ""
    return f"{table}, book {book_id}{when}: {', '.join([*lacks, *unlike])}"


def _left_out(found: Verification) -> list[str]:
    left_out = f"Not reached: {', '.join(found.left_out)}. Run this command again when it is back."
    return [left_out] if found.left_out else []


def _verdict(found: Verification) -> str:
    if len(found.regions) == 1:
        return f"{found.regions[0]} is the only member left and has all rows."
    if found.are_equal:
        # The rows were counted before those in transit had arrived.
        counts_differ = any(len(set(counts.values())) > 1 for counts in found.rows.values())
        note = " (numbers that differ are of rows that have arrived since)" if counts_differ else ""
        return f"{', '.join(found.regions)} are equal{note}."
    return "The regions differ; run `bahi-server replication repair`."


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
