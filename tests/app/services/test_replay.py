"""A history told as operations: sent to another server, whole or in two parts, it is the same journal."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.outbox_item import OutboxKind
from app.services.replay import Body, Step, steps_of
from server.contract.shapes import CreateEntry, EditEntry, EntryHistory, VoidEntry
from server.entries import history, records
from server.entries.records import Doc
from server.entries.store import VersionRow
from server.journal.append import Operation
from tests.support.api import a_document
from tests.support.examples import examples
from tests.support.operations import an_identity, some_fields

WHO: Final = an_identity()
ENTRY: Final = str(UUID(int=7))
START: Final = 1_700_000_000_000_000  # µs


class MissingError(Exception):
    """What an operation needs is not at this server."""


@dataclass
class Journal:
    """The versions of one entry at one server, which makes a change from what it holds (`EntryChanges`)."""

    entries: list[VersionRow] = field(default_factory=list)
    bills: list[VersionRow] = field(default_factory=list)

    def take(self, kind: OutboxKind, body: Body) -> None:
        """Add an operation. Raises MissingError for a base or a bill that is not here."""
        if isinstance(body, CreateEntry):
            self._add(records.create_operation(WHO, body))
            return
        tied = [row for row in self.entries if row.ver == body.based_on]
        if not tied:
            raise MissingError
        base = max(tied, key=lambda row: row.op_id).doc
        if isinstance(body, VoidEntry):
            make = records.void_operation if kind is OutboxKind.VOID else records.restore_operation
            self._add(make(WHO, ENTRY, base, body))
            return
        standing = {row.id: row.doc for row in sorted(self.bills, key=_order)}
        if any(id_ not in standing for id_ in body.remove_documents):
            raise MissingError
        removed = {id_: standing[id_] for id_ in body.remove_documents}
        self._add(records.edit_operation(WHO, ENTRY, base, body, removed))

    def history(self) -> EntryHistory:
        """Return what the server tells of it."""
        newest_first = sorted(self.entries, key=_order, reverse=True)
        return EntryHistory(history.versions(newest_first, sorted(self.bills, key=_order)))

    def rows(self) -> set[tuple[Any, ...]]:
        """Return every row, as a journal compares it."""
        return {(r.op_id, r.id, r.ver, msgspec.json.encode(r.doc)) for r in self.entries + self.bills}

    def _add(self, operation: Operation) -> None:
        for record in operation.records:
            doc: Doc = msgspec.json.decode(record.doc)
            row = VersionRow(str(operation.op_id), str(record.id), operation.ver, doc)
            (self.entries if record.kind == "entry" else self.bills).append(row)


def _order(row: VersionRow) -> tuple[int, str]:
    return row.ver, row.op_id


# --- histories ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Act:
    """A change of the version `base` steps ago, `later` µs after it; `chance` fills it in."""

    kind: OutboxKind
    base: int
    later: int
    chance: int


KINDS: Final = (OutboxKind.EDIT, OutboxKind.EDIT, OutboxKind.VOID, OutboxKind.RESTORE)
ACTS: Final = st.builds(
    Act,
    kind=st.sampled_from(KINDS),
    base=st.integers(0, 3),
    later=st.sampled_from((1, 1, 2, 700_000)),
    chance=st.integers(0, 2**32),
)


def lived(acts: list[Act], may_remove: Callable[[VersionRow, int], bool], *, ties: bool) -> Journal:
    """Return an entry to which `acts` were done."""
    journal, chance = Journal(), random.Random("created")
    bill = a_document().pinned()
    stamp = {"op_id": _op_id(chance), "ver": START}
    journal.take(
        OutboxKind.CREATE,
        CreateEntry(id=ENTRY, human_code="T01-000001", documents=[bill], **stamp, **some_fields(chance)),
    )
    for number, act in enumerate(acts):
        base = journal.entries[-1 - act.base % len(journal.entries)].ver
        ver = base + act.later
        while not ties and ver in {row.ver for row in journal.entries}:
            ver += 1
        _do(journal, act, base, ver, random.Random(f"{number} {act.chance}"), may_remove)
    return journal


def _do(
    journal: Journal,
    act: Act,
    base: int,
    ver: int,
    chance: random.Random,
    may_remove: Callable[[VersionRow, int], bool],
) -> None:
    if act.kind is not OutboxKind.EDIT:
        journal.take(act.kind, VoidEntry(_op_id(chance), ver, base))
        return
    known = [row.id for row in journal.bills if may_remove(row, base)]
    body = EditEntry(
        op_id=_op_id(chance),
        ver=ver,
        based_on=base,
        add_documents=[a_document().pinned() for _ in range(chance.choice((0, 0, 1, 2)))],
        remove_documents=chance.sample(sorted(set(known)), min(len(set(known)), chance.choice((0, 0, 1)))),
        **some_fields(chance),
    )
    journal.take(act.kind, body)


def _op_id(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def replayed(steps: list[Step], journal: Journal | None = None) -> Journal:
    journal = journal or Journal()
    for step in steps:
        journal.take(step.kind, step.body)
    return journal


@settings(max_examples=examples(400), derandomize=True)
@given(acts=st.lists(ACTS, max_size=12), sent=st.integers(0, 12))
def test_versions_with_the_same_ver_are_distinguished_by_later_changes(acts: list[Act], sent: int) -> None:
    before = lived(acts, lambda bill, base: bill.ver <= base, ties=True)
    steps = steps_of(before.history())
    assert replayed(steps).rows() == before.rows()
    half = replayed(steps[:sent])
    there = {version.op_id for version in half.history().versions} if half.entries else set()
    again = [step for step in steps_of(before.history()) if step.op_id not in there]
    assert replayed(again, half).rows() == before.rows()


@settings(max_examples=examples(200), derandomize=True)
@given(acts=st.lists(ACTS, max_size=12))
def test_a_bill_is_added_before_it_is_removed_regardless_of_clocks(acts: list[Act]) -> None:
    before = lived(acts, lambda bill, base: True, ties=False)
    assert replayed(steps_of(before.history())).rows() == before.rows()
