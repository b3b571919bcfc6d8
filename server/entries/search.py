"""The filter of a listing, and the SQL conditions for it. Pure. No SQL text comes from a caller.

Search does not rely on the query planner, whose estimates for it are wrong by a factor of a hundred in both
directions. Instead, the newest rows of the list index are searched first, because most hits are there. Only
if they do not fill the page, and a word is long enough for trigrams, the trigram index is used.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, LiteralString, TypeVar
from uuid import UUID

from server.contract import checks, limits
from server.contract.errors import ErrorCode, FieldError
from server.contract.search_key import search_words
from server.contract.shapes import Status
from server.entries.spellings import Spelling, category_key
from server.errors import ApiError, InvalidFieldsError

_T = TypeVar("_T")

FIRST_DAY: Final = date(1, 1, 1)
LAST_DAY: Final = date(9999, 12, 31)
# A key above that of every entry: the first page begins here.
NO_CURSOR: Final = (LAST_DAY, UUID(int=2**128 - 1))
# How many rows one step of a search reads, and all steps of one call.
WALK: Final = 3_000
MAX_WALKED: Final = 30_000
# How many words of a search are looked up in the trigram index.
_MAX_INDEXED: Final = 3
_ENTRY: Final = "public.bahi_entry_key(e.description, e.category, e.human_code, e.amount)"
_TEXTS: Final = "public.bahi_texts_key(e.description, e.category)"
# What can be a part of an entry code or of an amount.
_CODE_OR_AMOUNT: Final = re.compile(r"[0-9a-z]{0,3}-?[0-9]*|[0-9]*\.?[0-9]*")
_VOIDED: Final[dict[str, LiteralString]] = {
    "active": "e.voided_at is null",
    "voided": "e.voided_at is not null",
    "all": "true",
}
# Not `or`: each half can use its partial index.
_BOTH: Final = """(
    select * from public.accounting_entry where voided_at is null
    union all
    select * from public.accounting_entry where voided_at is not null)"""
_HAS_DOCUMENT: Final = """exists (
    select from public.accounting_document x
    where x.book_id = e.book_id and x.accounting_entry_id = e.id and x.voided_at is null)"""


@dataclass(frozen=True, slots=True)
class Filter:
    """The filter of a listing. Both dates are inclusive.

    `spellings` are those of the category in the book; `spelled` sets them.
    """

    words: tuple[str, ...] = ()
    first: date = FIRST_DAY
    last: date = LAST_DAY
    directions: tuple[str, ...] = ("CR", "DR")
    category: str = ""
    has_document: bool | None = None
    status: Status = "active"
    spellings: tuple[str, ...] = ()

    @property
    def by_months(self) -> bool:
        """Whether the totals by month are enough to sum up this filter."""
        return not self.words and self.has_document is None and self.status == "active"

    def spelled(self, spellings: Iterable[Spelling]) -> "Filter":
        """Return the filter for those of the book's `spellings` that are one with its category.

        Without any, its range of days is empty.
        """
        key = category_key(self.category)
        found = tuple(each.text for each in spellings if category_key(each.text) == key)
        return replace(self, spellings=found) if found else replace(self, first=LAST_DAY, last=FIRST_DAY)

    @property
    def has_long_word(self) -> bool:
        """Whether a word is long enough (three characters) for the trigram index."""
        return any(len(word) >= 3 for word in self.words)


def parse_filter(query: dict[str, str]) -> Filter:
    """Parse the query string of a listing. Raises InvalidFieldsError with a sentence for each parameter."""
    errors: list[FieldError] = []
    first = _date(query, "from", FIRST_DAY, errors)
    last = _date(query, "to", LAST_DAY, errors)
    directions = _choice(query, "crDr", {"": ("CR", "DR"), "CR": ("CR",), "DR": ("DR",)}, errors)
    has_document = _choice(query, "hasDocument", {"": None, "true": True, "false": False}, errors)
    statuses: dict[str, Status] = {"": "active", "active": "active", "voided": "voided", "all": "all"}
    status = _choice(query, "status", statuses, errors)
    text, category = query.get("q", ""), query.get("category", "")
    words = _words(text, errors)
    if len(category) > limits.MAX_CATEGORY:
        errors.append(
            FieldError("category", f"A category may have at most {limits.MAX_CATEGORY} characters.")
        )
    # Line breaks separate words, as in a pasted text. PostgreSQL accepts no NUL in text.
    if checks.has_control_characters("".join(f"{text} {category}".split())):
        errors.append(FieldError("q", "A search cannot contain control characters."))
    if errors:
        raise InvalidFieldsError(errors)
    return Filter(words, first, last, directions or (), category, has_document, status or "active")


def _words(text: str, errors: list[FieldError]) -> tuple[str, ...]:
    if len(text) > limits.MAX_SEARCH:
        errors.append(FieldError("q", f"A search may have at most {limits.MAX_SEARCH} characters."))
        return ()
    words = search_words(text)
    if len(words) > limits.MAX_SEARCH_WORDS:
        errors.append(
            FieldError("q", f"A search may have at most {limits.MAX_SEARCH_WORDS} different words.")
        )
    return words


def _date(query: dict[str, str], name: str, default: date, errors: list[FieldError]) -> date:
    text = query.get(name, "")
    if not text:
        return default
    value = checks.parse_date(text)
    if value is None:
        errors.append(FieldError(name, "That is not a date of the form YYYY-MM-DD."))
    return value or default


def _choice(query: dict[str, str], name: str, choices: dict[str, _T], errors: list[FieldError]) -> _T | None:
    text = query.get(name, "")
    if text not in choices:
        known = ", ".join(choice for choice in choices if choice)
        errors.append(FieldError(name, f"The value must be one of {known}."))
        return None
    return choices[text]


def parse_limit(text: str) -> int:
    """Parse a page size. Raises InvalidFieldsError."""
    if not text:
        return limits.DEFAULT_PAGE
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= limits.MAX_PAGE):
        raise InvalidFieldsError([FieldError("limit", f"A page has 1 to {limits.MAX_PAGE} entries.")])
    return int(text)


# --- cursors --------------------------------------------------------------------------------------


def encode_cursor(day: date, id_: UUID) -> str:
    """Return the cursor for the page after the entry with this date and id."""
    return base64.urlsafe_b64encode(f"{day.isoformat()}/{id_.hex}".encode()).decode()


def decode_cursor(text: str) -> tuple[date, UUID]:
    """Return date and id of the entry after which a page begins. Raises ApiError (bad_request)."""
    if not text:
        return NO_CURSOR
    try:
        day, _, id_ = base64.b64decode(text, altchars=b"-_", validate=True).decode("ascii").partition("/")
        return date.fromisoformat(day), UUID(hex=id_)
    except (ValueError, binascii.Error) as error:
        raise ApiError(ErrorCode.BAD_REQUEST, "This cursor is not valid.") from error


# --- SQL ------------------------------------------------------------------------------------------


def entries(filter_: Filter) -> LiteralString:
    """Return the table, or subquery, to select entries from."""
    return _BOTH if filter_.status == "all" else "public.accounting_entry"


def voided_each(filter_: Filter) -> list[LiteralString]:
    """Return the condition of each partial index that a listing reads."""
    kinds = ("active", "voided") if filter_.status == "all" else (filter_.status,)
    return [_VOIDED[kind] for kind in kinds]


def voided(filter_: Filter) -> LiteralString:
    """Return the condition on `voided_at`, in the form that lets PostgreSQL use the partial indexes."""
    return _VOIDED[filter_.status]


def words_match(filter_: Filter) -> LiteralString:
    """Return the conditions on the words, for which PostgreSQL can use the trigram index."""
    # PostgreSQL makes the key of each row that the index gives again for each of these words. The longest
    # select best; `like all` makes the key once for the rest.
    words = sorted(range(len(filter_.words)), key=lambda number: -len(filter_.words[number]))
    parts = [f"and {_ENTRY} like %(word{number})s" for number in words[:_MAX_INDEXED]]
    if len(words) > _MAX_INDEXED:
        parts.append(f"and {_ENTRY} like all(%(words)s::text[])")
    return " ".join(parts)


def words_match_in_walk(filter_: Filter) -> LiteralString:
    """Return a condition on the words that is quicker where every row is read: no index is on it.

    However many words there are, the key of a row is made once.
    """
    if not filter_.words:
        return ""
    text = _ENTRY if any(_CODE_OR_AMOUNT.fullmatch(word) for word in filter_.words) else _TEXTS
    return f"and {text} like all(%(words)s::text[])"


def rest_match(filter_: Filter) -> LiteralString:
    """Return the conditions of a filter except those on words, dates and status."""
    parts = []
    if len(filter_.directions) == 1:
        parts.append("and e.cr_dr = any(%(directions)s::text[])")
    if filter_.category:
        parts.append("and e.category = any(%(categories)s::text[])")
    if filter_.has_document is not None:
        parts.append(f"and {'' if filter_.has_document else 'not '}{_HAS_DOCUMENT}")
    return " ".join(parts)


def parameters(book_id: UUID, filter_: Filter) -> dict[str, object]:
    """Return the values of the parameters in the conditions."""
    patterns = [f"%{escape_like(word)}%" for word in filter_.words]
    return {
        "book_id": book_id,
        "first": filter_.first,
        "last": filter_.last,
        "directions": list(filter_.directions),
        "category": filter_.category,
        "categories": list(filter_.spellings or (filter_.category,)),
        "words": patterns,
        **{f"word{number}": pattern for number, pattern in enumerate(patterns)},
    }


def escape_like(text: str) -> str:
    """Escape `%`, `_` and the backslash in a pattern for LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# --- months ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Months:
    """A range of days, split into whole months and the days before (`head`) and after (`tail`) them.

    An empty part has a first day after its last day.
    """

    first_month: date
    last_month: date
    head: tuple[date, date]
    tail: tuple[date, date]


_EMPTY: Final = (LAST_DAY, FIRST_DAY)


def split_months(first: date, last: date) -> Months:
    """Split the days from `first` to `last` into whole months, for which there are totals, and the rest."""
    if first > last:
        return Months(*_EMPTY, _EMPTY, _EMPTY)
    head_ends, tail_begins = _month_end(first), last.replace(day=1)
    first_is_whole, last_is_whole = first.day == 1, last == _month_end(last)
    if (first.year, first.month) == (last.year, last.month) and not (first_is_whole and last_is_whole):
        return Months(*_EMPTY, (first, last), _EMPTY)
    from_month = first if first_is_whole else _next_day(head_ends)
    to_month = tail_begins if last_is_whole else _previous_day(tail_begins).replace(day=1)
    head = _EMPTY if first_is_whole else (first, head_ends)
    tail = _EMPTY if last_is_whole else (tail_begins, last)
    return Months(from_month, to_month, head, tail)


def _month_end(day: date) -> date:
    if day.month == 12:
        return day.replace(day=31)
    return day.replace(month=day.month + 1, day=1) - timedelta(days=1)


def _next_day(day: date) -> date:
    return day if day == LAST_DAY else day + timedelta(days=1)


def _previous_day(day: date) -> date:
    return day if day == FIRST_DAY else day - timedelta(days=1)
