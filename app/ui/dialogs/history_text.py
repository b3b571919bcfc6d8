"""Texts for the versions of an entry: what changed since the version before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.domain.dates import format_date
from app.domain.entry import DocumentInfo, HistoryVersion, ListedEntry
from app.domain.file_names import shown_name
from app.domain.money import format_amount
from app.domain.text import isolated
from app.ui.models.columns import direction_word

if TYPE_CHECKING:
    from app.domain.outbox_item import OutboxItem

ACTIONS = {"created": "Created", "edited": "Edited", "voided": "Crossed out", "restored": "Restored"}
_OF_KIND = {"create": "created", "edit": "edited", "void": "voided", "restore": "restored"}
_NOTHING = "Nothing changed."


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A version with its changes as text. `waiting` means that no server has it yet."""

    version: HistoryVersion
    changes: tuple[str, ...]
    waiting: bool = False


def shown_versions(
    served: Sequence[HistoryVersion], waiting: Sequence["OutboxItem"], author: str
) -> list[ShownVersion]:
    """Return all versions, newest first: those of the outbox, then the server's.

    `waiting` is given oldest first, `served` newest first. `author` is the user of this computer.
    """
    shown = []
    for item in reversed(waiting):
        version = _version_of(item, author, newest=item is waiting[-1])
        before = item.base.entry if item.base is not None else None
        shown.append(ShownVersion(version, changes(before, version), waiting=True))
    for at, version in enumerate(served):
        # A superseded version was never the current one, so nothing is compared with it.
        before = next((older.entry for older in served[at + 1 :] if not older.superseded), None)
        if waiting and version.stands:  # the newest change in the outbox is the current version
            version = replace(version, stands=False)
        shown.append(ShownVersion(version, changes(before, version)))
    return shown


def changes(before: ListedEntry | None, version: HistoryVersion) -> tuple[str, ...]:
    """Return a line for each difference of `version` from `before`. None means that it is the first one."""
    lines = _as_created(version.entry) if before is None else _differences(before, version.entry)
    added = [f"Bill added: {_bill(document)}" for document in version.documents_added]
    removed = [f"Bill removed: {_bill(document)}" for document in version.documents_removed]
    return (*lines, *added, *removed) or (() if version.action in {"voided", "restored"} else (_NOTHING,))


def _as_created(entry: ListedEntry) -> list[str]:
    amount = f"{direction_word(entry.direction)} {format_amount(entry.amount)}"
    texts = [format_date(entry.entry_date), amount, isolated(entry.category), isolated(entry.description)]
    return [" · ".join(text for text in texts if text)]


def _differences(before: ListedEntry, after: ListedEntry) -> list[str]:
    pairs = (
        ("Date", format_date(before.entry_date), format_date(after.entry_date)),
        ("Amount", format_amount(before.amount), format_amount(after.amount)),
        ("Type", direction_word(before.direction), direction_word(after.direction)),
        ("Category", isolated(before.category), isolated(after.category)),
        ("Description", isolated(before.description), isolated(after.description)),
    )
    return [f"{name}: {_text(old)} → {_text(new)}" for name, old, new in pairs if old != new]


def _text(value: str) -> str:
    return value or "(empty)"


def _bill(document: DocumentInfo) -> str:
    return f"{shown_name(document.file_name)} ({document.doc_code})"


def _version_of(item: "OutboxItem", author: str, *, newest: bool) -> HistoryVersion:
    gone = set(item.removed)
    return HistoryVersion(
        op_id=item.op_id,
        entry=item.listed(),
        action=_OF_KIND[item.kind.value],
        author=author,
        device="this computer",
        made_at=item.created_at,
        stands=newest,
        superseded=False,
        documents_added=item.added,
        documents_removed=tuple(d for d in item.base.documents if d.id in gone) if item.base else (),
    )
