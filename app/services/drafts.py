"""The draft of the Add Entry form: stored while the user types, deleted when the entry is saved."""

import threading

from app.domain.entry import EntryDraft, ListedEntry
from app.domain.form_draft import FormDraft
from app.services.entries import Entries
from app.store.database import Database
from app.store.drafts import DraftStore
from app.store.files import Files


class Drafts:
    """Stores one draft per book.

    Every call passes an `edition`, which grows with each. Calls run in several threads, so an older one may
    run after a newer one; it then has no effect.
    """

    def __init__(self, database: Database, store: DraftStore, entries: Entries, files: Files) -> None:
        self._database = database
        self._store = store
        self._entries = entries
        self._files = files
        self._lock = threading.Lock()
        self._newest = 0

    def keep(self, book_id: str, form: FormDraft, edition: int) -> None:
        """Store the form; an empty form deletes the draft. It is durable on return. Raises StoreError."""
        with self._lock:
            if edition < self._newest:
                return
            if form.empty:
                self._store.clear(book_id)
            else:
                self._store.keep(book_id, form)
            self._newest = edition

    def load(self, book_id: str) -> FormDraft | None:
        """Return the draft of a book, without bills whose bytes are missing; None if there is no draft."""
        form = self._store.get(book_id)
        if form is None:
            return None
        here = tuple(bill for bill in form.attachments if self._files.has(bill.sha256))
        left = FormDraft(form.date, form.amount, form.direction, form.category, form.description, here)
        return None if left.empty else left

    def save_entry(self, book_id: str, draft: EntryDraft, edition: int) -> ListedEntry:
        """Save an entry as `Entries.save` does and delete its draft, in one transaction."""
        with self._lock:
            with self._database.write():  # an error rolls back both
                made = self._entries.save(draft)
                self._store.clear(book_id)
            self._newest = max(self._newest, edition)
            return made
