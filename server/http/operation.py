"""The description of a handler's request and response. The OpenAPI document is generated from it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.contract.errors import ErrorCode

Handler = Callable[[Request], Awaitable[Response]]
H = TypeVar("H", bound=Handler)
_ATTRIBUTE: Final = "__operation__"


@dataclass(frozen=True, slots=True)
class Query:
    """One query parameter; `schema` is JSON Schema."""

    name: str
    schema: dict[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """The description of one call.

    `media_type` is set if the response is not JSON, `takes_bytes` if the request body is not JSON.
    """

    body: type[msgspec.Struct] | None
    answer: type[msgspec.Struct] | None
    status: HTTPStatus
    query: tuple[Query, ...]
    errors: tuple[ErrorCode, ...]
    signed_in: bool
    media_type: str
    takes_bytes: bool


def documented(
    *,
    body: type[msgspec.Struct] | None = None,
    answer: type[msgspec.Struct] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
    query: tuple[Query, ...] = (),
    errors: tuple[ErrorCode, ...] = (),
    signed_in: bool = True,
    media_type: str = "",
    takes_bytes: bool = False,
) -> Callable[[H], H]:
    """Describe a handler's request and response. `errors` lists the errors that not every call may return."""
    operation = ApiOperation(body, answer, status, query, errors, signed_in, media_type, takes_bytes)

    def mark(handler: H) -> H:
        # On the function itself, because a route gives the OpenAPI document only its endpoint.
        setattr(handler, _ATTRIBUTE, operation)
        return handler

    return mark


def operation_of(handler: Any) -> ApiOperation:
    """Return the description of a handler. Raises LookupError if it is not `documented`."""
    operation = getattr(handler, _ATTRIBUTE, None)
    if not isinstance(operation, ApiOperation):
        raise LookupError(f"{handler.__qualname__} is not documented")
    return operation
