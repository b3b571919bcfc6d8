"""Every error code of the API, with its HTTP status.

The body of an error is ``{"error": {"code": …, "message": …, "detail": {…}}}``. Codes are stable. Messages
are sentences for a person and may change.
"""

from enum import StrEnum
from http import HTTPStatus
from typing import Any

import msgspec


class ErrorCode(StrEnum):
    """A stable code for programs."""

    BAD_REQUEST = "bad_request"
    UNKNOWN_FIELD = "unknown_field"
    INVALID_FIELDS = "invalid_fields"
    UNAUTHENTICATED = "unauthenticated"
    WRONG_CREDENTIALS = "wrong_credentials"
    FORBIDDEN = "forbidden"
    REGISTRATION_CLOSED = "registration_closed"
    INVITE_REFUSED = "invite_refused"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    USER_NAME_TAKEN = "user_name_taken"
    ENTRY_EXISTS = "entry_exists"
    BASE_MISSING = "base_missing"
    DOCUMENTS_MISSING = "documents_missing"
    LINK_EXPIRED = "link_expired"
    TOO_LARGE = "too_large"
    MEDIA_TYPE_REFUSED = "media_type_refused"
    OPERATION_REUSED = "operation_reused"
    CLOCK_AHEAD = "clock_ahead"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    WRONG_SERVER = "wrong_server"
    HEARTBEAT_REFUSED = "heartbeat_refused"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    INTERNAL = "internal"
    DATABASE_UNAVAILABLE = "database_unavailable"
    STORE_UNAVAILABLE = "store_unavailable"
    DRAINING = "draining"


STATUS: dict[ErrorCode, HTTPStatus] = {
    ErrorCode.BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    ErrorCode.UNKNOWN_FIELD: HTTPStatus.BAD_REQUEST,
    ErrorCode.INVALID_FIELDS: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.WRONG_CREDENTIALS: HTTPStatus.UNAUTHORIZED,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.REGISTRATION_CLOSED: HTTPStatus.FORBIDDEN,
    ErrorCode.INVITE_REFUSED: HTTPStatus.FORBIDDEN,
    ErrorCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorCode.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    ErrorCode.USER_NAME_TAKEN: HTTPStatus.CONFLICT,
    ErrorCode.ENTRY_EXISTS: HTTPStatus.CONFLICT,
    ErrorCode.BASE_MISSING: HTTPStatus.CONFLICT,
    ErrorCode.DOCUMENTS_MISSING: HTTPStatus.CONFLICT,
    ErrorCode.LINK_EXPIRED: HTTPStatus.GONE,
    ErrorCode.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.MEDIA_TYPE_REFUSED: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.OPERATION_REUSED: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.CLOCK_AHEAD: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.CHECKSUM_MISMATCH: HTTPStatus.UNPROCESSABLE_ENTITY,
    # The call is right, but for another server, which `detail.serverId` names.
    ErrorCode.WRONG_SERVER: HTTPStatus.MISDIRECTED_REQUEST,
    ErrorCode.HEARTBEAT_REFUSED: HTTPStatus.FORBIDDEN,
    ErrorCode.TOO_MANY_ATTEMPTS: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
    # A client may send the same call again later, or to another server.
    ErrorCode.DATABASE_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.STORE_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.DRAINING: HTTPStatus.SERVICE_UNAVAILABLE,
}


class FieldError(msgspec.Struct, frozen=True, rename="camel"):
    """An error in one field: a sentence for the person who typed the value."""

    field: str
    message: str


class ErrorInfo(msgspec.Struct, frozen=True, rename="camel"):
    """One error: its code, a sentence for a person, and details for a program."""

    code: str
    message: str
    detail: dict[str, Any] = {}


class ErrorBody(msgspec.Struct, frozen=True, rename="camel"):
    """The body of every response whose status is not 2xx."""

    error: ErrorInfo
