"""The history of an entry, told from its versions. Pure."""

from typing import Literal

from server.contract.shapes import Document, EntryVersion
from server.entries.store import VersionRow, entry_of

Action = Literal["created", "edited", "voided", "restored"]


def versions(rows: list[VersionRow], bills: list[VersionRow]) -> list[EntryVersion]:
    """Return what each version did; `rows` newest first, `bills` oldest first."""
    by_ver = {row.ver: row for row in reversed(rows)}  # of one ver the highest op_id stays, as in a change
    standing_line = _line(rows[0], by_ver)
    return [
        EntryVersion(
            op_id=row.op_id,
            entry=entry_of(row.id, row.ver, row.doc, _count(bills, row)),
            action=_action(row, by_ver.get(row.doc.get("basedOn", 0))),
            author=row.author,
            device=row.device,
            region=row.region,
            stands=row is rows[0],
            superseded=row.op_id not in standing_line,
            documents_added=_bills(bills, row, voided=False),
            documents_removed=_bills(bills, row, voided=True),
            based_on=row.doc.get("basedOn", 0),
        )
        for row in rows
    ]


def _line(standing: VersionRow, by_ver: dict[int, VersionRow]) -> set[str]:
    """Return the operations that led to the standing version; the others lost against one of them."""
    line: set[str] = set()
    row: VersionRow | None = standing
    while row is not None:
        line.add(row.op_id)
        row = by_ver.get(row.doc.get("basedOn", 0))
    return line


def _action(row: VersionRow, base: VersionRow | None) -> Action:
    if "basedOn" not in row.doc:
        return "created"
    was_voided = base is not None and "voidedVer" in base.doc
    is_voided = "voidedVer" in row.doc
    if is_voided != was_voided:
        return "voided" if is_voided else "restored"
    return "edited"


def _bills(bills: list[VersionRow], row: VersionRow, *, voided: bool) -> list[Document]:
    return [
        _document(bill) for bill in bills if bill.op_id == row.op_id and ("voidedVer" in bill.doc) is voided
    ]


def _count(bills: list[VersionRow], row: VersionRow) -> int:
    """Return how many bills the entry had once this version was made."""
    standing = {bill.id: bill for bill in bills if bill.ver <= row.ver}  # oldest first: the last one stays
    return sum("voidedVer" not in bill.doc for bill in standing.values())


def _document(bill: VersionRow) -> Document:
    doc = bill.doc
    return Document(
        bill.id, doc["docCode"], doc["fileName"], doc["mediaType"], doc["byteSize"], doc["sha256"]
    )
