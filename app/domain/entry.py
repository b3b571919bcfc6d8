"""An entry as the desk knows it: while it is typed, while it waits, and as it is listed."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum


class Direction(StrEnum):
    """Money in or money out; the values are those of the wire."""

    CREDIT = "CR"
    DEBIT = "DR"


class Shown(StrEnum):
    """Which entries a filter lets through; the values are those of the wire."""

    ACTIVE = "active"
    VOIDED = "voided"
    ALL = "all"


class EntryState(Enum):
    """How far an entry has come."""

    WAITING = "waiting"  # on this computer only
    CONFIRMED = "confirmed"  # a server has it
    REFUSED = "refused"  # a server will not take it as it is


@dataclass(frozen=True, slots=True)
class Attachment:
    """A bill pinned to a draft; its bytes (`byte_size` of them) are kept on this computer already."""

    id: str
    file_name: str
    media_type: str
    byte_size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """What the Add Entry screen hands over: checked, not saved yet."""

    entry_date: date
    amount: Decimal
    direction: Direction
    category: str
    description: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """One row of the listing. `note` says why a refused entry was refused."""

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
    """The version shown here (µs since 1970); a change says which one it was made from."""

    @property
    def sort_key(self) -> tuple[date, str]:
        """The listing is in descending order of this."""
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
    """An entry and its bills, in their order."""

    entry: ListedEntry
    documents: tuple[DocumentInfo, ...]


@dataclass(frozen=True, slots=True)
class HistoryVersion:
    """One version in an entry's history. `superseded`: it lost against another made from the same one."""

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
    """What the listing shows; dates are inclusive, None is open."""

    text: str = ""
    first: date | None = None
    last: date | None = None
    direction: Direction | None = None
    without_document: bool = False
    waiting_only: bool = False
    shown: Shown = Shown.ACTIVE

    def matches(self, entry: ListedEntry) -> bool:
        """Say whether `entry` is shown, by the rule that the server uses: every word occurs."""
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
        text = f"{entry.description} {entry.category} {entry.human_code} {entry.amount:.2f}".lower()
        return all(word in text for word in search_words(self.text))


def search_words(text: str) -> list[str]:
    """Split a search into words; a word that reads as an amount loses `₹` and its commas."""
    words = []
    for word in text.lower().split():
        bare = word.replace("₹", "").replace(",", "")
        words.append(bare if bare.replace(".", "", 1).isdigit() else word)
    return [word for word in words if word]


@dataclass(frozen=True, slots=True)
class Totals:
    """Count and sums (rupees) of a set of entries."""

    count: int = 0
    money_out: Decimal = Decimal(0)
    money_in: Decimal = Decimal(0)
    waiting: int = field(default=0)

    @property
    def net(self) -> Decimal:
        """Money in less money out."""
        return self.money_in - self.money_out

    def plus(self, entry: ListedEntry) -> "Totals":
        """Return these totals with one more entry, which waits on this computer."""
        return replace(self._moved(entry, 1), waiting=self.waiting + 1)

    def minus(self, entry: ListedEntry) -> "Totals":
        """Return these totals without an entry as a server counted it."""
        return self._moved(entry, -1)

    def _moved(self, entry: ListedEntry, sign: int) -> "Totals":
        credit = entry.direction is Direction.CREDIT
        money = Decimal(0) if entry.voided else sign * entry.amount  # a voided entry's money is nobody's
        return Totals(
            self.count + sign,
            self.money_out + (Decimal(0) if credit else money),
            self.money_in + (money if credit else Decimal(0)),
            self.waiting,
        )


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Rows newest first. `cursor` is for the next page, None at the end; `from_cache` says that no
    server answered and these are the last entries seen."""

    entries: tuple[ListedEntry, ...]
    cursor: str | None
    from_cache: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion; a description also proposes its last category and direction."""

    text: str
    uses: int
    category: str = ""
    direction: Direction | None = None
