"""Drafts of the Add Entry form, one per book, so that a crash loses nothing that was typed."""

import json
from dataclasses import asdict

from app.domain.entry import Attachment
from app.domain.form_draft import FormDraft
from app.errors import StoreError
from app.store.database import Database


class DraftStore:
    """The table `draft`. Thread-safe. Every method raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, book_id: str, form: FormDraft) -> None:
        """Store the draft of a book, replacing the previous one. It is durable on return."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO draft VALUES (?, ?)"
                " ON CONFLICT (book_id) DO UPDATE SET payload = excluded.payload",
                (book_id, json.dumps(asdict(form))),
            )

    def get(self, book_id: str) -> FormDraft | None:
        """Return the draft of a book; None if there is none or it cannot be decoded."""
        with self._database.read() as connection:
            row = connection.execute("SELECT payload FROM draft WHERE book_id = ?", (book_id,)).fetchone()
        return _decoded(row[0]) if row is not None else None

    def clear(self, book_id: str) -> None:
        """Delete the draft of a book."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM draft WHERE book_id = ?", (book_id,))

    def file_hashes(self) -> set[str]:
        """Return the SHA-256 of every bill in the drafts of all books."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT payload FROM draft").fetchall()
        hashes: set[str] = set()
        for row in rows:
            form = _decoded(row[0])
            if form is None:  # the caller deletes bills that nothing names; this draft's would be among them
                raise StoreError("A draft on this computer is damaged.", code="damaged")
            hashes.update(bill.sha256 for bill in form.attachments)
        return hashes


def _decoded(payload: str) -> FormDraft | None:
    try:
        found = json.loads(payload)
        bills = tuple(Attachment(**bill) for bill in found.pop("attachments"))
        return FormDraft(**found, attachments=bills)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
