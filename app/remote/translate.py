"""Translates between the protocol's shapes and the program's dataclasses, and error answers to AppErrors."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from app.domain.entry import (
    Direction,
    DocumentInfo,
    EntryDetail,
    EntryFilter,
    HistoryVersion,
    ListedEntry,
    Shown,
    Suggestion,
    Totals,
)
from app.domain.outbox_item import OutboxItem
from app.domain.text import clean_text
from app.errors import AppError, InputError, ServerError, SignInError
from server.contract import shapes
from server.contract.decoding import decode_json
from server.contract.errors import ErrorBody, ErrorCode, ErrorInfo

_SIGN_IN = frozenset({ErrorCode.UNAUTHENTICATED, ErrorCode.WRONG_CREDENTIALS, ErrorCode.REGISTRATION_CLOSED})
_WIRE_FIELDS = {"userName": "userName", "password": "password", "entryDate": "date"}


def entry_of(entry: shapes.Entry) -> ListedEntry:
    """Return a row of the listing."""
    return ListedEntry(
        id=entry.id,
        entry_date=date.fromisoformat(entry.entry_date),
        amount=Decimal(entry.amount),
        direction=Direction(entry.cr_dr),
        category=entry.category,
        description=entry.description,
        human_code=entry.human_code,
        document_count=entry.document_count,
        voided=entry.voided_at is not None,
        ver=entry.ver,
    )


def document_of(document: shapes.Document) -> DocumentInfo:
    """Return a bill of a saved entry."""
    return DocumentInfo(
        document.id,
        document.doc_code,
        document.file_name,
        document.media_type,
        document.byte_size,
        document.sha256,
    )


def detail_of(answer: shapes.EntryWithDocuments | shapes.EntrySaved) -> EntryDetail:
    """Return an entry with its bills."""
    return EntryDetail(entry_of(answer.entry), tuple(document_of(d) for d in answer.documents))


def totals_of(summary: shapes.Summary) -> Totals:
    """Return the totals of a summary."""
    return Totals(summary.count, Decimal(summary.money_out), Decimal(summary.money_in))


def description_of(suggestion: shapes.DescriptionSuggestion) -> Suggestion:
    """Return the completion of a description."""
    return Suggestion(suggestion.text, suggestion.uses, suggestion.category, Direction(suggestion.cr_dr))


def query_of(filter_: EntryFilter) -> dict[str, str]:
    """Return the query string of a filter."""
    query = {
        "q": clean_text(filter_.text),
        "from": filter_.first.isoformat() if filter_.first else "",
        "to": filter_.last.isoformat() if filter_.last else "",
        "crDr": filter_.direction.value if filter_.direction else "",
        "hasDocument": "false" if filter_.without_document else "",
        "status": "" if filter_.shown is Shown.ACTIVE else filter_.shown.value,
    }
    return {name: value for name, value in query.items() if value}


def version_of(version: shapes.EntryVersion) -> HistoryVersion:
    """Return one version of an entry's history."""
    return HistoryVersion(
        op_id=version.op_id,
        entry=entry_of(version.entry),
        action=version.action,
        author=version.author,
        device=version.device,
        made_at=datetime.fromisoformat(version.entry.updated_at),
        stands=version.stands,
        superseded=version.superseded,
        documents_added=tuple(document_of(d) for d in version.documents_added),
        documents_removed=tuple(document_of(d) for d in version.documents_removed),
    )


def edit_of(item: OutboxItem) -> shapes.EditEntry:
    """Return the body that edits an entry."""
    return shapes.EditEntry(
        op_id=item.op_id,
        ver=item.ver,
        based_on=_based_on(item),
        entry_date=item.entry_date.isoformat(),
        amount=f"{item.amount:.2f}",
        cr_dr="CR" if item.direction is Direction.CREDIT else "DR",
        category=item.category,
        description=item.description,
        add_documents=[new_document(d) for d in item.added],
        remove_documents=list(item.removed),
    )


def void_of(item: OutboxItem) -> shapes.VoidEntry:
    """Return the body that voids or restores an entry."""
    return shapes.VoidEntry(item.op_id, item.ver, _based_on(item))


def _based_on(item: OutboxItem) -> int:
    return item.base.entry.ver if item.base else 0


def new_document(d: DocumentInfo | shapes.Document) -> shapes.NewDocument:
    """Return a bill in the form of a request body."""
    return shapes.NewDocument(d.id, d.doc_code, d.file_name, d.media_type, d.byte_size, d.sha256)


def create_of(item: OutboxItem) -> shapes.CreateEntry:
    """Return the body that creates an entry."""
    return shapes.CreateEntry(
        op_id=item.op_id,
        ver=item.ver,
        id=item.entry_id,
        entry_date=item.entry_date.isoformat(),
        amount=f"{item.amount:.2f}",
        cr_dr="CR" if item.direction is Direction.CREDIT else "DR",
        category=item.category,
        description=item.description,
        human_code=item.human_code,
        documents=[new_document(d) for d in item.documents],
    )


def not_understood(status: int, *, retryable: bool) -> ServerError:
    """Return the error for an answer that is none of Bahi's."""
    sentence = "The server's answer could not be understood"
    sentence += "." if status < 400 else f" (HTTP {status})."
    return ServerError(sentence, retryable=retryable)


def error_of(status: int, body: bytes) -> AppError:
    """Return the error for an answer with a status of 400 or above."""
    try:
        info = decode_json(body, ErrorBody).error
    except msgspec.MsgspecError:
        return not_understood(status, retryable=status >= 500)
    fields = _fields(info.detail)
    if info.code in _SIGN_IN:
        return SignInError(info.message, fields=fields or _sign_in_field(info), code=info.code)
    if info.code == ErrorCode.USER_NAME_TAKEN:
        return InputError(info.message, fields={"userName": info.message}, code=info.code)
    if info.code in {ErrorCode.INVALID_FIELDS, ErrorCode.INVITE_REFUSED}:
        return InputError(info.message, fields=fields, code=info.code)
    return ServerError(
        info.message, retryable=status >= 500 or status == 429, code=info.code, detail=info.detail
    )


def _fields(detail: dict[str, object]) -> dict[str, str]:
    found = detail.get("fields")
    if not isinstance(found, list):
        return {}
    pairs = [(f.get("field"), f.get("message")) for f in found if isinstance(f, dict)]
    return {_WIRE_FIELDS.get(str(field), str(field)): str(message) for field, message in pairs}


def _sign_in_field(info: ErrorInfo) -> dict[str, str]:
    return {"password": info.message} if info.code == ErrorCode.WRONG_CREDENTIALS else {}
