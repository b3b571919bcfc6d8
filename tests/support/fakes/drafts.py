"""Drafts in a dictionary."""

from app.domain.entry import EntryDraft, ListedEntry
from app.domain.form_draft import FormDraft
from tests.support.fakes.book import Book
from tests.support.fakes.entries import FakeEntries


class FakeDrafts:
    """Drafts in a dictionary."""

    def __init__(self, book: Book, entries: FakeEntries) -> None:
        self._book = book
        self._entries = entries

    def keep(self, book_id: str, form: FormDraft, edition: int) -> None:
        """Keep `form`, or nothing for an empty one."""
        self._book.step("keep_draft")
        if form.empty:
            self._book.drafts.pop(book_id, None)
        else:
            self._book.drafts[book_id] = form

    def load(self, book_id: str) -> FormDraft | None:
        """Return what was kept."""
        self._book.step("load_draft")
        return self._book.drafts.get(book_id)

    def save_entry(self, book_id: str, draft: EntryDraft, edition: int) -> ListedEntry:
        """Save, and forget the draft."""
        made = self._entries.save(draft)
        self._book.drafts.pop(book_id, None)
        return made
