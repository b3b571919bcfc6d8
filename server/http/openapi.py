"""The OpenAPI 3.1 document, generated from the routes and the contract, and the route that serves it."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from server.contract import paths
from server.contract.errors import STATUS, ErrorBody, ErrorCode
from server.http.operation import ApiOperation, operation_of
from server.http.responses import JSON
from server.node.identity import VERSION

_REF: Final = "#/components/schemas/{name}"
# Errors that a call may return without listing them itself: every call, calls with a body, signed-in calls.
_EVERYWHERE: Final = (ErrorCode.INTERNAL, ErrorCode.DATABASE_UNAVAILABLE)
_WITH_BODY: Final = (ErrorCode.BAD_REQUEST, ErrorCode.UNKNOWN_FIELD, ErrorCode.TOO_LARGE)
_SIGNED_IN: Final = (ErrorCode.UNAUTHENTICATED, ErrorCode.WRONG_SERVER)
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
Json = dict[str, Any]


def make_document(routes: Sequence[BaseRoute]) -> Json:
    """Return the OpenAPI document. Raises LookupError if a handler is not `documented`."""
    operations = list(_operations(routes))
    types = {t for _, _, _, operation in operations for t in (operation.body, operation.answer) if t}
    ordered = sorted(types | {ErrorBody}, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    document: Json = {
        "openapi": "3.1.0",
        "info": {"title": "Bahi", "version": VERSION, "description": "The server of the Bahi account book."},
        "paths": {},
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }
    for path, method, handler, operation in operations:
        document["paths"].setdefault(path, {})[method.lower()] = _describe(path, handler, operation)
    return document


def openapi_route(routes: Sequence[BaseRoute]) -> Route:
    """Return the route that serves the document. The document is generated at the first call."""
    cached: list[bytes] = []

    async def openapi(_: Request) -> Response:
        if not cached:
            cached.append(msgspec.json.encode(make_document(routes)))
        return Response(cached[0], media_type=JSON)

    return Route(paths.OPENAPI, openapi, methods=["GET"])


def _operations(routes: Sequence[BaseRoute]) -> Any:
    for route in routes:
        if isinstance(route, Route):
            # Starlette adds HEAD to every GET route.
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield route.path, method, route.endpoint, operation_of(route.endpoint)


def _describe(path: str, handler: Any, operation: ApiOperation) -> Json:
    # Generated clients name their functions by this id, so it must not change: `entries_create`.
    subject = handler.__module__.removeprefix("server.api.").removeprefix("server.").partition(".")[0]
    description: Json = {
        "operationId": f"{subject}_{handler.__name__}",
        "summary": (handler.__doc__ or "").strip().splitlines()[0],
        "parameters": _parameters(path, operation),
        "responses": _responses(operation),
    }
    if operation.body is not None:
        content = {JSON: {"schema": {"$ref": _REF.format(name=operation.body.__name__)}}}
        description["requestBody"] = {"required": True, "content": content}
    if operation.takes_bytes:
        binary: Json = {"application/octet-stream": {"schema": {}}}
        description["requestBody"] = {"required": True, "content": binary}
    if operation.signed_in:
        description["security"] = [{"bearer": []}]
    return description


def _parameters(path: str, operation: ApiOperation) -> list[Json]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(path)
    ]
    in_query = [
        {"name": q.name, "in": "query", "required": False, "description": q.description, "schema": q.schema}
        for q in operation.query
    ]
    return [*in_path, *in_query]


def _responses(operation: ApiOperation) -> Json:
    responses: Json = {str(operation.status.value): _success(operation)}
    errors = [*_EVERYWHERE, *operation.errors]
    errors += _WITH_BODY if operation.body is not None else ()
    errors += _SIGNED_IN if operation.signed_in else ()
    by_status: dict[HTTPStatus, list[str]] = {}
    for code in dict.fromkeys(errors):  # without repetitions, in order
        by_status.setdefault(STATUS[code], []).append(code.value)
    for status, codes in sorted(by_status.items()):
        responses[str(status.value)] = {
            "description": f"{status.phrase}: {', '.join(sorted(codes))}",
            "content": {JSON: {"schema": {"$ref": _REF.format(name=ErrorBody.__name__)}}},
        }
    return responses


def _success(operation: ApiOperation) -> Json:
    if operation.answer is not None:
        schema = {"$ref": _REF.format(name=operation.answer.__name__)}
        return {"description": operation.status.phrase, "content": {JSON: {"schema": schema}}}
    if operation.media_type:
        return {"description": operation.status.phrase, "content": {operation.media_type: {"schema": {}}}}
    return {"description": operation.status.phrase}
