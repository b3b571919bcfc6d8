"""The calls on entries, suggestions and exports."""

import contextlib
from collections.abc import Generator
from http import HTTPStatus
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from server.contract import checks, paths
from server.contract.shapes import CreateEntry
from server.entries.search import parse_filter, parse_limit
from server.errors import not_found
from server.http.guard import identify
from server.http.responses import answer, read_json
from server.http.state import services_of


async def create(request: Request) -> Response:
    """POST /v1/entries"""
    identity = identify(request)
    body = await read_json(request, CreateEntry)
    return answer(await services_of(request).entries.create(identity, body), HTTPStatus.CREATED)


async def page(request: Request) -> Response:
    """GET /v1/entries"""
    identity, query = identify(request), dict(request.query_params)
    filter_, limit = parse_filter(query), parse_limit(query.get("limit", ""))
    entries = services_of(request).entries
    return answer(await entries.page(identity, filter_, query.get("cursor", ""), limit))


async def summary(request: Request) -> Response:
    """GET /v1/entries/summary"""
    identity = identify(request)
    filter_ = parse_filter(dict(request.query_params))
    return answer(await services_of(request).entries.summary(identity, filter_))


async def entry(request: Request) -> Response:
    """GET /v1/entries/{id}"""
    identity = identify(request)
    return answer(await services_of(request).entries.get(identity, _id(request, "entry")))


async def suggest_categories(request: Request) -> Response:
    """GET /v1/suggestions/categories"""
    identity, prefix = identify(request), request.query_params.get("prefix", "")
    return answer(await services_of(request).entries.suggest_categories(identity, _plain(prefix)))


async def suggest_descriptions(request: Request) -> Response:
    """GET /v1/suggestions/descriptions"""
    identity, prefix = identify(request), request.query_params.get("prefix", "")
    return answer(await services_of(request).entries.suggest_descriptions(identity, _plain(prefix)))


async def export_csv(request: Request) -> Response:
    """GET /v1/exports/transactions.csv"""
    identity = identify(request)
    filter_ = parse_filter(dict(request.query_params))
    pieces = services_of(request).exports.stream(identity, filter_)
    first = await run_in_threadpool(next, pieces)  # what fails, fails before the answer begins

    headers = {
        "Content-Disposition": 'attachment; filename="Transactions.csv"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(_after(first, pieces), media_type="text/csv; charset=utf-8", headers=headers)


def _after(first: bytes, pieces: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    with contextlib.closing(pieces):  # a client that goes away ends the export too
        yield first
        yield from pieces


def _id(request: Request, what: str) -> UUID:
    text = request.path_params["id"]
    if not checks.is_uuid(text):
        raise not_found(what)
    return UUID(text)


def _plain(prefix: str) -> str:
    """Drop what no suggestion holds and PostgreSQL refuses (NUL)."""
    return "".join(c for c in prefix if not checks.has_control_characters(c))


ROUTES = [
    Route(paths.ENTRIES, create, methods=["POST"]),
    Route(paths.ENTRIES, page, methods=["GET"]),
    Route(paths.ENTRIES_SUMMARY, summary, methods=["GET"]),
    Route(paths.ENTRY, entry, methods=["GET"]),
    Route(paths.SUGGEST_CATEGORIES, suggest_categories, methods=["GET"]),
    Route(paths.SUGGEST_DESCRIPTIONS, suggest_descriptions, methods=["GET"]),
    Route(paths.EXPORT_CSV, export_csv, methods=["GET"]),
]
