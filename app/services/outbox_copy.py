"""The file of a saved copy of an outbox item: its shape, and what is accepted from a stranger. Pure."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec

from app.domain.codes import LATEST_VERSION
from app.domain.entry import Direction, DocumentInfo, EntryDetail, ListedEntry
from app.domain.file_names import clean_name
from app.domain.outbox_item import OutboxItem, OutboxKind
from app.domain.text import is_blank
from app.errors import InputError
from app.remote.translate import create_of, edit_of, void_of
from server.contract import checks, limits
from server.contract.decoding import decode_json
from server.contract.errors import FieldError
from server.contract.shapes import CreateEntry, NewDocument

MAX_BYTES: Final = 256 * 1024
"""Of the file: an entry with 20 bills before and 20 after a change has about 20 KiB."""
_ANY_DAY: Final = date(9000, 1, 1)  # a date that the server refused can be corrected after it was read
_DAMAGED: Final = "is not a copy of an entry that Bahi saved, or it is damaged."
_OLD: Final = "was saved by an older version of Bahi, which did not store all that is needed to open it."
# What the program writes, exactly: `Decimal` reads exponents and digits of other scripts too, and formatting
# 1e999999999 takes minutes.
_Amount = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,16}\.[0-9]{2}\Z")]
_Version = Annotated[int, msgspec.Meta(gt=0, le=LATEST_VERSION)]
_YEARS: Final = range(1970, 9000)  # of the time at which it was saved; UTC has room on both sides


class CopiedBill(msgspec.Struct, frozen=True, rename="camel"):
    """A bill. `file` is its name beside the file of the copy; `bytes` is its size."""

    code: str
    file: str
    media_type: str
    bytes: int
    sha256: str
    id: str
    file_name: str


class CopiedBase(msgspec.Struct, frozen=True, rename="camel"):
    """The entry before a change."""

    ver: _Version
    date: date
    amount: _Amount
    cr_dr: Direction
    category: str
    description: str
    voided: bool
    documents: tuple[CopiedBill, ...]


class CopiedOperation(msgspec.Struct, frozen=True, rename="camel"):
    """The entry after the operation, and what is needed to send the operation again. Amounts are text."""

    bahi: Literal[1]
    user: str
    code: str
    operation: OutboxKind
    date: date
    amount: _Amount
    currency: Literal["INR"]
    cr_dr: Direction
    category: str
    description: str
    voided: bool
    saved_at: datetime
    last_error: str
    documents: tuple[CopiedBill, ...]
    book_id: str
    entry_id: str
    op_id: str
    ver: _Version
    base: CopiedBase | None = None


def bill_file(document: DocumentInfo) -> str:
    """Return the name of a bill's file in a copy. It is unique, because the code is."""
    return clean_name(f"{document.doc_code} {document.file_name}", document.media_type)


def encode_copy(item: OutboxItem, user_name: str) -> bytes:
    """Return an item as indented JSON."""
    base = None
    if item.base is not None:
        entry = item.base.entry
        texts = (entry.category, entry.description, entry.voided, _copied(item.base.documents))
        base = CopiedBase(entry.ver, entry.entry_date, f"{entry.amount:.2f}", entry.direction, *texts)
    copy = CopiedOperation(
        1,
        user_name,
        item.human_code,
        item.kind,
        item.entry_date,
        f"{item.amount:.2f}",
        "INR",
        item.direction,
        item.category,
        item.description,
        item.voided,
        item.created_at,
        item.last_error,
        _copied(item.documents),
        item.book_id,
        item.entry_id,
        item.op_id,
        item.ver,
        base,
    )
    return msgspec.json.format(msgspec.json.encode(copy), indent=2)


def decode_copy(data: bytes, file_name: str) -> CopiedOperation:
    """Decode a copy. Raises InputError with a sentence about the file `file_name` (as it is shown)."""
    try:
        return decode_json(data, CopiedOperation)
    except msgspec.MsgspecError as error:
        raise InputError(f"“{file_name}” {_OLD if _is_old(data) else _DAMAGED}") from error


def item_of_copy(copy: CopiedOperation, file_name: str) -> OutboxItem:
    """Return the operation of a copy, waiting. Raises InputError where no server would take it."""
    try:
        item = _item(copy)
        errors = _errors(item)
        files = {bill.file for bill in copy.documents}
        no_time = copy.saved_at.tzinfo is None or copy.saved_at.year not in _YEARS
        wrong = errors or no_time or any(clean_name(f) != f for f in files)
    except (ArithmeticError, ValueError) as error:
        raise InputError(f"“{file_name}” {_DAMAGED}") from error
    if wrong:
        raise InputError(f"“{file_name}” {_DAMAGED}")
    return item


def _copied(documents: tuple[DocumentInfo, ...]) -> tuple[CopiedBill, ...]:
    return tuple(
        CopiedBill(d.doc_code, bill_file(d), d.media_type, d.byte_size, d.sha256, d.id, d.file_name)
        for d in documents
    )


def _documents(bills: tuple[CopiedBill, ...]) -> tuple[DocumentInfo, ...]:
    return tuple(DocumentInfo(b.id, b.code, b.file_name, b.media_type, b.bytes, b.sha256) for b in bills)


def _is_old(data: bytes) -> bool:
    """Return whether `data` is a copy by a version that stored neither an op_id nor a book."""
    try:
        found = decode_json(data, dict[str, object])
    except msgspec.MsgspecError:
        return False
    return "bahi" not in found and {"code", "operation", "savedAt", "documents"} <= found.keys()


def _item(copy: CopiedOperation) -> OutboxItem:
    return OutboxItem(
        op_id=copy.op_id,
        ver=copy.ver,
        book_id=copy.book_id,
        kind=copy.operation,
        entry_id=copy.entry_id,
        human_code=copy.code,
        entry_date=copy.date,
        amount=Decimal(copy.amount),
        direction=copy.cr_dr,
        category=copy.category,
        description=copy.description,
        documents=_documents(copy.documents),
        created_at=copy.saved_at.astimezone(UTC),
        base=_base(copy),
        voided=copy.operation is OutboxKind.VOID
        or (copy.operation is OutboxKind.EDIT and copy.base is not None and copy.base.voided),
    )


def _base(copy: CopiedOperation) -> EntryDetail | None:
    base = copy.base
    if base is None:
        return None
    entry = ListedEntry(
        copy.entry_id,
        base.date,
        Decimal(base.amount),
        base.cr_dr,
        base.category,
        base.description,
        copy.code,
        len(base.documents),
        voided=base.voided,
        ver=base.ver,
    )
    return EntryDetail(entry, _documents(base.documents))


def _errors(item: OutboxItem) -> list[FieldError]:
    """Return what the server would refuse in an operation, in its base, and in how they belong together."""
    errors = checks.check_create(create_of(item), _ANY_DAY) + _invisible(item)
    if (item.base is None) is not (item.kind is OutboxKind.CREATE):
        return [*errors, FieldError("base", "A change has a base, and a new entry has none.")]
    if item.base is None:
        return errors
    errors += checks.check_create(_as_create(item.base, item.op_id), _ANY_DAY)
    kept = {bill.id: bill for bill in item.base.documents}
    if any(kept.get(bill.id, bill) != bill for bill in item.documents):
        errors.append(FieldError("documents", "A bill that is kept does not change."))
    if item.kind is OutboxKind.EDIT:
        return errors + checks.check_edit(edit_of(item), _ANY_DAY)
    return errors + checks.check_void(void_of(item))


def _invisible(item: OutboxItem) -> list[FieldError]:
    """Return the texts of which nothing is visible. The form stores such a text as an empty one."""
    texts = {"category": item.category, "description": item.description}
    return [FieldError(name, "That is empty.") for name, text in texts.items() if text and is_blank(text)]


def _as_create(detail: EntryDetail, op_id: str) -> CreateEntry:
    entry = detail.entry
    documents = [
        NewDocument(d.id, d.doc_code, d.file_name, d.media_type, d.byte_size, d.sha256)
        for d in detail.documents[: limits.MAX_DOCUMENTS_PER_ENTRY + 1]
    ]
    return CreateEntry(
        op_id=op_id,
        ver=entry.ver,
        id=entry.id,
        entry_date=entry.entry_date.isoformat(),
        amount=f"{entry.amount:.2f}",
        cr_dr="CR" if entry.direction is Direction.CREDIT else "DR",
        category=entry.category,
        description=entry.description,
        human_code=entry.human_code,
        documents=documents,
    )
