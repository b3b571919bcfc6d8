"""Derives the history of an entry from its versions. Pure."""

from typing import Literal

from server.contract.shapes import Document, EntryVersion
from server.entries.store import VersionRow, entry_of

Action = Literal["created", "edited", "voided", "restored"]


def versions(rows: list[VersionRow], bills: list[VersionRow]) -> list[EntryVersion]:
    """Return what each version did. `rows` are the entry's versions, newest first.

    `bills` are the versions of its bills, oldest first.
    """
    # Two versions may have the same `ver`. The one with the higher op_id wins, as in the merge.
    by_ver = {row.ver: row for row in reversed(rows)}
    ancestors = _ancestors(rows[0], by_ver)
    return [
        EntryVersion(
            op_id=row.op_id,
            entry=entry_of(row.id, row.ver, row.doc, _count(bills, row)),
            action=_action(row, by_ver.get(row.doc.get("basedOn", 0))),
            author=row.author,
            device=row.device,
            region=row.region,
            stands=row is rows[0],
            superseded=row.op_id not in ancestors,
            documents_added=_bills(bills, row, voided=False),
            documents_removed=_bills(bills, row, voided=True),
            based_on=row.doc.get("basedOn", 0),
        )
        for row in rows
    ]


def _ancestors(current: VersionRow, by_ver: dict[int, VersionRow]) -> set[str]:
    """Return the op_ids of the current version and of all versions that it is based on.

    Any other version lost to one of these.
    """
    found: set[str] = set()
    row: VersionRow | None = current
    while row is not None:
        found.add(row.op_id)
        row = by_ver.get(row.doc.get("basedOn", 0))
    return found


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
    """Return the number of bills that the entry had in this version."""
    # `bills` is ordered oldest first, so the newest version of each bill remains in the dict.
    latest = {bill.id: bill for bill in bills if bill.ver <= row.ver}
    return sum("voidedVer" not in bill.doc for bill in latest.values())


def _document(bill: VersionRow) -> Document:
    doc = bill.doc
    return Document(
        bill.id, doc["docCode"], doc["fileName"], doc["mediaType"], doc["byteSize"], doc["sha256"]
    )
