"""The columns of the listing and their texts."""

from enum import IntEnum

from app.domain.dates import format_date
from app.domain.entry import Direction, ListedEntry
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
TITLES = {**HEADINGS, Column.DOCUMENTS: "Bills", Column.STATE: "State"}


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
    """Return the amount, with a plus for money in, so that colour is not the only difference."""
    text = format_amount(entry.amount)
    return f"+{text}" if entry.direction is Direction.CREDIT else text


def direction_word(direction: Direction) -> str:
    """Return Debit or Credit."""
    return "Credit" if direction is Direction.CREDIT else "Debit"


def spoken_text(entry: ListedEntry, column: Column) -> str:
    """Return the text of `column` for screen readers. That of the state is the sentence of its mark."""
    match column:
        case Column.AMOUNT:
            return f"{direction_word(entry.direction)} {format_amount(entry.amount)}"
        case Column.DOCUMENTS:
            return count_text(entry.document_count, "bill", "bills")
        case _:
            return shown_text(entry, column)
