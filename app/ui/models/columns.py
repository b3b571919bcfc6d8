"""The columns of the listing and what each says about an entry."""

from enum import IntEnum

from app.domain.dates import format_date
from app.domain.entry import Direction, EntryState, ListedEntry
from app.domain.money import format_amount
from app.ui.bounds import count_text


class Column(IntEnum):
    """The columns from left to right."""

    DATE = 0
    CODE = 1
    DESCRIPTION = 2
    CATEGORY = 3
    AMOUNT = 4
    DOCUMENTS = 5
    STATE = 6


HEADINGS = {
    Column.DATE: "Date",
    Column.CODE: "Code",
    Column.DESCRIPTION: "Description",
    Column.CATEGORY: "Category",
    Column.AMOUNT: "Amount",
    Column.DOCUMENTS: "",
    Column.STATE: "",
}
TITLES = {**HEADINGS, Column.DOCUMENTS: "Documents", Column.STATE: "State"}


def shown_text(entry: ListedEntry, column: Column) -> str:
    """Return the text painted in `column`."""
    match column:
        case Column.DATE:
            return format_date(entry.entry_date)
        case Column.CODE:
            return entry.human_code
        case Column.DESCRIPTION:
            return entry.description
        case Column.CATEGORY:
            return entry.category
        case Column.AMOUNT:
            return signed_amount(entry)
        case Column.DOCUMENTS:
            return str(entry.document_count) if entry.document_count else ""
        case Column.STATE:
            return ""


def signed_amount(entry: ListedEntry) -> str:
    """Return the amount; money in has a plus, so that colour is not the only sign."""
    text = format_amount(entry.amount)
    return f"+{text}" if entry.direction is Direction.CREDIT else text


def direction_word(direction: Direction) -> str:
    """Return Debit or Credit."""
    return "Credit" if direction is Direction.CREDIT else "Debit"


def state_text(entry: ListedEntry) -> str:
    """Return a sentence on how far the entry has come."""
    return f"Voided. {_come_far(entry)}" if entry.voided else _come_far(entry)


def _come_far(entry: ListedEntry) -> str:
    match entry.state:
        case EntryState.WAITING:
            return "On this computer, waiting to be sent"
        case EntryState.REFUSED:
            return f"Refused by the server: {entry.note}" if entry.note else "Refused by the server"
        case EntryState.CONFIRMED:
            return "Confirmed by the server"


def state_icon(entry: ListedEntry) -> tuple[str, str]:
    """Return the icon and the colour token of the entry's state."""
    return {
        EntryState.WAITING: ("clock", "warn"),
        EntryState.REFUSED: ("alert", "danger"),
        EntryState.CONFIRMED: ("check-double", "text_muted"),
    }[entry.state]


def spoken_text(entry: ListedEntry, column: Column) -> str:
    """Return what a screen reader says for `column`."""
    match column:
        case Column.AMOUNT:
            return f"{direction_word(entry.direction)} {format_amount(entry.amount)}"
        case Column.DOCUMENTS:
            return count_text(entry.document_count, "document", "documents")
        case Column.STATE:
            return state_text(entry)
        case _:
            return shown_text(entry, column)
