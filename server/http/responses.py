"""Bodies in and out: msgspec decodes and encodes, and errors are translated here, once."""

from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.contract import limits
from server.contract.errors import STATUS, ErrorBody, ErrorCode, ErrorInfo
from server.errors import ApiError

T = TypeVar("T")
_encoder = msgspec.json.Encoder()
_UNKNOWN_FIELD = "Object contains unknown field"  # msgspec has no error of its own for it
JSON = "application/json"


def answer(body: msgspec.Struct, status: int = HTTPStatus.OK) -> Response:
    """Return `body` as JSON; answers are about one person's book, so nobody may cache them."""
    return Response(_encoder.encode(body), status, {"Cache-Control": "no-store"}, JSON)


def error_response(error: ApiError) -> Response:
    """Return the body of a refusal."""
    body = ErrorBody(ErrorInfo(error.code, error.message, error.detail))
    headers = {"Cache-Control": "no-store"}
    if error.code is ErrorCode.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.code in {ErrorCode.DATABASE_UNAVAILABLE, ErrorCode.STORE_UNAVAILABLE}:
        headers["Retry-After"] = "1"
    if "retryAfter" in error.detail:
        headers["Retry-After"] = str(error.detail["retryAfter"])
    return Response(_encoder.encode(body), STATUS[error.code], headers, JSON)


async def read_json(request: Request, kind: type[T]) -> T:
    """Decode the body as `kind`. Raises ApiError (too_large, unknown_field, bad_request)."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limits.MAX_REQUEST_BYTES:
            raise ApiError(ErrorCode.TOO_LARGE, "This request is too large.")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        if str(error).startswith(_UNKNOWN_FIELD):  # dropping it would lose what was entered
            raise ApiError(
                ErrorCode.UNKNOWN_FIELD, f"This server is older than your program ({error})."
            ) from error
        raise ApiError(ErrorCode.BAD_REQUEST, f"The request does not fit: {error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError(ErrorCode.BAD_REQUEST, "The request is not JSON.") from error


def status_error(status: int) -> ApiError:
    """Return the refusal for what the router itself refuses."""
    if status == HTTPStatus.NOT_FOUND:
        return ApiError(ErrorCode.NOT_FOUND, "There is nothing at this address.")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return ApiError(ErrorCode.METHOD_NOT_ALLOWED, "This address does not take that method.")
    return ApiError(ErrorCode.BAD_REQUEST, "The request does not fit.")
