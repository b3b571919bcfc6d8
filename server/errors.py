"""Everything that the server refuses or fails at, as one tree.

ApiError            a stable code (`server.contract.errors`), a sentence for a person, details
├── InvalidFieldsError      one sentence for each field
└── StartError         the server cannot start; the sentence goes to the terminal, never on the wire

Rooms raise these at their boundary, `raise … from` the cause; `server.http.responses` translates them once.
"""

from collections.abc import Mapping, Sequence

import msgspec

from server.contract.errors import ErrorCode, FieldError


class ApiError(Exception):
    """A refusal or failure with a stable code."""

    def __init__(self, code: ErrorCode, message: str, detail: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = dict(detail or {})


class InvalidFieldsError(ApiError):
    """What was sent cannot be taken; `detail.fields` holds a sentence for each field."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        fields = [msgspec.to_builtins(error) for error in errors]
        super().__init__(ErrorCode.INVALID_FIELDS, errors[0].message, {"fields": fields})


class StartError(Exception):
    """The server cannot start; the message says what to do."""


def not_found(what: str) -> ApiError:
    """Return the refusal for anything that this book does not hold, whoever else does."""
    return ApiError(ErrorCode.NOT_FOUND, f"There is no such {what} in this book.")
