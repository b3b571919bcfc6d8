"""Names to sign in by: what two spellings of one name have in common, and what a name may be. Pure.

Two regions may accept one name at the same moment. The lowest claim has it; whoever else claimed it signs in
by the name and an ending of its own, `asha-2kdt`, made of the user's id, which nobody can choose.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from server.contract import checks, limits
from server.contract.errors import FieldError

_LETTERS: Final = "bcdfghjkmnpqrstvwxz"  # no vowels: it spells nothing
_FEWEST: Final = 3
_MOST: Final = 31  # the whole id
_ENDING: Final = re.compile(rf"(?s)(.+)(-2[{_LETTERS}]{{{_FEWEST},}})\Z")


def name_key(name: str) -> str:
    """Return what two spellings of one name have in common (NFKC, caseless)."""
    return unicodedata.normalize("NFKC", name).casefold()


def guess_key(name: str) -> str:
    """Return by what attempts on `name` are counted, a name that nobody can have included."""
    return name_key(name[: limits.MAX_USER_NAME + 1])


def check_name(name: str) -> list[FieldError]:
    """Check a name to sign in by, and what is kept of it: folded, some letters become several."""
    if not (errors := checks.check_user_name(name)) and len(name_key(name)) > limits.MAX_USER_NAME:
        errors.append(FieldError("userName", "The user name is too long once its letters are spelled out."))
    return errors


def check_new_name(name: str) -> list[FieldError]:
    """Check a name that somebody chooses: the endings of names that were taken are nobody's to choose."""
    if not (errors := check_name(name)) and split_ending(name_key(name))[1]:
        errors.append(FieldError("userName", "A user name cannot end like this one; please choose another."))
    return errors


def sign_in_key(name: str) -> str:
    """Return by what a name is looked up, "" where nobody can have it. With an ending it may be longer than a
    name that is chosen."""
    chosen, ending = split_ending(name_key(name[: 2 * limits.MAX_USER_NAME]))
    return "" if check_name(chosen) else chosen + ending


def split_ending(key: str) -> tuple[str, str]:
    """Return a name as it was chosen, and its ending, "" where it has none."""
    found = _ENDING.match(key)
    return (found[1], found[2]) if found else (key, "")


def endings(claims: Sequence[UUID]) -> list[str]:
    """Return the ending of each of the users that claimed one name, in the order of their claims: the first
    has none. Of two whose letters begin alike, the later one's are more."""
    given = [""]
    for user_id in claims[1:]:
        letters, length = _letters(user_id), _FEWEST
        while f"-2{letters[:length]}" in given and length < len(letters):
            length += 1
        given.append(f"-2{letters[:length]}")
    return given[: len(claims)]


def _letters(user_id: UUID) -> str:
    number, letters = user_id.int, ""
    for _ in range(_MOST):
        number, digit = divmod(number, len(_LETTERS))
        letters += _LETTERS[digit]
    return letters
