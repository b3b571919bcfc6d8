"""Translates between the protocol's shapes and the program's dataclasses, and error answers to AppErrors.

Texts of a server are cut here: the windows would take seconds to lay out one of a million characters.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import msgspec

from app.domain.device_name import computer_of
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
from app.domain.wording import Words
from app.errors import AppError, InputError, ServerError, SignInError
from server.contract import shapes
from server.contract.decoding import decode_json
from server.contract.errors import ErrorBody, ErrorCode, ErrorInfo

_SIGN_IN = frozenset({ErrorCode.UNAUTHENTICATED, ErrorCode.WRONG_CREDENTIALS, ErrorCode.REGISTRATION_CLOSED})
_LONGEST_TEXT: Final = 2_000  # above every limit of the protocol, so that a later one may be higher
_LONGEST_NAME: Final = 200
_LONGEST_SENTENCE: Final = 500
_LONGEST_CODE: Final = 100
_MOST_FIELDS: Final = 50
# Of 30 digits at most: `Decimal` also reads 1e999999999, and to show that would take minutes.
_RUPEES = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,2})?")
_WIRE_FIELDS = {"userName": "userName", "password": "password", "entryDate": "date"}


def bounded_name(name: str) -> str:
    """Return a name of a user, a device or a region, cut to a length that can be shown."""
    return name[:_LONGEST_NAME]


def bounded_text(text: str) -> str:
    """Return a text of an entry, cut to a length that can be shown."""
    return text[:_LONGEST_TEXT]


def rupees_of(text: str) -> Decimal:
    """Return an amount or a sum that a server sent. Raises ServerError if it is none."""
    if not _RUPEES.fullmatch(text):
        raise ServerError("The server sent an amount that cannot be read.", retryable=True)
    return Decimal(text)


def _sentence(text: str) -> str:
    """Return a sentence of a server in one line, of at most _LONGEST_SENTENCE characters."""
    if len(text) > _LONGEST_SENTENCE:
        text = f"{text[: _LONGEST_SENTENCE - 1]}…"
    return clean_text(text)


def entry_of(entry: shapes.Entry) -> ListedEntry:
    """Return a row of the listing."""
    return ListedEntry(
        id=entry.id,
        entry_date=date.fromisoformat(entry.entry_date),
        amount=rupees_of(entry.amount),
        direction=Direction(entry.cr_dr),
        category=bounded_text(entry.category),
        description=bounded_text(entry.description),
        human_code=bounded_name(entry.human_code),
        document_count=entry.document_count,
        voided=entry.voided_at is not None,
        ver=entry.ver,
    )


def document_of(document: shapes.Document) -> DocumentInfo:
    """Return a bill of a saved entry."""
    return DocumentInfo(
        document.id,
        bounded_name(document.doc_code),
        bounded_text(document.file_name),
        bounded_name(document.media_type),
        document.byte_size,
        document.sha256,
    )


def detail_of(answer: shapes.EntryWithDocuments | shapes.EntrySaved) -> EntryDetail:
    """Return an entry with its bills."""
    return EntryDetail(entry_of(answer.entry), tuple(document_of(d) for d in answer.documents))


def totals_of(summary: shapes.Summary) -> Totals:
    """Return the totals of a summary."""
    return Totals(summary.count, rupees_of(summary.money_out), rupees_of(summary.money_in))


def description_of(suggestion: shapes.DescriptionSuggestion) -> Suggestion:
    """Return the completion of a description."""
    return Suggestion(
        bounded_text(suggestion.text),
        suggestion.uses,
        bounded_text(suggestion.category),
        Direction(suggestion.cr_dr),
    )


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
        author=bounded_name(version.author),
        device=computer_of(bounded_name(version.device)),
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


def not_understood(status: int, words: Words, *, retryable: bool) -> ServerError:
    """Return the error for an answer that is none of Bahi's."""
    sentence = words.not_understood
    if status >= 400 and not words.is_local:
        sentence = f"{sentence.removesuffix('.')} (HTTP {status})."
    return ServerError(sentence, retryable=retryable)


def error_of(status: int, body: bytes, words: Words) -> AppError:
    """Return the error for an answer with a status of 400 or above."""
    try:
        info = decode_json(body, ErrorBody).error
    except msgspec.MsgspecError:
        return not_understood(status, words, retryable=status >= 500)
    code, fields = info.code[:_LONGEST_CODE], _fields(info, words)
    sentence = _sentence(info.message) or words.no_reason
    if code in _SIGN_IN:
        below = {"password": sentence} if code == ErrorCode.WRONG_CREDENTIALS else {}
        return SignInError(sentence, fields=fields or below, code=code, detail=info.detail)
    if code == ErrorCode.USER_NAME_TAKEN:
        return InputError(sentence, fields={"userName": sentence}, code=code)
    if code in {ErrorCode.INVALID_FIELDS, ErrorCode.INVITE_REFUSED}:
        return InputError(sentence, fields=fields, code=code, detail=info.detail)
    return ServerError(sentence, retryable=status >= 500 or status == 429, code=code, detail=info.detail)


def _fields(info: ErrorInfo, words: Words) -> dict[str, str]:
    found = info.detail.get("fields")
    if not isinstance(found, list):
        return {}
    pairs = [(f.get("field"), f.get("message")) for f in found[:_MOST_FIELDS] if isinstance(f, dict)]
    return {
        _WIRE_FIELDS.get(field, field[:_LONGEST_CODE]): _sentence(message) or words.no_reason
        for field, message in pairs
        if isinstance(field, str) and isinstance(message, str)
    }
