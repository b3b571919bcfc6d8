"""Entries: as a draft, as a row of the listing, with bills, and as versions of the history."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum

from server.contract.search_key import search_key, search_words


class Direction(StrEnum):
    """Money in or money out. The values are those of the protocol."""

    CREDIT = "CR"
    DEBIT = "DR"


class Shown(StrEnum):
    """Which entries a filter includes. The values are those of the protocol."""

    ACTIVE = "active"
    VOIDED = "voided"
    ALL = "all"


class EntryState(Enum):
    """How far an entry has come."""

    WAITING = "waiting"  # on this computer only
    CONFIRMED = "confirmed"  # a server has it
    REFUSED = "refused"  # a server rejected it


@dataclass(frozen=True, slots=True)
class Attachment:
    """A bill of a draft. Its `byte_size` bytes are already stored on this computer."""

    id: str
    file_name: str
    media_type: str
    byte_size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """The validated input of a form, not saved yet."""

    entry_date: date
    amount: Decimal
    direction: Direction
    category: str
    description: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """One row of the listing. `note` is the reason why an entry was refused."""

    id: str
    entry_date: date
    amount: Decimal
    direction: Direction
    category: str
    description: str
    human_code: str
    document_count: int
    state: EntryState = EntryState.CONFIRMED
    voided: bool = False
    note: str = ""
    ver: int = 0
    """The version of this row, in µs since 1970. A change names the version that it was made from."""

    @property
    def sort_key(self) -> tuple[date, str]:
        """The listing's key; rows are in its descending order."""
        return (self.entry_date, self.id)


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A bill of a saved entry."""

    id: str
    doc_code: str
    file_name: str
    media_type: str
    byte_size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class EntryDetail:
    """An entry and its bills, in order."""

    entry: ListedEntry
    documents: tuple[DocumentInfo, ...]


@dataclass(frozen=True, slots=True)
class HistoryVersion:
    """One version in an entry's history. `stands` marks the current one. `superseded` marks one that lost
    to another version that was made from the same one."""

    op_id: str
    entry: ListedEntry
    action: str  # created, edited, voided, restored
    author: str
    device: str
    made_at: datetime  # UTC
    stands: bool
    superseded: bool
    documents_added: tuple[DocumentInfo, ...] = ()
    documents_removed: tuple[DocumentInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """The listing's filter. Both dates are inclusive; None means no limit."""

    text: str = ""
    first: date | None = None
    last: date | None = None
    direction: Direction | None = None
    without_document: bool = False
    waiting_only: bool = False
    shown: Shown = Shown.ACTIVE

    def matches(self, entry: ListedEntry) -> bool:
        """Return whether the filter includes `entry`. As on the server, every word of `text` must occur."""
        if self.first is not None and entry.entry_date < self.first:
            return False
        if self.last is not None and entry.entry_date > self.last:
            return False
        if self.direction is not None and entry.direction is not self.direction:
            return False
        if self.without_document and entry.document_count:
            return False
        if self.waiting_only and entry.state is EntryState.CONFIRMED:
            return False
        if self.shown is not Shown.ALL and entry.voided is not (self.shown is Shown.VOIDED):
            return False
        key = search_key(f"{entry.description} {entry.category} {entry.human_code} {entry.amount:.2f}")
        return all(word in key for word in search_words(self.text))


@dataclass(frozen=True, slots=True)
class Totals:
    """The number and the sums (in rupees) of some entries. `waiting` of them are only on this computer."""

    count: int = 0
    money_out: Decimal = Decimal(0)
    money_in: Decimal = Decimal(0)
    waiting: int = field(default=0)

    @property
    def net(self) -> Decimal:
        """Money in less money out."""
        return self.money_in - self.money_out

    def plus(self, entry: ListedEntry) -> "Totals":
        """Return these totals with one more entry that is only on this computer."""
        return replace(self._adjusted(entry, 1), waiting=self.waiting + 1)

    def minus(self, entry: ListedEntry) -> "Totals":
        """Return these totals without an entry that the server counted."""
        return self._adjusted(entry, -1)

    def _adjusted(self, entry: ListedEntry, sign: int) -> "Totals":
        credit = entry.direction is Direction.CREDIT
        # A voided entry is counted, but its money is not.
        money = Decimal(0) if entry.voided else sign * entry.amount
        return Totals(
            self.count + sign,
            self.money_out + (Decimal(0) if credit else money),
            self.money_in + (money if credit else Decimal(0)),
            self.waiting,
        )


@dataclass(frozen=True, slots=True)
class ListedPage:
    """A page of rows, newest first. `cursor` requests the next page; None means the end. `from_cache` means
    that no server answered and the rows are the last entries seen."""

    entries: tuple[ListedEntry, ...]
    cursor: str | None
    from_cache: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion. For a description, also the category and direction that it had last."""

    text: str
    uses: int
    category: str = ""
    direction: Direction | None = None
