"""Limits and file types of the protocol, so that the windows need not import `server.contract`."""

from collections.abc import Callable
from typing import Final

from app.domain.money import group_digits
from app.domain.text import clean_text
from server.contract import limits, media
from server.contract.passwords import prepare_password
from server.contract.search_key import search_words

__all__ = ["length_error", "prepare_password"]

MAX_DOCUMENTS: Final = limits.MAX_DOCUMENTS_PER_ENTRY
MAX_DOCUMENT_BYTES: Final = limits.MAX_DOCUMENT_BYTES
MAX_CATEGORY: Final = limits.MAX_CATEGORY
MAX_DESCRIPTION: Final = limits.MAX_DESCRIPTION
MAX_SEARCH: Final = limits.MAX_SEARCH
MAX_USER_NAME: Final = limits.MAX_USER_NAME
MAX_PASSWORD: Final = limits.MAX_PASSWORD

EXTENSIONS: Final = media.EXTENSIONS
"""The file types that may be opened in the system's viewer, each with the extension of its copy."""

LONGEST_TYPED: Final = 20_000
"""How much a line takes, in UTF-16 units. What is longer than the limit of its field is kept until it is
shortened, and not sent."""


def length_error(typed: str, limit: int, stored: Callable[[str], str] = clean_text) -> str:
    """Return a sentence if a typed text is too long, otherwise "".

    The length is that of the form in which the text is stored, in code points, as a server counts it.
    """
    length = len(stored(typed))
    if length <= limit:
        return ""
    most, there = group_digits(str(limit)), group_digits(str(length))
    return f"At most {most} characters: this is {there}. Please shorten it."


def search_error(typed: str) -> str:
    """Return a sentence if a typed search is too long or has too many words, otherwise ""."""
    if error := length_error(typed, MAX_SEARCH):
        return error
    if len(search_words(typed)) <= limits.MAX_SEARCH_WORDS:
        return ""
    return f"A search may have at most {limits.MAX_SEARCH_WORDS} different words."
