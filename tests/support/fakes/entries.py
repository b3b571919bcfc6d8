"""Entries in a list."""

from dataclasses import replace
from datetime import date
from typing import Any

from app.domain.entry import (
    DocumentInfo,
    EntryDetail,
    EntryDraft,
    EntryFilter,
    EntryState,
    HistoryVersion,
    ListedEntry,
    ListedPage,
    Suggestion,
    Totals,
)
from app.domain.sync_state import ReplicationStatus
from app.services.entries import draft_of
from tests.support.fakes.book import Book


class FakeEntries:
    """Entries in a list."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def save(self, draft: EntryDraft) -> ListedEntry:
        """Keep `draft` as waiting."""
        self._book.step("save")
        with self._book.changing:
            return self._saved(draft)

    def _saved(self, draft: EntryDraft) -> ListedEntry:
        number = len(self._book.entries) + len(self._book.waiting) + 1
        made = ListedEntry(
            id=f"0199bbbb-0000-7000-8000-{number:012d}",
            entry_date=draft.entry_date,
            amount=draft.amount,
            direction=draft.direction,
            category=draft.category,
            description=draft.description,
            human_code=f"0K7-{number:06d}",
            document_count=len(draft.attachments),
            state=EntryState.WAITING,
        )
        self._book.bills[made.id] = tuple(
            DocumentInfo(a.id, f"K7-{number:06d}-{n}", a.file_name, a.media_type, a.byte_size, a.sha256)
            for n, a in enumerate(draft.attachments, 1)
        )
        self._book.waiting.append(made)
        return made

    def edit(self, before: EntryDetail, draft: EntryDraft) -> EntryDetail:
        """Let a change wait."""
        self._book.step("edit")
        known = {document.id: document for document in before.documents}
        bills = tuple(
            known.get(a.id)
            or DocumentInfo(a.id, f"new-{a.id}", a.file_name, a.media_type, a.byte_size, a.sha256)
            for a in draft.attachments
        )
        self._book.old_bills.setdefault(before.entry.id, before.documents)
        self._book.bills[before.entry.id] = bills
        return self._change(
            before,
            entry_date=draft.entry_date,
            amount=draft.amount,
            direction=draft.direction,
            category=draft.category,
            description=draft.description,
            document_count=len(bills),
        )

    def void(self, before: EntryDetail) -> EntryDetail:
        """Let a voiding wait."""
        self._book.step("void")
        return self._change(before, voided=True)

    def restore(self, before: EntryDetail) -> EntryDetail:
        """Let a restoring wait."""
        self._book.step("restore")
        return self._change(before, voided=False)

    def restore_version(self, current: EntryDetail, version: HistoryVersion) -> EntryDetail:
        """Let an older version wait to stand again."""
        old = replace(draft_of(EntryDetail(version.entry, ())), attachments=draft_of(current).attachments)
        return self.edit(current, old)

    def _change(self, before: EntryDetail, **fields: Any) -> EntryDetail:
        entry = replace(before.entry, state=EntryState.WAITING, ver=before.entry.ver + 1, **fields)
        self._book.put(entry)
        return EntryDetail(entry, self._book.bills.get(entry.id, ()))

    def overridden(self) -> frozenset[str]:
        """Return the ids whose last word waits."""
        return frozenset(row.id for row in self._book.waiting)

    def history(self, entry_id: str) -> tuple[HistoryVersion, ...]:
        """Return the versions that were put into the book."""
        self._book.step("history")
        self._book.need_server()
        return tuple(self._book.history.get(entry_id, ()))

    def page(self, filter_: EntryFilter, cursor: str | None) -> ListedPage:
        """Return rows after `cursor`, which is the last key as text."""
        self._book.step("page")
        if self._book.signed_out:
            self._book.need_server()
        rows = [row for row in self._book.entries if filter_.matches(row) and not filter_.waiting_only]
        rows.sort(key=lambda row: row.sort_key, reverse=True)
        if cursor is not None:
            day, _, entry_id = cursor.partition("/")
            rows = [row for row in rows if row.sort_key < (date.fromisoformat(day), entry_id)]
        shown = tuple(rows[: self._book.page_size])
        more = f"{shown[-1].entry_date}/{shown[-1].id}" if len(rows) > len(shown) else None
        return ListedPage(shown, more, self._book.offline)

    def pending(self, filter_: EntryFilter) -> tuple[ListedEntry, ...]:
        """Return what waits and matches."""
        return tuple(row for row in self._book.waiting if filter_.matches(row))

    def replication(self) -> dict[str, ReplicationStatus]:
        """Return where the changes are that were put somewhere."""
        self._book.step("replication")
        return dict(self._book.places)

    def totals(self, filter_: EntryFilter) -> Totals:
        """Sum up what matches."""
        self._book.step("totals")
        self._book.need_server()
        total, hidden = Totals(), self.overridden()
        for row in self._book.entries:
            if row.id not in hidden and filter_.matches(row) and not filter_.waiting_only:
                total = replace(total.plus(row), waiting=0)
        for row in self.pending(filter_):
            total = total.plus(row)
        return total

    def detail(self, entry_id: str) -> EntryDetail:
        """Return the entry with its bills."""
        self._book.step("detail")
        rows = [*self._book.waiting, *self._book.entries]
        entry = next(row for row in rows if row.id == entry_id)
        return EntryDetail(entry, self._book.bills.get(entry_id, ()))

    def suggest_categories(self, prefix: str) -> list[Suggestion]:
        """Complete a category."""
        self._book.step("suggest_categories")
        self._book.need_server()
        names = sorted({row.category for row in self._book.entries})
        return [Suggestion(name, 1) for name in names if name.lower().startswith(prefix.lower())]

    def suggest_descriptions(self, prefix: str) -> list[Suggestion]:
        """Complete a description, with its last category and direction."""
        self._book.step("suggest_descriptions")
        self._book.need_server()
        known = {row.description: row for row in reversed(self._book.entries)}
        return [
            Suggestion(text, 1, row.category, row.direction)
            for text, row in sorted(known.items())
            if prefix.lower() in text.lower()
        ]
