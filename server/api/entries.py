"""The calls on entries, suggestions and exports, and on the whole book."""

from collections.abc import Generator
from http import HTTPStatus
from itertools import chain
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from server.api.authenticate import authenticate
from server.api.state import state_of
from server.contract import checks, limits, paths
from server.contract.errors import ErrorCode
from server.contract.shapes import (
    BookDigest,
    CategorySuggestions,
    CreateEntry,
    DescriptionSuggestions,
    EditEntry,
    EntryHistory,
    EntryPage,
    EntrySaved,
    EntryWithDocuments,
    Summary,
    VoidEntry,
)
from server.entries.search import parse_filter, parse_limit
from server.errors import not_found
from server.http.operation import Query, documented
from server.http.responses import answer, read_json
from server.http.while_connected import while_connected

_DAY = {"type": "string", "format": "date"}
_FILTER = (
    Query("q", {"type": "string", "maxLength": limits.MAX_SEARCH}, "words that must all occur in the entry"),
    Query("from", _DAY, "the first day"),
    Query("to", _DAY, "the last day"),
    Query("crDr", {"enum": ["CR", "DR"]}, "money in or money out"),
    Query("category", {"type": "string", "maxLength": limits.MAX_CATEGORY}, "this category, in any spelling"),
    Query("hasDocument", {"enum": ["true", "false"]}, "with or without a bill"),
    Query("status", {"enum": ["active", "voided", "all"]}, "default: active"),
)
_PAGING = (
    Query("cursor", {"type": "string"}, "the nextCursor of the previous page"),
    Query("limit", {"type": "integer", "minimum": 1, "maximum": limits.MAX_PAGE}, "entries per page"),
)
_PREFIX = (Query("prefix", {"type": "string"}, "the beginning of the text"),)
_CHANGE = (
    ErrorCode.INVALID_FIELDS,
    ErrorCode.CLOCK_AHEAD,
    ErrorCode.DOCUMENTS_MISSING,
    ErrorCode.MEDIA_TYPE_REFUSED,
    ErrorCode.OPERATION_REUSED,
)
# The errors of a change to an existing entry.
_LATER = (*_CHANGE, ErrorCode.NOT_FOUND, ErrorCode.BASE_MISSING, ErrorCode.ENTRY_EXISTS)


@documented(
    body=CreateEntry, answer=EntrySaved, status=HTTPStatus.CREATED, errors=(*_CHANGE, ErrorCode.ENTRY_EXISTS)
)
async def create(request: Request) -> Response:
    """POST /v1/entries: creates an entry."""
    identity = authenticate(request)
    body = await read_json(request, CreateEntry)
    return answer(await state_of(request).changes.create(identity, body), HTTPStatus.CREATED)


@documented(body=EditEntry, answer=EntrySaved, errors=_LATER)
async def edit(request: Request) -> Response:
    """PUT /v1/entries/{id}: edits an entry."""
    identity, id_ = authenticate(request), _id(request, "entry")
    body = await read_json(request, EditEntry)
    return answer(await state_of(request).changes.edit(identity, id_, body))


@documented(body=VoidEntry, answer=EntrySaved, errors=_LATER)
async def void(request: Request) -> Response:
    """POST /v1/entries/{id}/void: voids an entry."""
    identity, id_ = authenticate(request), _id(request, "entry")
    body = await read_json(request, VoidEntry)
    return answer(await state_of(request).changes.void(identity, id_, body))


@documented(body=VoidEntry, answer=EntrySaved, errors=_LATER)
async def restore(request: Request) -> Response:
    """POST /v1/entries/{id}/restore: restores a voided entry."""
    identity, id_ = authenticate(request), _id(request, "entry")
    body = await read_json(request, VoidEntry)
    return answer(await state_of(request).changes.restore(identity, id_, body))


@documented(answer=EntryHistory, errors=(ErrorCode.NOT_FOUND,))
async def history(request: Request) -> Response:
    """GET /v1/entries/{id}/history: returns all versions of an entry."""
    identity = authenticate(request)
    return answer(await state_of(request).changes.history(identity, _id(request, "entry")))


@documented(
    answer=EntryPage, query=(*_FILTER, *_PAGING), errors=(ErrorCode.INVALID_FIELDS, ErrorCode.BAD_REQUEST)
)
async def page(request: Request) -> Response:
    """GET /v1/entries: returns a page of the listing or of a search."""
    identity, query = authenticate(request), dict(request.query_params)
    filter_, limit = parse_filter(query), parse_limit(query.get("limit", ""))
    found = state_of(request).entries.page(identity, filter_, query.get("cursor", ""), limit)
    return answer(await while_connected(request, found))


@documented(answer=Summary, query=_FILTER, errors=(ErrorCode.INVALID_FIELDS,))
async def summary(request: Request) -> Response:
    """GET /v1/entries/summary: returns the totals of a filter."""
    identity = authenticate(request)
    filter_ = parse_filter(dict(request.query_params))
    return answer(await while_connected(request, state_of(request).entries.summary(identity, filter_)))


@documented(answer=EntryWithDocuments, errors=(ErrorCode.NOT_FOUND,))
async def entry(request: Request) -> Response:
    """GET /v1/entries/{id}: returns an entry with its documents."""
    identity = authenticate(request)
    return answer(await state_of(request).entries.get(identity, _id(request, "entry")))


@documented(answer=BookDigest)
async def digest(request: Request) -> Response:
    """GET /v1/book/digest: returns a digest by which two books can be compared."""
    identity = authenticate(request)
    return answer(await state_of(request).entries.digest(identity))


@documented(answer=CategorySuggestions, query=_PREFIX)
async def suggest_categories(request: Request) -> Response:
    """GET /v1/suggestions/categories: completes a category."""
    identity, prefix = authenticate(request), request.query_params.get("prefix", "")
    return answer(await state_of(request).entries.suggest_categories(identity, _plain(prefix)))


@documented(answer=DescriptionSuggestions, query=_PREFIX)
async def suggest_descriptions(request: Request) -> Response:
    """GET /v1/suggestions/descriptions: completes a description."""
    identity, prefix = authenticate(request), request.query_params.get("prefix", "")
    return answer(await state_of(request).entries.suggest_descriptions(identity, _plain(prefix)))


@documented(media_type="text/csv; charset=utf-8", query=_FILTER, errors=(ErrorCode.INVALID_FIELDS,))
async def export_csv(request: Request) -> Response:
    """GET /v1/exports/transactions.csv: returns all entries of a filter as CSV."""
    identity = authenticate(request)
    filter_ = parse_filter(dict(request.query_params))
    chunks = state_of(request).exports.stream(identity, filter_)
    # Wait for the first chunk: if the export fails, the response can still be an error.
    first = await run_in_threadpool(next, chunks)

    headers = {
        "Content-Disposition": 'attachment; filename="Transactions.csv"',
        "Cache-Control": "no-store",
    }
    return _CsvDownload(first, chunks, headers)


class _CsvDownload(StreamingResponse):
    """Streams `chunks`, and closes the generator in the end: if the client goes away, the query ends too."""

    def __init__(self, first: bytes, chunks: Generator[bytes, None, None], headers: dict[str, str]) -> None:
        super().__init__(chain([first], chunks), headers=headers, media_type="text/csv; charset=utf-8")
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Without this the query would run until the garbage collector closes the generator.
            await run_in_threadpool(self._chunks.close)


def _id(request: Request, what: str) -> UUID:
    text = request.path_params["id"]
    # Nothing can have such an id, and PostgreSQL would not accept it.
    if not checks.is_uuid(text):
        raise not_found(what)
    return UUID(text)


def _plain(prefix: str) -> str:
    """Remove control characters, which no suggestion contains and of which PostgreSQL refuses NUL."""
    return "".join(c for c in prefix if not checks.has_control_characters(c))


ROUTES = [
    Route(paths.ENTRIES, create, methods=["POST"]),
    Route(paths.ENTRIES, page, methods=["GET"]),
    Route(paths.ENTRIES_SUMMARY, summary, methods=["GET"]),
    Route(paths.ENTRY, entry, methods=["GET"]),
    Route(paths.ENTRY, edit, methods=["PUT"]),
    Route(paths.ENTRY_VOID, void, methods=["POST"]),
    Route(paths.ENTRY_RESTORE, restore, methods=["POST"]),
    Route(paths.ENTRY_HISTORY, history, methods=["GET"]),
    Route(paths.BOOK_DIGEST, digest, methods=["GET"]),
    Route(paths.SUGGEST_CATEGORIES, suggest_categories, methods=["GET"]),
    Route(paths.SUGGEST_DESCRIPTIONS, suggest_descriptions, methods=["GET"]),
    Route(paths.EXPORT_CSV, export_csv, methods=["GET"]),
]
