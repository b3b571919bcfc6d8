"""The search key of a text: texts with one key are one for search, suggestions and categories. Pure.

PostgreSQL makes the same key (`bahi_search_key` in server/db/migrations). A test compares them for every code
point. Characters are listed here, not chosen by their properties, because the Unicode tables of Python and
PostgreSQL have different versions.
"""

import re
from typing import Final

from server.contract.normal_form import normalized

# What nobody sees (controls, marks of direction, joiners, variation selectors, fillers), and the combining
# marks of Latin, Greek and Cyrillic letters. Signs of other scripts stay, because they carry meaning.
DROPPED: Final = (
    (0x00, 0x08),
    (0x0E, 0x1B),
    (0x7F, 0x84),
    (0x86, 0x9F),
    (0xAD, 0xAD),
    (0x300, 0x36F),
    (0x483, 0x489),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x20D0, 0x20FF),
    (0x3164, 0x3164),
    (0xD800, 0xDFFF),
    (0xFE00, 0xFE0F),
    (0xFE20, 0xFE2F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
# The zero of each script that has decimal digits of its own; its other digits follow.
# fmt: off
ZEROS: Final = (
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
    0xE50, 0xED0, 0xF20,     0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0,     0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0x104A0,
    0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0,     0x11450, 0x114D0, 0x11650,
    0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50,     0x11DA0,
    0x11DE0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x1CCF0, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1,
    0x1E950,
)
# fmt: on
# Letters that are one when case is ignored, although neither is the lower case of the other.
FOLDED: Final = {
    "ß": "ss",
    "ς": "σ",
    "ᲀ": "в",
    "ᲁ": "д",
    "ᲂ": "о",
    "ᲃ": "с",
    "ᲄ": "т",
    "ᲅ": "т",
    "ᲆ": "ъ",
    "ᲇ": "ѣ",
    "ᲈ": "ꙋ",
}
_DROPPED: Final = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in DROPPED) + "]+")
_REPLACED: Final = str.maketrans(
    FOLDED | {chr(zero + digit): str(digit) for zero in ZEROS for digit in range(10)}
)


def search_key(text: str) -> str:
    """Return the search key of `text`.

    Case, accents, compatible forms (`ＡＢＣ` and `abc`) and the script of digits make no difference, nor does
    what nobody sees. A run of white space, line breaks included, becomes one space; the edges have none.
    """
    # Dropped before and after the normalisation: a joiner between two signs would keep them from being put in
    # order, and the normalisation separates accents from letters.
    if not text.isascii():
        text = normalized("NFKD", _DROPPED.sub("", text))
    key = _DROPPED.sub("", text).lower()
    return " ".join((key if key.isascii() else key.translate(_REPLACED)).split())


def search_words(text: str) -> tuple[str, ...]:
    """Split a search into the keys of its words. Each must occur in the key of a text that matches.

    A word that is an amount loses its `₹` and commas: `₹1,250` finds `1250.00`. A word that is contained in
    another one is left out, because it occurs wherever the other one does.
    """
    words = tuple(dict.fromkeys(_bare_amount(word) for word in search_key(text).split()))
    return tuple(word for word in words if not any(word in other and word != other for other in words))


def _bare_amount(word: str) -> str:
    bare = word.replace("₹", "").replace(",", "")
    digits = bare.replace(".", "", 1)
    return bare if digits.isascii() and digits.isdigit() else word
