"""Writes a copy of an outbox item to a folder: the entry as JSON, and its bills."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.file_names import clean_name
from app.errors import StoreError

if TYPE_CHECKING:
    from app.domain.entry import DocumentInfo
    from app.domain.outbox_item import OutboxItem
    from app.services import Services


def write_copy(services: "Services", item: "OutboxItem", folder: Path) -> Path:
    """Write `item` to a new folder inside `folder`, and return the new folder. Raises AppError."""
    try:
        target = _new_folder(folder, f"Bahi {item.human_code}")
        (target / f"{item.human_code}.json").write_text(copy_text(item), encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(f"The copy could not be written: {reason}.", retryable=True) from error
    for document in item.documents:
        services.documents.save_copy(document, target / _file_name(document))
    services.folders.note_saved(folder)
    return target


def copy_text(item: "OutboxItem") -> str:
    """Return the entry after the operation as indented JSON. The amount is a string."""
    return json.dumps(
        {
            "code": item.human_code,
            "operation": item.kind.value,
            "date": item.entry_date.isoformat(),
            "amount": f"{item.amount:.2f}",
            "currency": "INR",
            "crDr": item.direction.value,
            "category": item.category,
            "description": item.description,
            "voided": item.voided,
            "savedAt": item.created_at.isoformat(),
            "lastError": item.last_error,
            "documents": [
                {
                    "code": document.doc_code,
                    "file": _file_name(document),
                    "mediaType": document.media_type,
                    "bytes": document.byte_size,
                    "sha256": document.sha256,
                }
                for document in item.documents
            ],
        },
        ensure_ascii=False,
        indent=2,
    )


def _file_name(document: "DocumentInfo") -> str:
    # Unique, because the code is. Another program may have sent the rest.
    return clean_name(f"{document.doc_code} {document.file_name}", document.media_type)


def _new_folder(folder: Path, name: str) -> Path:
    for number in range(1, 1000):
        target = folder / (name if number == 1 else f"{name} ({number})")
        try:
            target.mkdir()
        except FileExistsError:
            continue
        return target
    raise FileExistsError(name)
