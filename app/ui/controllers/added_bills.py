"""Bills for a saved entry: stored, without those that it has already, and not more than it can have."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.domain.bounds import MAX_DOCUMENTS
from app.domain.entry import Attachment, EntryDetail, ListedEntry
from app.domain.file_names import shown_name
from app.errors import InputError
from app.ui.offers import Bills
from app.ui.pictures_offered import PICTURE_NAME

if TYPE_CHECKING:
    from app.services.documents import Documents


def keep_bills(documents: "Documents", bills: Bills) -> tuple[list[Attachment], tuple[str, ...]]:
    """Store the bytes. Return the bills, and a sentence about each that was refused. Raises StoreError."""
    kept: list[Attachment] = []
    refusals = list(bills.refusals)
    try:
        for file in bills.files:
            try:
                kept.append(documents.attach_open(file))
            except InputError as error:
                refusals.append(error.message)
        if bills.picture is not None:
            kept.append(documents.attach_bytes(bills.picture.encoded(), PICTURE_NAME))
    finally:
        bills.close()
    return kept, tuple(refusals)


def new_bills(before: EntryDetail, kept: Sequence[Attachment]) -> tuple[list[Attachment], tuple[str, ...]]:
    """Return the bills that the entry does not have yet, and a sentence about each of the others."""
    known = {document.sha256 for document in before.documents}
    new: list[Attachment] = []
    refusals: list[str] = []
    for bill in kept:
        if bill.sha256 in known:
            refusals.append(
                f"“{shown_name(bill.file_name)}” is already attached to {before.entry.human_code}."
            )
        elif len(before.documents) + len(new) >= MAX_DOCUMENTS:
            refusals.append(f"An entry can have at most {MAX_DOCUMENTS} bills. The rest were not added.")
            break
        else:
            known.add(bill.sha256)
            new.append(bill)
    return new, tuple(refusals)


def attached_text(entry: ListedEntry, new: Sequence[Attachment]) -> str:
    """Return what was done, for the message with Undo."""
    what = f"“{shown_name(_short(new[0].file_name))}”" if len(new) == 1 else f"{len(new)} bills"
    return f"Attached {what} to {entry.human_code}"


def _short(name: str) -> str:
    return name if len(name) <= 32 else f"{name[:18]}…{name[-12:]}"
