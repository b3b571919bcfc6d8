"""The exceptions of the server that carry a sentence for a person.

ApiError                 sent to the client: a stable code, a sentence, details
└── InvalidFieldsError   one sentence for each invalid field
StartError               printed on the terminal: a server or command cannot start

Services raise ApiError `from` its cause, and `server.http` turns it into a response.
"""

from collections.abc import Mapping, Sequence

import msgspec

from server.contract.errors import ErrorCode, FieldError


class ApiError(Exception):
    """An error for the client, with a stable code, a sentence for a person, and details for a program."""

    def __init__(self, code: ErrorCode, message: str, detail: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = dict(detail or {})


class InvalidFieldsError(ApiError):
    """Some fields are not valid. `detail.fields` has a sentence for each, and the message is the first."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        fields = [msgspec.to_builtins(error) for error in errors]
        super().__init__(ErrorCode.INVALID_FIELDS, errors[0].message, {"fields": fields})


def invalid_field(field: str, sentence: str, detail: Mapping[str, object] | None = None) -> ApiError:
    """Return the error about one field, with more details."""
    error = InvalidFieldsError([FieldError(field, sentence)])
    error.detail.update(detail or {})
    return error


class StartError(Exception):
    """A server or command cannot start. The message says what to do."""


def not_found(what: str) -> ApiError:
    """Return the error for something that is not in the caller's book."""
    # It is the same whether another book has it or not, so that nobody can find out ids of other books.
    return ApiError(ErrorCode.NOT_FOUND, f"There is no such {what} in this book.")
