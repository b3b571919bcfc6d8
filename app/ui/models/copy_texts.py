"""The line about an opened copy: what it would do to which entry."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from app.domain.dates import format_date
from app.domain.entry import ListedEntry
from app.domain.file_names import clean_name, shown_name
from app.domain.text import isolated
from app.ui.bounds import count_text
from app.ui.models.columns import direction_word, signed_amount
from app.ui.models.entry_texts import named

if TYPE_CHECKING:
    from app.services.copy_check import ReadCopy

KINDS: Final = {"create": "New", "edit": "Changed", "void": "Crossed out", "restore": "Restored"}
_KNOWN: Final = {"nowhere": "", "outbox": " (already waiting)", "book": " (already in the book)"}
_LONGEST: Final = 60
_MOST_NAMES: Final = 3


def copy_text(copy: "ReadCopy") -> str:
    """Return what a copy does. An existing entry is shown as it is, and then as it would become."""
    kind, before, after = KINDS[copy.item.kind.value], copy.before, copy.item.listed()
    known = _KNOWN[copy.found.value]
    if before is None or known:
        entry = before or after
        return " · ".join([kind, named(entry), *_facts(entry), *_bills(entry)]) + known
    line = " · ".join([kind, named(before), *_facts(before), *_bills(before)])
    changes = _changes(before, after) + _bill_changes(copy)
    return f"{line} → {' · '.join(changes)}" if changes else line


def operations_text(copies: "Sequence[ReadCopy]") -> str:
    """Return how many entries are new in the copies, and how many are changed: `2 entries and 1 change`."""
    created = sum(copy.item.kind.value == "create" for copy in copies)
    changed = len(copies) - created
    texts = [count_text(created, "entry", "entries")] if created else []
    texts += [count_text(changed, "change", "changes")] if changed else []
    return " and ".join(texts)


def _facts(entry: ListedEntry) -> list[str]:
    return [format_date(entry.entry_date), signed_amount(entry)]


def _bills(entry: ListedEntry) -> list[str]:
    return [count_text(entry.document_count, "bill", "bills")] if entry.document_count else []


def _changes(before: ListedEntry, after: ListedEntry) -> list[str]:
    pairs = (
        (before.description, after.description, _quoted(after.description) or "no description"),
        (before.category, after.category, f"category {_quoted(after.category)}"),
        (before.entry_date, after.entry_date, format_date(after.entry_date)),
        (before.amount, after.amount, signed_amount(after)),
        (before.direction, after.direction, direction_word(after.direction)),
    )
    return [text for old, new, text in pairs if old != new]


def _quoted(text: str) -> str:
    if not text:
        return ""
    return f"“{isolated(text if len(text) <= _LONGEST else f'{text[:_LONGEST].rstrip()}…')}”"


def _bill_changes(copy: "ReadCopy") -> list[str]:
    added, removed = len(copy.item.added), copy.removed
    texts = [f"{count_text(added, 'bill', 'bills')} added"] if added else []
    if removed:
        names = [f"“{shown_name(clean_name(bill.file_name))}”" for bill in removed[:_MOST_NAMES]]
        names += ["…"] if len(removed) > _MOST_NAMES else []
        texts.append(f"{count_text(len(removed), 'bill', 'bills')} removed: {', '.join(names)}")
    return texts
