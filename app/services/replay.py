"""Turns a history into the operations that made it, in an order that another server accepts. Pure.

A change is applied to the version that it was made from (`server/entries/records.py`), so the same calls
with the same ids, in this order, give the same journal at any server.
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
    """One operation: its kind, the body of its call, and the bills that must be uploaded before it."""

    kind: OutboxKind
    op_id: str
    body: Body
    bills: tuple[Document, ...] = ()


def steps_of(history: EntryHistory) -> list[Step]:
    """Return the operations of an entry, each after those that it depends on.

    If only the first part of them is sent, each of these still has the same effect.
    """
    waiting = sorted(history.versions, key=attrgetter("entry.ver", "op_id"))
    state = _ReplayState()
    steps = []
    while waiting:
        version = state.next_of(waiting)
        waiting.remove(version)
        steps.append(_step(version, state.base_of(version)))
        state.add(version)
    return steps


@dataclass(slots=True)
class _ReplayState:
    """What the other server has after the operations so far: versions by `ver`, and ids of bills."""

    tops: dict[int, EntryVersion] = field(default_factory=dict)
    bills: set[str] = field(default_factory=set)

    def base_of(self, version: EntryVersion) -> EntryVersion | None:
        """Return the version that a change would be applied to. Of several with this `ver`, it is the one
        with the highest op_id."""
        return self.tops.get(version.based_on)

    def add(self, version: EntryVersion) -> None:
        """Add a version that has been sent."""
        top = self.tops.setdefault(version.entry.ver, version)
        self.tops[version.entry.ver] = max(top, version, key=attrgetter("op_id"))
        self.bills.update(bill.id for bill in version.documents_added)

    def next_of(self, waiting: list[EntryVersion]) -> EntryVersion:
        """Return the oldest version that can be sent next.

        If none is ready, no server can have accepted this history. Return the oldest one then; the
        comparison of the books' digests will report the difference.
        """
        ready = [version for version in waiting if self._is_ready(version)]
        return next((v for v in ready if not _spoils(v, waiting)), (ready or waiting)[0])

    def _is_ready(self, version: EntryVersion) -> bool:
        # A device with a slow clock may have removed a bill that, by the versions, was added later.
        if any(bill.id not in self.bills for bill in version.documents_removed):
            return False
        base = self.base_of(version)
        return not version.based_on or (base is not None and _gives(base, version))


def _spoils(version: EntryVersion, waiting: list[EntryVersion]) -> bool:
    """Return whether sending `version` now would give a waiting change the wrong base: another version with
    the same `ver`."""
    tied = [v for v in waiting if v.entry.ver == version.entry.ver and v.op_id >= version.op_id]
    based_on_it = (v for v in waiting if v.based_on == version.entry.ver)
    return any(not any(_gives(other, later) for other in tied) for later in based_on_it)


def _kind(base: EntryVersion | None, version: EntryVersion) -> OutboxKind:
    if not version.based_on:
        return OutboxKind.CREATE
    # A void has the time of this version; an edit of a voided entry keeps the time of the earlier void.
    if version.entry.voided_at == version.entry.updated_at:
        return OutboxKind.VOID
    if base is not None and base.entry.voided_at is not None and version.entry.voided_at is None:
        return OutboxKind.RESTORE
    return OutboxKind.EDIT


def _gives(base: EntryVersion, version: EntryVersion) -> bool:
    """Return whether the operation of `version`, applied to `base`, results in `version`."""
    if _kind(base, version) is OutboxKind.EDIT:
        return base.entry.voided_at == version.entry.voided_at
    return _fields(base.entry) == _fields(version.entry)  # a void and a restore do not change the fields


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
