"""Numbers as people type them in any script, converted to ASCII."""

import unicodedata
from typing import Final

from app.domain.text import visible

_HYPHENS: Final = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63"
_ASCII: Final = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # full-width, as in Japanese texts
    | dict.fromkeys(_HYPHENS, "-")
    | {"\u066b": ".", "\u066c": ",", "\u060c": ",", "\uffe1": "£", "\uffe5": "¥"}
)


def typed_number(text: str) -> str:
    """Return an amount or a date as typed, with ASCII digits, separators and signs (`१२३` becomes `123`).

    Characters that are drawn as nothing are left out; white space stays.
    """
    narrow = visible(text).translate(_ASCII)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in narrow)
