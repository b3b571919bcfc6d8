"""The draft of the Add Entry form: kept while it is written, gone in the moment its entry is saved."""

import threading

from app.domain.entry import EntryDraft, ListedEntry
from app.domain.form_draft import FormDraft
from app.services.entries import Entries
from app.store.database import Database
from app.store.drafts import DraftStore
from app.store.files import Files


class Drafts:
    """Every change carries an `edition`, a number that grows with each: what was asked for before another
    and runs after it (there are several threads) changes nothing any more."""

    def __init__(self, database: Database, store: DraftStore, entries: Entries, files: Files) -> None:
        self._database = database
        self._store = store
        self._entries = entries
        self._files = files
        self._lock = threading.Lock()
        self._newest = 0

    def keep(self, book_id: str, form: FormDraft, edition: int) -> None:
        """Keep what is typed; an empty form clears the draft. Durable on return. Raises StoreError."""
        with self._lock:
            if edition < self._newest:
                return
            if form.empty:
                self._store.clear(book_id)
            else:
                self._store.keep(book_id, form)
            self._newest = edition

    def load(self, book_id: str) -> FormDraft | None:
        """Return the draft of a book, without bills whose bytes are gone; None where there is none."""
        form = self._store.get(book_id)
        if form is None:
            return None
        here = tuple(bill for bill in form.attachments if self._files.has(bill.sha256))
        left = FormDraft(form.date, form.amount, form.direction, form.category, form.description, here)
        return None if left.empty else left

    def save_entry(self, book_id: str, draft: EntryDraft, edition: int) -> ListedEntry:
        """Save an entry as `Entries.save` does and clear its draft, both in one transaction or neither."""
        with self._lock:
            with self._database.write():  # an error inside leaves this block, so nothing of it stays
                made = self._entries.save(draft)
                self._store.clear(book_id)
            self._newest = max(self._newest, edition)
            return made
