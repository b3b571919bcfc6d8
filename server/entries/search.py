"""What a listing asks for, and how to find it: pure, and every SQL text in it is ours.

The planner's guess for a search is wrong by a hundred times both ways, so the way is chosen here: walk the
newest rows of the list index first, where most hits are; only when the page is not full, and the words are
long enough for trigrams, ask the trigram index.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, LiteralString, TypeVar
from uuid import UUID

from server.contract import checks, limits
from server.contract.errors import ErrorCode, FieldError
from server.contract.shapes import Status
from server.errors import ApiError, InvalidFieldsError

_T = TypeVar("_T")

FIRST_DAY: Final = date(1, 1, 1)
LAST_DAY: Final = date(9999, 12, 31)
NO_CURSOR: Final = (LAST_DAY, UUID(int=2**128 - 1))
WALK: Final = 3_000
MOST_WALKED: Final = 30_000
_TEXT: Final = "public.bahi_search_text(e.description, e.category, e.human_code, e.amount)"
_VOIDED: Final[dict[str, LiteralString]] = {
    "active": "e.voided_at is null",
    "voided": "e.voided_at is not null",
    "all": "true",
}
_BOTH: Final = """(
    select * from public.accounting_entry where voided_at is null
    union all
    select * from public.accounting_entry where voided_at is not null)"""
_HAS_DOCUMENT: Final = """exists (
    select from public.accounting_document x
    where x.book_id = e.book_id and x.accounting_entry_id = e.id and x.voided_at is null)"""


@dataclass(frozen=True, slots=True)
class Filter:
    """A listing's filter; dates are inclusive."""

    words: tuple[str, ...] = ()
    first: date = FIRST_DAY
    last: date = LAST_DAY
    directions: tuple[str, ...] = ("CR", "DR")
    category: str = ""
    has_document: bool | None = None
    status: Status = "active"

    @property
    def by_months(self) -> bool:
        """Whether the month totals can answer for it."""
        return not self.words and self.has_document is None and self.status == "active"

    @property
    def has_long_word(self) -> bool:
        """Whether the trigram index can help."""
        return any(len(word) >= 3 for word in self.words)


def parse_filter(query: dict[str, str]) -> Filter:
    """Read the query string of a listing. Raises InvalidFieldsError with a sentence for each parameter."""
    errors: list[FieldError] = []
    first = _date(query, "from", FIRST_DAY, errors)
    last = _date(query, "to", LAST_DAY, errors)
    directions = _choice(query, "crDr", {"": ("CR", "DR"), "CR": ("CR",), "DR": ("DR",)}, errors)
    has_document = _choice(query, "hasDocument", {"": None, "true": True, "false": False}, errors)
    statuses: dict[str, Status] = {"": "active", "active": "active", "voided": "voided", "all": "all"}
    status = _choice(query, "status", statuses, errors)
    text, category = query.get("q", ""), query.get("category", "")
    if len(text) > limits.MAX_SEARCH:
        errors.append(FieldError("q", f"A search is at most {limits.MAX_SEARCH} characters long."))
    if checks.has_control_characters(text) or checks.has_control_characters(category):
        errors.append(FieldError("q", "A search cannot hold control characters."))
    if errors:
        raise InvalidFieldsError(errors)
    return Filter(
        search_words(text), first, last, directions or (), category, has_document, status or "active"
    )


def search_words(text: str) -> tuple[str, ...]:
    """Split a search into words; a word that reads as an amount loses `₹` and its commas."""
    words = []
    for word in text.lower().split():
        bare = word.replace("₹", "").replace(",", "")
        words.append(bare if bare.replace(".", "", 1).isdigit() else word)
    return tuple(word for word in words if word)


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
        errors.append(FieldError(name, f"That is none of {known}."))
        return None
    return choices[text]


def parse_limit(text: str) -> int:
    """Read a page size. Raises InvalidFieldsError."""
    if not text:
        return limits.DEFAULT_PAGE
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= limits.MAX_PAGE):
        raise InvalidFieldsError([FieldError("limit", f"A page holds 1 to {limits.MAX_PAGE} entries.")])
    return int(text)


# --- cursors --------------------------------------------------------------------------------------


def encode_cursor(day: date, id_: UUID) -> str:
    """Name the last row of a page."""
    return base64.urlsafe_b64encode(f"{day.isoformat()}/{id_.hex}".encode()).decode()


def decode_cursor(text: str) -> tuple[date, UUID]:
    """Return the row after which a page begins. Raises ApiError (bad_request)."""
    if not text:
        return NO_CURSOR
    try:
        day, _, id_ = base64.b64decode(text, altchars=b"-_", validate=True).decode("ascii").partition("/")
        return date.fromisoformat(day), UUID(hex=id_)
    except (ValueError, binascii.Error) as error:
        raise ApiError(ErrorCode.BAD_REQUEST, "This cursor is not one of ours.") from error


# --- SQL ------------------------------------------------------------------------------------------


def entries(filter_: Filter) -> LiteralString:
    """Return what to select from: for both kinds the partial indexes are joined; one `or` uses neither."""
    return _BOTH if filter_.status == "all" else "public.accounting_entry"


def voided_each(filter_: Filter) -> list[LiteralString]:
    """Return the condition for each of the partial indexes that a listing walks."""
    kinds = ("active", "voided") if filter_.status == "all" else (filter_.status,)
    return [_VOIDED[kind] for kind in kinds]


def voided(filter_: Filter) -> LiteralString:
    """Return the condition that lets the partial indexes serve."""
    return _VOIDED[filter_.status]


def words_match(filter_: Filter) -> LiteralString:
    """Return one condition for each word."""
    parts = [f"and {_TEXT} like %(word{number})s" for number in range(len(filter_.words))]
    return " ".join(parts)


def rest_match(filter_: Filter) -> LiteralString:
    """Return the conditions other than words, dates and status."""
    parts = []
    if len(filter_.directions) == 1:
        parts.append("and e.cr_dr = any(%(directions)s::text[])")
    if filter_.category:
        parts.append("and e.category = %(category)s")
    if filter_.has_document is not None:
        parts.append(f"and {'' if filter_.has_document else 'not '}{_HAS_DOCUMENT}")
    return " ".join(parts)


def parameters(book_id: UUID, filter_: Filter) -> dict[str, object]:
    """Return the values that the conditions name."""
    words = {f"word{n}": f"%{escape_like(word)}%" for n, word in enumerate(filter_.words)}
    return {
        "book_id": book_id,
        "first": filter_.first,
        "last": filter_.last,
        "directions": list(filter_.directions),
        "category": filter_.category,
        **words,
    }


def escape_like(text: str) -> str:
    """Make `%`, `_` and the backslash stand for themselves in LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# --- months ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Months:
    """A range of days as whole months between two edges; an empty range has its first after its last."""

    first_month: date
    last_month: date
    head: tuple[date, date]
    tail: tuple[date, date]


_EMPTY: Final = (LAST_DAY, FIRST_DAY)


def split_months(first: date, last: date) -> Months:
    """Split [first, last] so that the month totals answer for as much of it as they can."""
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
