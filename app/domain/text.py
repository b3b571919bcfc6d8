"""Texts that a person typed: made into the one form that is stored, and into forms that are safe to show."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from server.contract.normal_form import normalized

_LINE_BREAKS: Final = "\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"
_JOINERS: Final = "\u200c\u200d"  # Hindi and Urdu words need them
_BLACK_FLAG: Final = "\U0001f3f4"  # followed by tags, it is the flag of a region
_VIRAMA: Final = 9  # the combining class of the signs that join two consonants

_EMBEDDINGS: Final = "\u202a\u202b\u202d\u202e"
_POP_EMBEDDING: Final = "\u202c"
_ISOLATES: Final = "\u2066\u2067\u2068"
_POP_ISOLATE: Final = "\u2069"
_LEFT_TO_RIGHT_ISOLATE: Final = "\u2066"
_FIRST_STRONG_ISOLATE: Final = "\u2068"
_RIGHT_TO_LEFT: Final = {"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI"}

# Unicode calls these formatting characters (Cf), but they are drawn: signs that enclose a number.
_DRAWN: Final = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
# Drawn as nothing, although Unicode calls them letters, marks or symbols, or has not assigned them yet.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0")
_SELECTORS: Final = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_IGNORED: Final = (*_SELECTORS, range(0xFFF0, 0xFFF9), range(0xE0000, 0xE1000))


def clean_text(typed: str) -> str:
    """Return a text of one line in the form in which it is stored; "" if nothing in it is visible.

    The form is NFC. Line breaks and runs of white space become one space. White space and invisible
    characters at both ends, control characters, halves of surrogate pairs, and direction controls without a
    partner are left out. Joiners inside words stay. The result of a second call is the same.
    """
    plain = _balanced("".join(" " if c in _LINE_BREAKS else c for c in typed if _can_be_stored(c)))
    plain = " ".join(_without_invisible_ends(plain).split())
    return normalized("NFC", plain)


def is_blank(typed: str) -> bool:
    """Return whether nothing in the text is visible."""
    return all(is_invisible(c) for c in typed)


def is_invisible(char: str) -> bool:
    """Return whether a character is white space, or is drawn as nothing."""
    if char.isspace() or char in _BLANK or any(ord(char) in span for span in _IGNORED):
        return True
    return unicodedata.category(char) in {"Cf", "Cc", "Cs"} and char not in _DRAWN


def visible(text: str) -> str:
    """Return the text without characters that are drawn as nothing. White space stays."""
    # By kind of character, not by character: a text may be as long as what somebody pastes.
    return text.translate({ord(c): None for c in set(text) if not c.isspace() and is_invisible(c)})


def named(char: str) -> str:
    """Return a character as a sentence can show it: in quotes, or as `U+200E` if quotes would look empty."""
    if is_invisible(char) or not char.isprintable():
        return f"U+{ord(char):04X}"
    # A combining mark is drawn on a dotted circle: otherwise it would be drawn on the quotation mark.
    return f"“{'◌' if unicodedata.category(char).startswith('M') else ''}{isolated(char)}”"


def isolated(text: str) -> str:
    """Return a text that can be joined with others on the screen, and does not change their order.

    A text with letters or digits from right to left is enclosed in U+2068 and U+2069; any other is returned
    as it is. The result is for the screen only: it is never stored, exported or copied.
    """
    return _enclosed(text, _FIRST_STRONG_ISOLATE)


def isolated_name(name: str) -> str:
    """Return a name as `isolated` does, written from left to right, so that its end stays at the right."""
    return _enclosed(name, _LEFT_TO_RIGHT_ISOLATE)


def without_direction_controls(text: str) -> str:
    """Return the text without the characters that reorder others on the screen."""
    controls = f"{_EMBEDDINGS}{_POP_EMBEDDING}{_ISOLATES}{_POP_ISOLATE}\u200e\u200f\u061c"
    return "".join(c for c in text if c not in controls)


def _enclosed(text: str, isolate: str) -> str:
    if not any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in text):
        return text
    return f"{isolate}{_balanced(text)}{_POP_ISOLATE}"


def _can_be_stored(char: str) -> bool:
    return char in _LINE_BREAKS or unicodedata.category(char) not in {"Cc", "Cs"}


def _balanced(text: str) -> str:
    """Return the text without the direction controls that have no partner."""
    unmatched = set(_unmatched(text))
    return "".join(c for at, c in enumerate(text) if at not in unmatched) if unmatched else text


def _unmatched(text: str) -> Iterator[int]:
    """Yield the index of each direction control that has no partner, by the rules of Unicode's UAX #9."""
    begun: list[int] = []
    isolates = 0
    for at, char in enumerate(text):
        if char in _EMBEDDINGS or char in _ISOLATES:
            begun.append(at)
            isolates += char in _ISOLATES
        elif char == _POP_EMBEDDING and begun and text[begun[-1]] in _EMBEDDINGS:
            begun.pop()
        elif char == _POP_ISOLATE and isolates:
            while text[start := begun.pop()] in _EMBEDDINGS:  # the end of an isolate also ends these
                yield start
            isolates -= 1
        elif char in (_POP_EMBEDDING, _POP_ISOLATE):
            yield at
    yield from begun


def _without_invisible_ends(text: str) -> str:
    first = next((at for at, char in enumerate(text) if not is_invisible(char)), None)
    if first is None:
        return ""
    end = next(at for at in range(len(text), 0, -1) if not is_invisible(text[at - 1]))
    kept = text[first:end]
    for char in text[end:]:
        if _belongs(char, kept):
            kept += char
    return _balanced(kept)


def _belongs(char: str, before: str) -> bool:
    """Return whether an invisible character at the end changes how the text before it is drawn."""
    last = before[-1]
    if char in (_POP_EMBEDDING, _POP_ISOLATE):
        return True  # its partner may be inside; `_balanced` removes it otherwise
    if any(ord(char) in span for span in _SELECTORS):
        return not is_invisible(last)
    if char in _JOINERS:
        return unicodedata.combining(last) == _VIRAMA or unicodedata.bidirectional(last) == "AL"
    if 0xE0020 <= ord(char) <= 0xE007F:
        return last == _BLACK_FLAG or 0xE0020 <= ord(last) <= 0xE007F
    return False
