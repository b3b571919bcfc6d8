"""What the operator reads of a mesh: tables of text, or the same as JSON. Pure."""

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

_MOST: Final = 20
_MOST_WATCHED: Final = 3


def show_status(status: MeshStatus, before: MeshStatus | None = None) -> str:
    """Return the links of a mesh, and what its regions hold; errors that are new since `before` are marked
    with a +."""
    old = {(link.publisher, link.subscriber): link for link in before.subscriptions} if before else {}
    rows: list[tuple[str, ...]] = [("LINK", "STATE", "SLOT", "LAG", "BYTES", "ERRORS", "WHAT")]
    rows += [_row(link, old.get((link.publisher, link.subscriber))) for link in status.subscriptions]
    away = "".join(f"{code}: {why}\n" for code, why in status.away.items())
    parts = [columns(rows)] if status.subscriptions else []
    return "\n".join([*parts, _inventory(status.inventories), away + status.verdict + "\n"])


def show_compared(compared: Comparison | None) -> str:
    """Return what a comparison found, or that there was none yet."""
    if compared is None:
        return "Comparing the regions for the first time.\n"
    ago, found = f"{units.span(compared.seconds_ago)} ago", compared.found
    if found is None:
        return f"Not compared {ago}: {compared.why}\n"
    if found.are_equal:
        journal = max(found.rows["journal"].values())
        return f"Compared {ago}: {', '.join(found.regions)} are equal ({journal:,} rows of the journal).\n"
    lines = [f"Compared {ago}: they differ: run `bahi-server replication repair`.", *_late(found)]
    return "\n".join([*lines, *_differences(found, _MOST_WATCHED)]) + "\n"


def status_json(status: MeshStatus, compared: Comparison | None = None) -> str:
    """Return the same for a program."""
    values = {**msgspec.to_builtins(status), "well": status.is_well, "verdict": status.verdict}
    return _json({**values, "compared": _compared(compared)})


def show_verification(found: Verification) -> str:
    """Return how many rows each table has at each region, and where they differ."""
    rows: list[tuple[str, ...]] = [("TABLE", *found.regions)]
    rows += [(name, *(str(counts[code]) for code in found.regions)) for name, counts in found.rows.items()]
    lines = [columns(rows), *_differences(found, _MOST), *_late(found), _verdict(found), *_left_out(found)]
    return "\n".join(lines) + "\n"


def verification_json(found: Verification) -> str:
    """Return the same for a program."""
    return _json({**msgspec.to_builtins(found), "equal": found.is_well})


def _row(link: SubscriptionStatus, before: SubscriptionStatus | None) -> tuple[str, ...]:
    errors = link.apply_errors + link.copy_errors
    fresh = before is not None and errors > before.apply_errors + before.copy_errors
    lag = f"{link.lag_seconds:.1f} s" if link.lag_seconds is not None else "-"
    size = units.size(link.lag_bytes) if link.lag_bytes is not None else "-"
    return (
        *(link.name, link.state, link.wal_status or "-", lag, size),
        *(f"{errors}+" if fresh else str(errors), link.sentence),
    )


def _inventory(held: Iterable[RegionInventory]) -> str:
    rows = [("REGION", "JOURNAL", "BILLS TO COPY", "OLDEST")]
    return columns([*rows, *(_stock(each) for each in held)])


def _stock(held: RegionInventory) -> tuple[str, str, str, str]:
    journal = "-" if held.journal is None else ("about " if held.is_estimate else "") + f"{held.journal:,}"
    bills = "-"
    if held.bills_to_copy is not None and held.bytes_to_copy is not None:
        bills = f"{held.bills_to_copy:,} ({units.size(held.bytes_to_copy)})" if held.bills_to_copy else "0"
    oldest = "-" if held.oldest_seconds is None else units.span(held.oldest_seconds)
    return held.code, journal, bills, oldest


def _compared(compared: Comparison | None) -> object:
    if compared is None:
        return None
    found = compared.found and {**msgspec.to_builtins(compared.found), "equal": compared.found.are_equal}
    return {"seconds_ago": compared.seconds_ago, "found": found, "why": compared.why}


def _late(found: Verification) -> list[str]:
    late = f"Not in time: {', '.join(found.late)}; what differs may be under way still."
    return [late] if found.late else []


def _differences(found: Verification, most: int) -> list[str]:
    by_part: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for difference in found.differences:
        part = by_part[difference.place[:3]]
        part["(unlike)"] += difference.unlike
        for code, number in difference.missing.items():
            part[code] += number
    lines = [_part(*key, counts) for key, counts in by_part.items()]
    rest = [f"… and {len(lines) - most} more parts of books"] if len(lines) > most else []
    return lines[:most] + rest


def _part(table: str, book_id: str, bucket: str, counts: Mapping[str, int]) -> str:
    lacks = [
        f"{code} lacks {number}" for code, number in sorted(counts.items()) if number and code != "(unlike)"
    ]
    unlike = [f"{counts['(unlike)']} rows are not the same"] if counts["(unlike)"] else []
    when = f", {bucket}" if bucket else ""
    return f"{table}, book {book_id}{when}: {', '.join([*lacks, *unlike])}"


def _left_out(found: Verification) -> list[str]:
    left_out = f"Not asked: {', '.join(found.left_out)}. Do this again once it is back."
    return [left_out] if found.left_out else []


def _verdict(found: Verification) -> str:
    if len(found.regions) == 1:
        return f"{found.regions[0]} has all that there is."
    if found.are_equal:
        counts_differ = any(len(set(counts.values())) > 1 for counts in found.rows.values())
        under_way = " (where numbers differ, rows were under way, and have arrived)" if counts_differ else ""
        return f"{', '.join(found.regions)} are equal{under_way}."
    return "They differ: run `bahi-server replication repair`."


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
