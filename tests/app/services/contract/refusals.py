"""Every refusal that the contract knows, as the windows meet it: type, code, sentence, fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from app.errors import (
    AppError,
    CancelledError,
    InputError,
    OfflineError,
    ServerError,
    SignInError,
    StoreError,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An AppError without its traceback."""

    kind: type[AppError]
    message: str
    code: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    retryable: bool = False


def refusal(call: Callable[[], object]) -> Refusal:
    """Return the AppError that `call` raises; fails if it raises none."""
    with pytest.raises(AppError) as caught:
        call()
    error = caught.value
    # Why a server of the session cannot be reached is for the log; the windows show the sentence.
    code = "" if isinstance(error, OfflineError) and not error.fields else error.code
    return Refusal(type(error), error.message, code, error.fields, error.retryable)


def wrong_field(field_: str, sentence: str, code: str = "invalid_fields") -> Refusal:
    """Return the refusal of an input, with its sentence at one field."""
    return Refusal(InputError, sentence, code, {field_: sentence})


def wrong_address(sentence: str) -> Refusal:
    """Return the refusal of an address; no server was asked."""
    return wrong_field("address", sentence, code="")


def wrong_document(sentence: str) -> Refusal:
    """Return the refusal of a file that cannot be attached; no server was asked."""
    return wrong_field("documents", sentence, code="")


def not_signed_in(field_: str, sentence: str, code: str = "") -> Refusal:
    """Return the refusal of a log-in, with its sentence at one field."""
    return Refusal(SignInError, sentence, code, {field_: sentence})


def not_found(what: str) -> Refusal:
    """Return the refusal of an id that the book does not hold."""
    return Refusal(ServerError, f"There is no such {what} in this book.", "not_found")


OFFLINE: Final = Refusal(OfflineError, "The server cannot be reached right now.", retryable=True)


NOT_OPEN: Final = Refusal(
    OfflineError, "Your book is being opened again. Please try again in a moment.", retryable=True
)
"""Of the book on this computer: the sentence speaks of no server."""


def refused_at(address: str, *, typed: bool = True) -> Refusal:
    """Return the refusal of a log-in at an address where no server runs."""
    sentence = (
        f"No server runs at {address}: the computer there refused the connection. Check the address and its "
        "port, or ask the person who runs the server whether it is running."
    )
    code, fields = ("connection_refused", {"address": sentence}) if typed else ("", {})
    return Refusal(OfflineError, sentence, code, fields, retryable=True)


CANCELLED: Final = Refusal(CancelledError, "Cancelled.")
SIGNED_OUT: Final = Refusal(SignInError, "Please sign in.", "unauthenticated")

# Signing in
NO_USER_NAME: Final = not_signed_in("userName", "Please enter your user name.")
NO_PASSWORD: Final = not_signed_in("password", "Please enter your password.")
WRONG_CREDENTIALS: Final = not_signed_in("password", "Wrong user name or password.", "wrong_credentials")
WRONG_PASSWORD: Final = not_signed_in("password", "Wrong password.", "wrong_credentials")
TOO_MANY_ATTEMPTS: Final = Refusal(
    ServerError,
    "Too many attempts with a wrong password. Please try again in 3 minutes.",
    "too_many_attempts",
    retryable=True,
)
NO_ADDRESS: Final = wrong_address("Please type the address of the server.")
NOT_AN_ADDRESS: Final = wrong_address(
    "That is not a server address. It looks like https://books.example.com."
)
MORE_THAN_AN_ADDRESS: Final = wrong_address(
    "Please type only the server's address, such as https://books.example.com."
)
NOT_PROTECTED: Final = wrong_address("This address is not secure; it must begin with https://.")
DAMAGED_LINK: Final = wrong_address(
    "This invite link is incomplete. Please copy all of it, from “bahi:” to its end, "
    "or ask the person who runs the server for a new one."
)
OTHER_CLUSTER: Final = wrong_address("The servers at this address are not the ones of the invite link.")

# Accounts
NO_NEW_NAME: Final = wrong_field("userName", "Please fill in a user name.")
LONG_NAME: Final = wrong_field("userName", "The user name is longer than 64 characters.")
NAME_TAKEN: Final = wrong_field("userName", "This user name is already taken.", "user_name_taken")
CLOSED: Final = Refusal(
    SignInError,
    "Registration is closed on this server; ask its operator for an account.",
    "registration_closed",
)
INVITE_MISSING: Final = wrong_field(
    "inviteCode",
    "This server lets in only people who were invited. "
    "Please paste the invite link that you were given, or ask the person who runs the server for one.",
    "invite_refused",
)
INVITE_WRONG: Final = wrong_field(
    "inviteCode",
    "This is not an invitation to this server. "
    "Please check that you copied all of it, or ask the person who runs the server for a new one.",
    "invite_refused",
)
INVITE_SPENT: Final = wrong_field(
    "inviteCode",
    "This invitation has already been used; each one is for one account. "
    "If you used it yourself, sign in. Otherwise ask the person who runs the server for a new one.",
    "invite_refused",
)
NOT_THE_OLD_PASSWORD: Final = wrong_field("oldPassword", "That is not the current password.")
_SHORT: Final = "Please choose at least 8 characters."
_LONG: Final = "The password is longer than 256 characters."
SHORT_PASSWORD: Final = wrong_field("password", _SHORT)
LONG_PASSWORD: Final = wrong_field("password", _LONG)
SHORT_NEW_PASSWORD: Final = wrong_field("newPassword", _SHORT)
LONG_NEW_PASSWORD: Final = wrong_field("newPassword", _LONG)

# Entries
LONG_SEARCH: Final = wrong_field("q", "A search may have at most 100 characters.")
STRANGE_CURSOR: Final = Refusal(ServerError, "This cursor is not valid.", "bad_request")

# Documents and files
DAMAGED_DOCUMENT: Final = Refusal(StoreError, "The bill arrived damaged. Please try again.", retryable=True)


def no_folder(file: Path) -> Refusal:
    """Return the refusal to write a file into a folder that is not there."""
    sentence = f"{file} cannot be found. Its folder or disk may have been removed."
    return Refusal(StoreError, sentence, "disk_error", retryable=True)
