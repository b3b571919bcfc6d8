"""The recovery code of a book on its owner's computer: how it is written, and how it is read. Pure.

A code is 25 letters and digits in five groups. 24 of them are random (120 bits), the last one is a check, so
that a typing mistake is told from another book's code. The alphabet is Crockford's: it has no I, L, O and U,
and whoever types one of them means 1, 1, 0 or V.
"""

import hashlib
import unicodedata
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans("ILOU", "110V")
_RANDOM: Final = 24
_GROUP: Final = 5
_LENGTH: Final = _RANDOM + 1
CODE_BITS: Final = 5 * _RANDOM
MAX_TYPED: Final = 400

_EMPTY: Final = "Please type your recovery code."
_LONG: Final = "That is too long for a recovery code. Please type the code only."
_MISTYPED: Final = "There is a typing mistake in the code. Please compare it with your paper."


def make_code(number: int) -> str:
    """Return the code of a random number of `CODE_BITS` bits, in groups: `7KX2M-…`."""
    digits = [number >> 5 * at & 31 for at in range(_RANDOM)]
    bare = "".join(_ALPHABET[digit] for digit in digits) + _check_of(digits)
    return "-".join(bare[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))


def read_code(typed: str) -> str:
    """Return the letters and digits of a typed code, or "" if it is not a code.

    Case, and everything that is neither letter nor digit (hyphens, spaces, direction marks), makes no
    difference.
    """
    bare = _letters(typed)
    digits = [_ALPHABET.find(char) for char in bare]
    if len(typed) > MAX_TYPED or len(digits) != _LENGTH or -1 in digits:
        return ""
    return bare if _check_of(digits[:_RANDOM]) == bare[-1] else ""


def code_mistake(typed: str) -> str:
    """Return what is wrong with a typed code, in a sentence; "" if it can be a code."""
    if len(typed) > MAX_TYPED:
        return _LONG
    if read_code(typed):
        return ""
    if not (bare := _letters(typed)):
        return _EMPTY
    if len(bare) != _LENGTH:
        return f"A recovery code has {_LENGTH} letters and digits; here are {len(bare)}."
    return _MISTYPED


def code_hash(bare: str) -> str:
    """Return what is stored of a code that `read_code` returned: a SHA-256 in hexadecimal."""
    # Nobody can try 2**120 codes, so it needs no slow hash, unlike a password that a person chose.
    return hashlib.sha256(b"bahi recovery code " + bare.encode()).hexdigest()


def _letters(typed: str) -> str:
    wide = unicodedata.normalize("NFKC", typed[: MAX_TYPED + 1])
    ascii_digits = (str(unicodedata.decimal(char, char)) for char in wide)  # digits of Indian scripts too
    kept = (char for char in "".join(ascii_digits).upper() if char.isalnum())
    return "".join(kept).translate(_READ_AS)


def _check_of(digits: list[int]) -> str:
    """Return the check of the random digits. It tells one wrong character, and two that are swapped."""
    return _ALPHABET[sum(weight * digit for weight, digit in enumerate(digits, 1)) % 31]
