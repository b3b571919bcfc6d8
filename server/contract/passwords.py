"""The form in which a password is hashed: the OpaqueString profile of RFC 8265. Pure.

The programs that read a typed password prepare it: the desktop program, and the commands of an operator. A
server hashes what a client sends as it is, so passwords that were set before stay valid.
"""

import unicodedata
from itertools import pairwise
from typing import Final

from server.contract.checks import has_control_characters
from server.contract.errors import FieldError
from server.contract.normal_form import normalized

_CONTROL: Final = (
    "The password contains a line break or another control character. Please choose one without."
)
# Unicode's Default_Ignorable_Code_Point: drawn as nothing. FreeformClass of RFC 8264 disallows them.
_IGNORABLE: Final = (
    *(range(first, last + 1) for first, last in ((0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F))),
    *(range(first, last + 1) for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F))),
    *(range(first, last + 1) for first, last in ((0xFE00, 0xFE0F), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3))),
    *(range(first, last + 1) for first, last in ((0x1D173, 0x1D17A), (0xE0000, 0xE0FFF))),
    *((0xAD,), (0x34F,), (0x61C,), (0x3164,), (0xFEFF,), (0xFFA0,)),
)
_JOINERS: Final = "\u200c\u200d"
_VIRAMA: Final = 9  # the combining class of the signs that join two consonants


def prepare_password(typed: str) -> str:
    """Return the prepared form of a password: NFC, with every kind of space as an ASCII space.

    Nothing is trimmed. Halves of surrogate pairs, which cannot be sent, are left out.
    """
    sendable = typed.encode("utf-8", "ignore").decode()
    return normalized("NFC", "".join(" " if _is_space(c) else c for c in sendable))


def password_forms(typed: str) -> tuple[str, ...]:
    """Return the forms in which a typed password may have been set, without repetitions.

    The first one is the prepared form. The second one is as typed, which older versions sent.
    """
    return tuple(dict.fromkeys((prepare_password(typed), typed.encode("utf-8", "ignore").decode())))


def check_typed_password(new: str, field: str = "password") -> list[FieldError]:
    """Check a new password as it was typed. Its length is for `checks.check_new_password`."""
    if has_control_characters(new):
        return [FieldError(field, _CONTROL)]
    for before, char in pairwise(" " + new):
        if is_unseen(char, before):
            return [FieldError(field, _unseen_sentence(char))]
    return []


def is_unseen(char: str, before: str) -> bool:
    """Return whether nobody sees a character. Joiners change the letters of Hindi and Urdu before them."""
    if char in _JOINERS and (
        unicodedata.combining(before) == _VIRAMA or unicodedata.bidirectional(before) == "AL"
    ):
        return False
    return any(ord(char) in span for span in _IGNORABLE)


def _unseen_sentence(char: str) -> str:
    name = f"U+{ord(char):04X}"
    return f"The password contains a character that nobody sees ({name}). Please choose one without."


def _is_space(char: str) -> bool:
    return unicodedata.category(char) == "Zs"
