"""What the operator reads of a mesh: tables of text, or the same as JSON. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import msgspec

from server.cluster.table import columns
from server.replication.status import Link, MeshStatus
from server.replication.verify import Verification

_MOST: Final = 20
_UNITS: Final = (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10))


def show_status(status: MeshStatus, before: MeshStatus | None = None) -> str:
    """Return the links of a mesh; errors that are new since `before` are marked with a +."""
    old = {(link.publisher, link.subscriber): link for link in before.links} if before else {}
    rows: list[tuple[str, ...]] = [("LINK", "STATE", "SLOT", "LAG", "BYTES", "ERRORS", "WHAT")]
    rows += [_row(link, old.get((link.publisher, link.subscriber))) for link in status.links]
    away = "".join(f"{code}: {why}\n" for code, why in status.away.items())
    return (columns(rows) if status.links else "") + away + status.verdict + "\n"


def status_json(status: MeshStatus) -> str:
    """Return the same for a program."""
    return _json({**msgspec.to_builtins(status), "well": status.is_well, "verdict": status.verdict})


def show_verification(found: Verification) -> str:
    """Return how many rows each table has at each region, and where they differ."""
    rows: list[tuple[str, ...]] = [("TABLE", *found.regions)]
    rows += [(name, *(str(counts[code]) for code in found.regions)) for name, counts in found.rows.items()]
    late = (
        [f"Not in time: {', '.join(found.late)}; what differs may be under way still."] if found.late else []
    )
    return "\n".join([columns(rows), *_differences(found), *late, _verdict(found)]) + "\n"


def verification_json(found: Verification) -> str:
    """Return the same for a program."""
    return _json({**msgspec.to_builtins(found), "equal": found.are_equal})


def _row(link: Link, before: Link | None) -> tuple[str, ...]:
    errors = link.apply_errors + link.copy_errors
    fresh = before is not None and errors > before.apply_errors + before.copy_errors
    lag = f"{link.lag_seconds:.1f} s" if link.lag_seconds is not None else "-"
    size = _size(link.lag_bytes) if link.lag_bytes is not None else "-"
    return (
        *(link.name, link.state, link.wal_status or "-", lag, size),
        *(f"{errors}+" if fresh else str(errors), link.sentence),
    )


def _size(number: int) -> str:
    for unit, size in _UNITS:
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} B"


def _differences(found: Verification) -> list[str]:
    by_part: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for difference in found.differences:
        part = by_part[difference.place[:3]]
        part["(unlike)"] += difference.unlike
        for code, number in difference.missing.items():
            part[code] += number
    lines = [_part(*key, counts) for key, counts in by_part.items()]
    rest = [f"… and {len(lines) - _MOST} more parts of books"] if len(lines) > _MOST else []
    return lines[:_MOST] + rest


def _part(table: str, book_id: str, bucket: str, counts: Mapping[str, int]) -> str:
    lacks = [
        f"{code} lacks {number}" for code, number in sorted(counts.items()) if number and code != "(unlike)"
    ]
    unlike = [f"{counts['(unlike)']} rows are not the same"] if counts["(unlike)"] else []
    when = f", {bucket}" if bucket else ""
    return f"{table}, book {book_id}{when}: {', '.join([*lacks, *unlike])}"


def _verdict(found: Verification) -> str:
    if found.are_equal:
        counts_differ = any(len(set(counts.values())) > 1 for counts in found.rows.values())
        under_way = " (where numbers differ, rows were under way, and have arrived)" if counts_differ else ""
        return f"{', '.join(found.regions)} are equal{under_way}."
    return "They differ: run `bahi-server replication repair`."


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
