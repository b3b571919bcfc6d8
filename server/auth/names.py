"""User names: normalisation, validation, and the suffixes that make a name unique. Pure.

Two regions may accept the same name at the same moment. The user with the lowest claim (by version, then
operation) keeps it. Every other user signs in with the name and a suffix made from the user's id, such as
`asha-2kdt`. Nobody can choose a name that ends like this.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import Final
from uuid import UUID

from server.contract import checks, limits
from server.contract.errors import FieldError
from server.contract.normal_form import normalized
from server.contract.passwords import is_unseen

_LETTERS: Final = "bcdfghjkmnpqrstvwxz"  # no vowels, so that no suffix is a word
_MIN_LETTERS: Final = 3
_MAX_LETTERS: Final = 31  # enough for all 128 bits of the id
_SUFFIX: Final = re.compile(rf"(?s)(.+)(-2[{_LETTERS}]{{{_MIN_LETTERS},}})\Z")


def tidy_name(typed: str) -> str:
    """Return a typed name as it is stored: NFC, single spaces, without characters that nobody sees."""
    return normalized("NFC", " ".join(_seen(typed).split()))


def name_key(name: str) -> str:
    """Return the normalised form of a name, by which names are compared.

    It is NFKC, case-folded, without characters that nobody sees. This unites all names that RFC 8265
    (UsernameCaseMapped) unites: width, case and composition make no difference.
    """
    folded = unicodedata.normalize("NFKC", _seen(name)).casefold()
    return unicodedata.normalize("NFKC", folded)


def _earlier_key(name: str) -> str:
    """Return the normalised form that earlier versions made. Accounts of those are found by it."""
    return unicodedata.normalize("NFKC", name).casefold()


def _seen(text: str) -> str:
    return "".join(char for before, char in pairwise(" " + text) if not is_unseen(char, before))


def guess_key(name: str) -> str:
    """Return the key under which attempts to log in as `name` are counted if nobody has that name.

    Any text is accepted. It is the same for all spellings of a name, as it is for a name that somebody has:
    otherwise the count would show which names exist.
    """
    return name_key(_bounded(name))


def _bounded(name: str) -> str:
    # Normalising a name of megabytes would take long, so what nobody can have as a name is cut off. With its
    # suffix, a name may be longer than MAX_USER_NAME.
    return name[: 2 * limits.MAX_USER_NAME]


def check_name(name: str) -> list[FieldError]:
    """Check a user name and the length of its normalised form."""
    # Normalising may turn one letter into several, for example "ﬃ" into "ffi".
    if errors := checks.check_user_name(name):
        return errors
    if len(key := name_key(name)) > limits.MAX_USER_NAME:
        return [FieldError("userName", "The user name is too long in its normalised form.")]
    return checks.check_user_name(key)  # nothing is left of a name of characters that nobody sees


def check_new_name(name: str) -> list[FieldError]:
    """Check a name that somebody chooses. Names that end in a generated suffix are reserved."""
    if not (errors := check_name(name)) and split_suffix(name_key(name))[1]:
        errors.append(FieldError("userName", "A user name cannot end like this; please choose another."))
    return errors


def sign_in_keys(name: str) -> tuple[str, ...]:
    """Return the keys by which a name is looked up, in this order; none if nobody can have that name."""
    bounded = _bounded(name)
    keys = (split_suffix(key) for key in dict.fromkeys((_earlier_key(bounded), name_key(bounded))))
    return tuple(chosen + suffix for chosen, suffix in keys if not check_name(chosen))


def split_suffix(key: str) -> tuple[str, str]:
    """Return the chosen part of a name, and its generated suffix ("" if it has none)."""
    found = _SUFFIX.match(key)
    return (found[1], found[2]) if found else (key, "")


def suffixes(claims: Sequence[UUID]) -> list[str]:
    """Return the suffix of each user that claimed the same name, in the order of `claims`.

    The first user gets none. If two suffixes begin with the same letters, the later one has more letters.
    """
    given = [""]
    for user_id in claims[1:]:
        letters, length = _letters(user_id), _MIN_LETTERS
        while f"-2{letters[:length]}" in given and length < len(letters):
            length += 1
        given.append(f"-2{letters[:length]}")
    return given[: len(claims)]


def _letters(user_id: UUID) -> str:
    number, letters = user_id.int, ""
    for _ in range(_MAX_LETTERS):
        number, digit = divmod(number, len(_LETTERS))
        letters += _LETTERS[digit]
    return letters
