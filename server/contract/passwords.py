"""The form in which a password is hashed: the OpaqueString profile of RFC 8265. Pure.

The programs that read a typed password prepare it: the desktop program, and the commands of an operator. A
server hashes what a client sends as it is, so passwords that were set before stay valid.
"""

import unicodedata
from typing import Final

from server.contract.checks import has_control_characters
from server.contract.errors import FieldError

_CONTROL: Final = (
    "The password contains a line break or another control character. Please choose one without."
)


def prepare_password(typed: str) -> str:
    """Return the prepared form of a password: NFC, with every kind of space as an ASCII space.

    Nothing is trimmed. Halves of surrogate pairs, which cannot be sent, are left out.
    """
    sendable = typed.encode("utf-8", "ignore").decode()
    return unicodedata.normalize("NFC", "".join(" " if _is_space(c) else c for c in sendable))


def password_forms(typed: str) -> tuple[str, ...]:
    """Return the forms in which a typed password may have been set, without repetitions.

    The first one is the prepared form. The second one is as typed, which older versions sent.
    """
    return tuple(dict.fromkeys((prepare_password(typed), typed.encode("utf-8", "ignore").decode())))


def check_typed_password(new: str, field: str = "password") -> list[FieldError]:
    """Check a new password as it was typed. Its length is for `checks.check_new_password`."""
    return [FieldError(field, _CONTROL)] if has_control_characters(new) else []


def _is_space(char: str) -> bool:
    return unicodedata.category(char) == "Zs"
