"""Validation of a decoded message beyond its types. Each failure is a sentence for one field."""

import re
import unicodedata
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

from server.contract import limits, media
from server.contract.errors import FieldError
from server.contract.shapes import (
    CreateEntry,
    Credentials,
    Device,
    EditEntry,
    NewDocument,
    PlannedDocument,
    VoidEntry,
)

_AMOUNT = re.compile(r"[0-9]{1,16}(\.[0-9]{1,2})?\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_HUMAN_CODE = re.compile(r"[0-9A-Z]{3}-[0-9]{6,9}\Z")
_DOC_CODE = re.compile(r"[0-9A-Z]{1,3}-[0-9]{6,9}(-[0-9A-Z]{3})?-[0-9]{1,3}\Z")
_USER_NAME = re.compile(r"[^\s\x00-\x1f]+( [^\s\x00-\x1f]+)*\Z")


def has_control_characters(text: str) -> bool:
    """Return whether `text` contains line breaks or other control characters (Unicode Cc, Cs, Zl, Zp)."""
    return any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in text)


def is_uuid(text: str) -> bool:
    """Return whether `text` is a UUID in its canonical 36-character form."""
    # UUID() also accepts braces, upper case and missing hyphens. Two spellings of one id would be two keys.
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def is_sha256(text: str) -> bool:
    """Return whether `text` is a SHA-256 in lower-case hexadecimal."""
    return _SHA256.match(text) is not None


def parse_amount(text: str) -> Decimal | None:
    """Return the amount in rupees, or None if `text` is not a positive `numeric(18,2)`."""
    # Decimal() also accepts "1e5", "NaN" and digits of other scripts, so the pattern decides first.
    if not _AMOUNT.match(text):
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if 0 < amount <= limits.MAX_AMOUNT else None


def parse_date(text: str) -> date | None:
    """Return the date that `text` names, or None if it is not exactly `YYYY-MM-DD`."""
    try:
        value = date.fromisoformat(text)
    except ValueError:
        return None
    # fromisoformat() also accepts "20260405" and week dates.
    return value if value.isoformat() == text else None


def check_text(name: str, value: str, limit: int, *, required: bool) -> list[FieldError]:
    """Check a one-line text field of at most `limit` characters."""
    if required and not value.strip():
        return [FieldError(name, f"Please fill in the {name}.")]
    if len(value) > limit:
        return [FieldError(name, f"The {name} is longer than {limit} characters.")]
    if value != value.strip():
        return [FieldError(name, f"The {name} begins or ends with a space.")]
    if has_control_characters(value):
        return [FieldError(name, f"The {name} contains a line break or another control character.")]
    return []


def check_entry_date(text: str, today: date) -> list[FieldError]:
    """Check an entry's date against `today`, the server's date in UTC."""
    value = parse_date(text)
    if value is None:
        return [FieldError("entryDate", "That is not a date of the form YYYY-MM-DD.")]
    if value.year < limits.EARLIEST_YEAR:
        return [FieldError("entryDate", f"The date is before {limits.EARLIEST_YEAR}.")]
    # One day more than the client allows: its local date may be ahead of UTC.
    if value > today + timedelta(days=limits.MAX_DAYS_AHEAD + 1):
        return [FieldError("entryDate", "The date is more than a year ahead.")]
    return []


def check_create(body: CreateEntry, today: date) -> list[FieldError]:
    """Return every error of a new entry; an empty list if it is valid."""
    errors = _check_stamp(body.op_id, body.ver)
    if not is_uuid(body.id):
        errors.append(FieldError("id", "That is not a UUID."))
    if not _HUMAN_CODE.match(body.human_code):
        errors.append(FieldError("humanCode", "That is not an entry code."))
    return errors + _check_fields(body, today) + check_new_documents(body.documents)


def check_edit(body: EditEntry, today: date) -> list[FieldError]:
    """Return every error of an edit; an empty list if it is valid."""
    errors = _check_stamp(body.op_id, body.ver) + _check_base(body.ver, body.based_on)
    if any(not is_uuid(id_) for id_ in body.remove_documents):
        errors.append(FieldError("removeDocuments", "That is not a UUID."))
    if len(body.remove_documents) > limits.MAX_DOCUMENTS_PER_ENTRY:
        errors.append(FieldError("removeDocuments", "These are more documents than an entry can hold."))
    return errors + _check_fields(body, today) + check_new_documents(body.add_documents)


def check_void(body: VoidEntry) -> list[FieldError]:
    """Check the body of a void or restore call."""
    return _check_stamp(body.op_id, body.ver) + _check_base(body.ver, body.based_on)


def _check_stamp(op_id: str, ver: int) -> list[FieldError]:
    errors = [] if is_uuid(op_id) else [FieldError("opId", "That is not a UUID.")]
    # 2**63: the column is a signed bigint.
    return errors if 0 < ver < 2**63 else [*errors, FieldError("ver", "That is not a version.")]


def _check_base(ver: int, based_on: int) -> list[FieldError]:
    if 0 < based_on < ver:
        return []
    return [FieldError("basedOn", "The version that a change is based on must be older than the change.")]


def _check_fields(body: CreateEntry | EditEntry, today: date) -> list[FieldError]:
    errors = check_entry_date(body.entry_date, today)
    if parse_amount(body.amount) is None:
        errors.append(FieldError("amount", "The amount must be above zero, with at most two decimals."))
    if body.currency != limits.CURRENCY:
        errors.append(FieldError("currency", f"The currency of this book is {limits.CURRENCY}."))
    errors += check_text("category", body.category, limits.MAX_CATEGORY, required=True)
    errors += check_text("description", body.description, limits.MAX_DESCRIPTION, required=False)
    return errors


def check_new_documents(documents: list[NewDocument]) -> list[FieldError]:
    """Check the documents of one entry."""
    errors: list[FieldError] = []
    if len(documents) > limits.MAX_DOCUMENTS_PER_ENTRY:
        errors.append(_too_many_documents())
    if len({d.id for d in documents}) != len(documents):
        errors.append(FieldError("documents", "Two documents have the same id."))
    # A request may name thousands of documents; the answer must not list an error for each.
    for document in documents[: limits.MAX_DOCUMENTS_PER_ENTRY]:
        errors += _check_new_document(document)
    return errors


def _too_many_documents() -> FieldError:
    return FieldError("documents", f"An entry can hold {limits.MAX_DOCUMENTS_PER_ENTRY} documents.")


def _check_new_document(document: NewDocument) -> list[FieldError]:
    errors = check_bytes(document.sha256, document.byte_size, document.media_type)
    if not is_uuid(document.id):
        errors.append(FieldError("documents.id", "That is not a UUID."))
    if not _DOC_CODE.match(document.doc_code):
        errors.append(FieldError("documents.docCode", "That is not a document code."))
    if "/" in document.file_name or "\\" in document.file_name:
        errors.append(FieldError("fileName", "A file name cannot contain a slash."))
    return errors + check_text("fileName", document.file_name, limits.MAX_FILE_NAME, required=True)


def check_bytes(sha256: str, byte_size: int, media_type: str) -> list[FieldError]:
    """Check the announced hash, size and media type of a document."""
    errors: list[FieldError] = []
    if not is_sha256(sha256):
        errors.append(FieldError("sha256", "That is not a SHA-256 in lower-case hexadecimal."))
    if byte_size <= 0:
        errors.append(FieldError("byteSize", "The file is empty."))
    if byte_size > limits.MAX_DOCUMENT_BYTES:
        megabytes = limits.MAX_DOCUMENT_BYTES // (1024 * 1024)
        errors.append(FieldError("byteSize", f"The file is larger than {megabytes} MB."))
    if media_type not in media.EXTENSIONS:
        errors.append(
            FieldError("mediaType", "Only photos, scans and PDF files can be attached to an entry.")
        )
    return errors


def check_plan(documents: list[PlannedDocument]) -> list[FieldError]:
    """Check the body of a plan call."""
    if len(documents) > limits.MAX_DOCUMENTS_PER_ENTRY:
        return [_too_many_documents()]
    return [e for d in documents for e in check_bytes(d.sha256, d.byte_size, d.media_type)]


def check_user_name(name: str) -> list[FieldError]:
    """Check a user name."""
    if not name.strip():
        return [FieldError("userName", "Please fill in a user name.")]
    if len(name) > limits.MAX_USER_NAME:
        return [FieldError("userName", f"The user name is longer than {limits.MAX_USER_NAME} characters.")]
    if not _USER_NAME.match(name) or has_control_characters(name):
        return [FieldError("userName", "The user name contains characters that are not allowed.")]
    return []


def check_new_password(password: str) -> list[FieldError]:
    """Check a new password: its length only (NIST SP 800-63B advises against composition rules)."""
    if len(password) < limits.MIN_PASSWORD:
        return [FieldError("password", f"Please choose at least {limits.MIN_PASSWORD} characters.")]
    if len(password) > limits.MAX_PASSWORD:
        return [FieldError("password", f"The password is longer than {limits.MAX_PASSWORD} characters.")]
    return []


def check_device(device: Device) -> list[FieldError]:
    """Check the identity that an installation sends."""
    errors = [] if is_uuid(device.id) else [FieldError("device.id", "That is not a UUID.")]
    if len(device.secret) > limits.MAX_DEVICE_SECRET:
        errors.append(FieldError("device.secret", "The device's secret is too long."))
    return errors + check_text("device.name", device.name, limits.MAX_DEVICE_NAME, required=False)


def check_registration(body: Credentials) -> list[FieldError]:
    """Check the body of a register call."""
    return check_user_name(body.user_name) + check_new_password(body.password) + check_device(body.device)
