"""Request and response bodies: msgspec decodes and encodes them, and errors become error bodies."""

from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.contract import limits
from server.contract.decoding import decode_json
from server.contract.errors import STATUS, ErrorBody, ErrorCode, ErrorInfo
from server.errors import ApiError

T = TypeVar("T")
_encoder = msgspec.json.Encoder()
# msgspec has no exception class for an unknown field, so its message is compared.
_UNKNOWN_FIELD = "Object contains unknown field"
JSON = "application/json"


def answer(body: msgspec.Struct, status: int = HTTPStatus.OK) -> Response:
    """Return `body` as a JSON response."""
    # No cache may keep what is in somebody's book.
    return Response(_encoder.encode(body), status, {"Cache-Control": "no-store"}, JSON)


def error_response(error: ApiError) -> Response:
    """Return the response for an error."""
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
    # Read in chunks: Content-Length may be missing or wrong, and a body must not fill the memory.
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limits.MAX_REQUEST_BYTES:
            raise ApiError(ErrorCode.TOO_LARGE, "The request is too large.")
    try:
        return decode_json(body, kind)
    except msgspec.ValidationError as error:
        # Ignoring the field would lose what the user entered in it.
        if str(error).startswith(_UNKNOWN_FIELD):
            raise ApiError(
                ErrorCode.UNKNOWN_FIELD, f"This server is older than your program ({error})."
            ) from error
        raise ApiError(ErrorCode.BAD_REQUEST, f"The request is not valid: {error}.") from error
    except msgspec.DecodeError as error:
        raise ApiError(ErrorCode.BAD_REQUEST, "The request is not JSON.") from error


def status_error(status: int) -> ApiError:
    """Return the error for a status with which the router refuses a call."""
    if status == HTTPStatus.NOT_FOUND:
        return ApiError(ErrorCode.NOT_FOUND, "There is nothing at this address.")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return ApiError(ErrorCode.METHOD_NOT_ALLOWED, "This address does not support that method.")
    return ApiError(ErrorCode.BAD_REQUEST, "The request is not valid.")
