"""A history told as the operations that made it, in an order in which another server can take them. Pure.

What a change writes follows from the version that it was made from (`server/entries/records.py`), so that the
same calls with the same ids, one after the other, leave the same journal at any server.
"""

from dataclasses import dataclass, field
from operator import attrgetter

from app.domain.outbox_item import OutboxKind
from app.remote.translate import new_document
from server.contract.shapes import (
    CreateEntry,
    Document,
    EditEntry,
    Entry,
    EntryHistory,
    EntryVersion,
    VoidEntry,
)

Body = CreateEntry | EditEntry | VoidEntry


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: by which call `body` goes, and the bills whose bytes must be there before it."""

    kind: OutboxKind
    op_id: str
    body: Body
    bills: tuple[Document, ...] = ()


def steps_of(history: EntryHistory) -> list[Step]:
    """Return the operations of an entry, what is needed before what needs it.

    Given in this order, and any number of them left out from the end, each means what it meant.
    """
    waiting = sorted(history.versions, key=attrgetter("entry.ver", "op_id"))
    there = _There()
    steps = []
    while waiting:
        version = there.next_of(waiting)
        waiting.remove(version)
        steps.append(_step(version, there.base_of(version)))
        there.take(version)
    return steps


@dataclass(slots=True)
class _There:
    """What the other server has when so many operations have been sent: `tops` by `ver`, and ids of bills."""

    tops: dict[int, EntryVersion] = field(default_factory=dict)
    bills: set[str] = field(default_factory=set)

    def base_of(self, version: EntryVersion) -> EntryVersion | None:
        """Return what a change would be made from there: of one `ver` the highest op_id."""
        return self.tops.get(version.based_on)

    def take(self, version: EntryVersion) -> None:
        """Note that a version is there now."""
        top = self.tops.setdefault(version.entry.ver, version)
        self.tops[version.entry.ver] = max(top, version, key=attrgetter("op_id"))
        self.bills.update(bill.id for bill in version.documents_added)

    def next_of(self, waiting: list[EntryVersion]) -> EntryVersion:
        """Return the oldest that can go; where none can, no server took them so: the digests will tell."""
        ready = [version for version in waiting if self._is_ready(version)]
        return next((v for v in ready if not _spoils(v, waiting)), (ready or waiting)[0])

    def _is_ready(self, version: EntryVersion) -> bool:
        # A device whose clock is behind takes away a bill that, by its time, comes only later.
        if any(bill.id not in self.bills for bill in version.documents_removed):
            return False
        base = self.base_of(version)
        return not version.based_on or (base is not None and _gives(base, version))


def _spoils(version: EntryVersion, waiting: list[EntryVersion]) -> bool:
    """Say whether something that waits could not be made any more: it was made from another of this `ver`."""
    tied = [v for v in waiting if v.entry.ver == version.entry.ver and v.op_id >= version.op_id]
    made_of_it = (v for v in waiting if v.based_on == version.entry.ver)
    return any(not any(_gives(other, later) for other in tied) for later in made_of_it)


def _kind(base: EntryVersion | None, version: EntryVersion) -> OutboxKind:
    if not version.based_on:
        return OutboxKind.CREATE
    if (
        version.entry.voided_at == version.entry.updated_at
    ):  # a void names its own moment, an edit an older one
        return OutboxKind.VOID
    if base is not None and base.entry.voided_at is not None and version.entry.voided_at is None:
        return OutboxKind.RESTORE
    return OutboxKind.EDIT


def _gives(base: EntryVersion, version: EntryVersion) -> bool:
    """Say whether the operation of `version`, made from `base`, gives what `version` says."""
    if _kind(base, version) is OutboxKind.EDIT:
        return base.entry.voided_at == version.entry.voided_at
    return _fields(base.entry) == _fields(version.entry)  # a void and a restore keep what they find


def _fields(entry: Entry) -> tuple[str, ...]:
    return (
        *(entry.entry_date, entry.amount, entry.cr_dr),
        *(entry.currency, entry.category, entry.description),
    )


def _step(version: EntryVersion, base: EntryVersion | None) -> Step:
    kind, bills = _kind(base, version), tuple(version.documents_added)
    if kind is OutboxKind.CREATE:
        return Step(kind, version.op_id, _create(version), bills)
    if kind is OutboxKind.EDIT:
        return Step(kind, version.op_id, _edit(version), bills)
    return Step(kind, version.op_id, VoidEntry(version.op_id, version.entry.ver, version.based_on))


def _create(version: EntryVersion) -> CreateEntry:
    entry = version.entry
    return CreateEntry(
        op_id=version.op_id,
        ver=entry.ver,
        id=entry.id,
        entry_date=entry.entry_date,
        amount=entry.amount,
        cr_dr=entry.cr_dr,
        category=entry.category,
        description=entry.description,
        human_code=entry.human_code,
        currency=entry.currency,
        documents=[new_document(bill) for bill in version.documents_added],
    )


def _edit(version: EntryVersion) -> EditEntry:
    entry = version.entry
    return EditEntry(
        op_id=version.op_id,
        ver=entry.ver,
        based_on=version.based_on,
        entry_date=entry.entry_date,
        amount=entry.amount,
        cr_dr=entry.cr_dr,
        category=entry.category,
        description=entry.description,
        currency=entry.currency,
        add_documents=[new_document(bill) for bill in version.documents_added],
        remove_documents=[bill.id for bill in version.documents_removed],
    )
