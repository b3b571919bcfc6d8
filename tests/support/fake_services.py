"""Services in memory, for tests and pictures of the screens: deterministic, with switches for trouble."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from app.domain.entry import (
    Attachment,
    Direction,
    DocumentInfo,
    EntryDetail,
    EntryDraft,
    EntryFilter,
    EntryState,
    HistoryVersion,
    ListedEntry,
    ListedPage,
    Suggestion,
    Totals,
)
from app.domain.form_draft import FormDraft
from app.domain.outbox_item import OutboxItem, OutboxKind, OutboxState
from app.domain.sync_state import ReplicationStatus
from app.errors import AppError, CancelledError, InputError, OfflineError, SignInError
from app.services.accounts import BookSession, LocalBookFacts, OpenSession
from app.services.entries import draft_of
from app.services.exports import ExportResult, Preflight
from app.services.session_facts import InviteFacts
from app.services.sync import SyncReport
from app.store.files import Files
from server.contract import join
from tests.support.fake_connection import FakeLink, FakeMoving

if TYPE_CHECKING:
    from app.services import Services

TODAY = date(2026, 11, 22)
DAMAGED_LINK = "This invite link is damaged. Copy the whole link and paste it again."
_AT = datetime(2026, 11, 22, 8, 35, tzinfo=UTC)
NOON = datetime(2026, 11, 22, 14, 5).astimezone()
"""Five past two by the clock on the wall of whoever runs this."""
HOME, ABROAD = "ap-south-1", "eu-west-1"
_SHOP = (
    ("Taxi to client site", "Travel", "640.00", "DR", 2),
    ("Team lunch, Saravana Bhavan", "Meals", "3480.00", "DR", 1),
    ("Refund, cancelled train to Pune", "Travel", "1120.00", "CR", 0),
    ("Printer paper and toner", "Office", "8999.00", "DR", 1),
    ("Airport parking", "Travel", "600.00", "DR", 1),
    ("Counter sale, Deepavali sweets", "Sales", "48250.00", "CR", 1),
    ("Electricity bill, BESCOM", "Utilities", "6412.50", "DR", 1),
    ("Shop rent, November", "Rent", "35000.00", "DR", 1),
    ("Invoice 2026-118, Mehta Traders", "Sales", "1234567.00", "CR", 2),
    ("Tea and biscuits for visitors", "Meals", "185.00", "DR", 0),
    ("Courier to Coimbatore, Blue Dart", "Freight", "420.00", "DR", 1),
    ("GST payment, October", "Taxes", "112480.00", "DR", 1),
    ("Sugar 50 kg and cardamom, Russell Market", "Stock", "5875.25", "DR", 1),
    ("Salary, Lakshmi", "Salaries", "22000.00", "DR", 0),
)


def shop_entries(count: int = 120, last: date = TODAY) -> list[ListedEntry]:
    """Return `count` confirmed entries of a shop, newest first, about two a day."""
    made = []
    for number in range(count):
        text, category, amount, direction, bills = _SHOP[number % len(_SHOP)]
        made.append(
            ListedEntry(
                id=f"0199aaaa-0000-7000-8000-{count - number:012d}",
                entry_date=last - timedelta(days=(number + 1) // 2),
                amount=Decimal(amount),
                direction=Direction(direction),
                category=category,
                description=text,
                human_code=f"0K7-{count - number:06d}",
                document_count=bills,
            )
        )
    return made


@dataclass
class Book:
    """The state that the fakes share, and the switches. What threads make of `entries` and `waiting` they
    make while they hold `changing`, and of each list at once: a test may look at any moment."""

    entries: list[ListedEntry] = field(default_factory=list)
    waiting: list[ListedEntry] = field(default_factory=list)
    bills: dict[str, tuple[DocumentInfo, ...]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    folder: Path = Path()
    offline: bool = False
    refuse_next: str = ""
    errors: dict[str, AppError] = field(default_factory=dict)
    gates: dict[str, Callable[[], None]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    page_size: int = 50
    old_bills: dict[str, tuple[DocumentInfo, ...]] = field(default_factory=dict)
    attempts: dict[str, tuple[int, str]] = field(default_factory=dict)
    history: dict[str, list[HistoryVersion]] = field(default_factory=dict)
    drafts: dict[str, FormDraft] = field(default_factory=dict)
    signed_out: bool = False
    places: dict[str, ReplicationStatus] = field(default_factory=dict)
    changing: Lock = field(default_factory=Lock)

    def step(self, name: str) -> None:
        """Note a call, wait at its gate if there is one, and fail if told so."""
        self.calls.append(name)
        gate = self.gates.get(name)  # in one look: the test may take it away meanwhile
        if gate is not None:
            gate()
        error = self.errors.get(name)
        if error is not None:
            raise error

    def need_server(self) -> None:
        """Fail while offline, or while the server wants the password again."""
        if self.offline:
            raise OfflineError
        if self.signed_out:
            raise SignInError("Please sign in.", code="unauthenticated")

    def place(
        self, row: ListedEntry, *regions: str, rows: tuple[str, ...] = (), at: datetime = NOON, ver: int = 0
    ) -> None:
        """Let `row` be whole in `regions`, and without its bills in those of `rows`; the server of HOME
        confirmed it."""
        whole, micros = frozenset(regions), round(at.timestamp() * 1_000_000)
        self.places[row.id] = ReplicationStatus(
            f"op-{row.id}", row.id, ver or row.ver, whole | set(rows), whole, "in-mum-1", micros, HOME
        )

    def put(self, row: ListedEntry) -> None:
        """Let `row` wait, in the place of what waited of the same entry."""
        with self.changing:
            self.waiting[:] = [*(each for each in self.waiting if each.id != row.id), row]


class FakeAccounts:
    """One book here, one account (`asha`, `correct horse`) on the server."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.session: BookSession | None = None
        self.local = LocalBookFacts(exists=False, user_name="", has_password=False)
        self.local_password = ""
        self.remembered: BookSession | None = None
        self.store = "keyring"
        self.asked_at = ""
        self.open_sessions = [
            OpenSession("f1", "asha-laptop", _AT, _AT + timedelta(days=2), True),
            OpenSession("f2", "shop counter", _AT - timedelta(days=40), _AT - timedelta(days=3), False),
        ]

    def local_book(self) -> LocalBookFacts:
        """Return what is on this computer."""
        self._book.step("local_book")
        return self.local

    def resume(self) -> BookSession | None:
        """Go on with a remembered session."""
        self._book.step("resume")
        if self.remembered:
            self.session = self.remembered
        return self.remembered

    def sign_in_local(self, user_name: str, password: str, remember: bool = False) -> BookSession:
        """Open the book, or make it."""
        self._book.step("sign_in_local")
        if self.local.has_password and password != self.local_password:
            sentence = "That is not the password of this book."
            raise InputError(sentence, fields={"password": sentence})
        self.local = LocalBookFacts(True, user_name, bool(password))
        self.local_password = password
        return self._begin(user_name, "This computer", remember)

    def sign_in_remote(
        self,
        address: str,
        user_name: str,
        password: str,
        create: bool = False,
        remember: bool = False,
        invite_code: str = "",
    ) -> BookSession:
        """Sign in on the server."""
        self._book.step("create_account" if create else "sign_in_remote")
        self.asked_at = address
        self._book.need_server()
        if " " in address:
            raise InputError("Bad address.", fields={"address": "This is not a server's address."})
        if create and len(password) < 8:
            raise InputError("Too short.", fields={"password": "A password has at least 8 characters."})
        if not create and (user_name, password) != ("asha", "correct horse"):
            raise InputError("User name or password is not right.")
        return self._begin(user_name, "in-mum-1 · ap-south-1", remember)

    def read_invite(self, text: str) -> InviteFacts | None:
        """Return what an invite link says."""
        if not join.is_link(text):
            return None
        link = join.read_link(text)
        if link is None:
            raise InputError("Damaged.", fields={"address": DAMAGED_LINK})
        return InviteFacts(link.address, link.code)

    def _begin(self, user_name: str, label: str, remember: bool) -> BookSession:
        self.session = BookSession(user_name, "book-1", "0K7", "in-mum-1", "ap-south-1", label)
        self.remembered = self.session if remember else None
        return self.session

    def sign_in_again(self, password: str) -> BookSession:
        """Sign in as the same user; the password is `correct horse`."""
        self._book.step("sign_in_again")
        if password != "correct horse":
            sentence = "That is not the password."
            raise SignInError(sentence, fields={"password": sentence})
        self._book.signed_out = False
        assert self.session is not None
        return self.session

    def sessions(self) -> list[OpenSession]:
        """Return where the user is signed in."""
        self._book.step("sessions")
        self._book.need_server()
        return list(self.open_sessions)

    def end_session(self, family: str) -> None:
        """End one."""
        self._book.step("end_session")
        self.open_sessions = [each for each in self.open_sessions if each.family != family]

    def change_password(self, old: str, new: str) -> int:
        """Change it; the old one is `correct horse`."""
        self._book.step("change_password")
        if old != "correct horse":
            raise InputError("No.", fields={"oldPassword": "That is not the password."})
        if len(new) < 8:
            raise InputError("No.", fields={"newPassword": "A password has at least 8 characters."})
        ended = len(self.open_sessions) - 1
        self.open_sessions = [each for each in self.open_sessions if each.this_one]
        return ended

    def remembers(self) -> str:
        """Say where a session would be kept."""
        return self.store

    def sign_out(self) -> None:
        """Forget the session."""
        self._book.step("sign_out")
        self.session = self.remembered = None

    def is_online(self) -> bool:
        """Say whether a server answers."""
        return not self._book.offline


class FakeEntries:
    """Entries in a list."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def save(self, draft: EntryDraft) -> ListedEntry:
        """Keep `draft` as waiting."""
        self._book.step("save")
        with self._book.changing:
            return self._saved(draft)

    def _saved(self, draft: EntryDraft) -> ListedEntry:
        number = len(self._book.entries) + len(self._book.waiting) + 1
        made = ListedEntry(
            id=f"0199bbbb-0000-7000-8000-{number:012d}",
            entry_date=draft.entry_date,
            amount=draft.amount,
            direction=draft.direction,
            category=draft.category,
            description=draft.description,
            human_code=f"0K7-{number:06d}",
            document_count=len(draft.attachments),
            state=EntryState.WAITING,
        )
        self._book.bills[made.id] = tuple(
            DocumentInfo(a.id, f"K7-{number:06d}-{n}", a.file_name, a.media_type, a.byte_size, a.sha256)
            for n, a in enumerate(draft.attachments, 1)
        )
        self._book.waiting.append(made)
        return made

    def edit(self, before: EntryDetail, draft: EntryDraft) -> EntryDetail:
        """Let a change wait."""
        self._book.step("edit")
        known = {document.id: document for document in before.documents}
        bills = tuple(
            known.get(a.id)
            or DocumentInfo(a.id, f"new-{a.id}", a.file_name, a.media_type, a.byte_size, a.sha256)
            for a in draft.attachments
        )
        self._book.old_bills.setdefault(before.entry.id, before.documents)
        self._book.bills[before.entry.id] = bills
        return self._change(
            before,
            entry_date=draft.entry_date,
            amount=draft.amount,
            direction=draft.direction,
            category=draft.category,
            description=draft.description,
            document_count=len(bills),
        )

    def void(self, before: EntryDetail) -> EntryDetail:
        """Let a voiding wait."""
        self._book.step("void")
        return self._change(before, voided=True)

    def restore(self, before: EntryDetail) -> EntryDetail:
        """Let a restoring wait."""
        self._book.step("restore")
        return self._change(before, voided=False)

    def restore_version(self, current: EntryDetail, version: HistoryVersion) -> EntryDetail:
        """Let an older version wait to stand again."""
        old = replace(draft_of(EntryDetail(version.entry, ())), attachments=draft_of(current).attachments)
        return self.edit(current, old)

    def _change(self, before: EntryDetail, **fields: Any) -> EntryDetail:
        entry = replace(before.entry, state=EntryState.WAITING, ver=before.entry.ver + 1, **fields)
        self._book.put(entry)
        return EntryDetail(entry, self._book.bills.get(entry.id, ()))

    def overridden(self) -> frozenset[str]:
        """Return the ids whose last word waits."""
        return frozenset(row.id for row in self._book.waiting)

    def history(self, entry_id: str) -> tuple[HistoryVersion, ...]:
        """Return the versions that were put into the book."""
        self._book.step("history")
        self._book.need_server()
        return tuple(self._book.history.get(entry_id, ()))

    def page(self, filter_: EntryFilter, cursor: str | None) -> ListedPage:
        """Return rows after `cursor`, which is the last key as text."""
        self._book.step("page")
        if self._book.signed_out:
            self._book.need_server()
        rows = [row for row in self._book.entries if filter_.matches(row) and not filter_.waiting_only]
        rows.sort(key=lambda row: row.sort_key, reverse=True)
        if cursor is not None:
            day, _, entry_id = cursor.partition("/")
            rows = [row for row in rows if row.sort_key < (date.fromisoformat(day), entry_id)]
        shown = tuple(rows[: self._book.page_size])
        more = f"{shown[-1].entry_date}/{shown[-1].id}" if len(rows) > len(shown) else None
        return ListedPage(shown, more, self._book.offline)

    def pending(self, filter_: EntryFilter) -> tuple[ListedEntry, ...]:
        """Return what waits and matches."""
        return tuple(row for row in self._book.waiting if filter_.matches(row))

    def replication(self) -> dict[str, ReplicationStatus]:
        """Return where the changes are that were put somewhere."""
        self._book.step("whereabouts")
        return dict(self._book.places)

    def totals(self, filter_: EntryFilter) -> Totals:
        """Sum up what matches."""
        self._book.step("totals")
        self._book.need_server()
        total, hidden = Totals(), self.overridden()
        for row in self._book.entries:
            if row.id not in hidden and filter_.matches(row) and not filter_.waiting_only:
                total = replace(total.plus(row), waiting=0)
        for row in self.pending(filter_):
            total = total.plus(row)
        return total

    def detail(self, entry_id: str) -> EntryDetail:
        """Return the entry with its bills."""
        self._book.step("detail")
        rows = [*self._book.waiting, *self._book.entries]
        entry = next(row for row in rows if row.id == entry_id)
        return EntryDetail(entry, self._book.bills.get(entry_id, ()))

    def suggest_categories(self, prefix: str) -> list[Suggestion]:
        """Complete a category."""
        self._book.step("suggest_categories")
        self._book.need_server()
        names = sorted({row.category for row in self._book.entries})
        return [Suggestion(name, 1) for name in names if name.lower().startswith(prefix.lower())]

    def suggest_descriptions(self, prefix: str) -> list[Suggestion]:
        """Complete a description, with its last category and direction."""
        self._book.step("suggest_descriptions")
        self._book.need_server()
        known = {row.description: row for row in reversed(self._book.entries)}
        return [
            Suggestion(text, 1, row.category, row.direction)
            for text, row in sorted(known.items())
            if prefix.lower() in text.lower()
        ]


class FakeDocuments:
    """Bills in a folder."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def attach_file(self, path: Path) -> Attachment:
        """Keep a copy of `path`, checked as the program does."""
        self._book.step("attach")
        return self._note(Files(self._book.folder / "kept").keep_file(path))

    def attach_bytes(self, data: bytes, name: str) -> Attachment:
        """Keep `data`."""
        return self._note(Files(self._book.folder / "kept").keep_bytes(data, name))

    def _note(self, kept: Attachment) -> Attachment:
        data = (self._book.folder / "kept" / kept.sha256).read_bytes()
        with self._book.changing:
            self._book.files[kept.sha256] = data
            return replace(kept, id=f"doc-{len(self._book.files)}")

    def fetch(self, info: DocumentInfo | Attachment) -> Path:
        """Return a file with the bytes."""
        self._book.step("fetch")
        path = self._book.folder / info.sha256
        if not path.exists():
            path.write_bytes(self._book.files[info.sha256])
        return path

    def save_copy(self, info: DocumentInfo | Attachment, destination: Path) -> None:
        """Write the bytes to `destination`."""
        self._book.step("save_copy")
        destination.write_bytes(self._book.files[info.sha256])


class FakeExports:
    """Writes one line per entry."""

    def __init__(self, book: Book, entries: FakeEntries) -> None:
        self._book = book
        self._entries = entries

    def preflight(self, filter_: EntryFilter) -> Preflight:
        """Count."""
        self._book.step("preflight")
        self._book.need_server()
        rows = [row for row in self._book.entries if filter_.matches(row)]
        waiting = tuple(row.human_code for row in self._entries.pending(filter_))
        return Preflight(len(rows), sum(not row.document_count for row in rows), waiting)

    def write_csv(
        self, filter_: EntryFilter, path: Path, progress: Callable[[int], None], cancelled: Callable[[], bool]
    ) -> ExportResult:
        """Write what the server has."""
        self._book.step("write_csv")
        rows = [row for row in self._book.entries if filter_.matches(row)]
        lines = []
        for row in rows:
            if cancelled():
                raise CancelledError
            lines.append(row.human_code)
            progress(len("\n".join(lines)))
        path.write_text("\n".join(lines), encoding="utf-8")
        total = Totals()
        for row in rows:
            total = total.plus(row)
        left_out = tuple(row.human_code for row in self._entries.pending(filter_))
        return ExportResult(path, len(rows), total, left_out)


class FakeSync:
    """Moves what waits into the book; refused rows stay."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def send_pending(self) -> SyncReport:
        """Confirm everything, unless offline."""
        self._book.step("send_pending")
        try:
            self._book.need_server()
        except AppError as error:
            return SyncReport(0, len(self._book.waiting), 0, error)
        with self._book.changing:
            return self._confirmed()

    def _confirmed(self) -> SyncReport:
        refused = [row for row in self._book.waiting if row.state is EntryState.REFUSED]
        sent = [row for row in self._book.waiting if row.state is not EntryState.REFUSED]
        taken = {row.id: replace(row, state=EntryState.CONFIRMED) for row in sent}
        kept = [taken.pop(row.id, row) for row in self._book.entries]
        self._book.entries[:] = [*kept, *taken.values()]
        self._book.waiting[:] = refused
        return SyncReport(len(sent), len(refused), len(refused))

    def waiting(self) -> int:
        """Count what waits."""
        return len(self._book.waiting)

    def items(self) -> tuple[OutboxItem, ...]:
        """Return what waits as the outbox holds it."""
        self._book.step("items")
        return tuple(self._item(row) for row in self._book.waiting)

    def retry(self, op_id: str) -> None:
        """Let a refused one wait again."""
        self._book.step("retry")
        rows = self._book.waiting
        with self._book.changing:
            rows[:] = [replace(r, state=EntryState.WAITING) if f"op-{r.id}" == op_id else r for r in rows]

    def discard(self, op_id: str) -> None:
        """Forget one."""
        self._book.step("discard")
        with self._book.changing:
            self._book.waiting[:] = [row for row in self._book.waiting if f"op-{row.id}" != op_id]

    def _item(self, row: ListedEntry) -> OutboxItem:
        served = next((each for each in self._book.entries if each.id == row.id), None)
        bills = self._book.bills.get(row.id, ())
        base = EntryDetail(served, self._book.old_bills.get(row.id, bills)) if served else None
        attempts, error = self._book.attempts.get(row.id, (0, row.note))
        return OutboxItem(
            op_id=f"op-{row.id}",
            ver=row.ver,
            book_id="book-1",
            kind=_kind(served, row),
            entry_id=row.id,
            human_code=row.human_code,
            entry_date=row.entry_date,
            amount=row.amount,
            direction=row.direction,
            category=row.category,
            description=row.description,
            documents=bills,
            created_at=_AT,
            attempts=attempts,
            last_error=error,
            state=OutboxState.REFUSED if row.state is EntryState.REFUSED else OutboxState.WAITING,
            base=base,
            voided=row.voided,
        )


def _kind(served: ListedEntry | None, row: ListedEntry) -> OutboxKind:
    if served is None:
        return OutboxKind.CREATE
    if served.voided is row.voided:
        return OutboxKind.EDIT
    return OutboxKind.VOID if row.voided else OutboxKind.RESTORE


class FakeDrafts:
    """Drafts in a dictionary."""

    def __init__(self, book: Book, entries: FakeEntries) -> None:
        self._book = book
        self._entries = entries

    def keep(self, book_id: str, form: FormDraft, edition: int) -> None:
        """Keep `form`, or nothing for an empty one."""
        self._book.step("keep_draft")
        if form.empty:
            self._book.drafts.pop(book_id, None)
        else:
            self._book.drafts[book_id] = form

    def load(self, book_id: str) -> FormDraft | None:
        """Return what was kept."""
        self._book.step("load_draft")
        return self._book.drafts.get(book_id)

    def save_entry(self, book_id: str, draft: EntryDraft, edition: int) -> ListedEntry:
        """Save, and forget the draft."""
        made = self._entries.save(draft)
        self._book.drafts.pop(book_id, None)
        return made


class FakeSettings(dict[str, str]):
    """Settings in a dictionary."""

    def set(self, key: str, value: str) -> None:
        """Keep `value`."""
        self[key] = value


class FakeServices:
    """All of them over one `book`; pass `services()` to what wants the real ones."""

    def __init__(self, folder: Path, entries: list[ListedEntry] | None = None) -> None:
        self.book = Book(entries=list(entries or []), folder=folder)
        self.accounts = FakeAccounts(self.book)
        self.entries = FakeEntries(self.book)
        self.documents = FakeDocuments(self.book)
        self.drafts = FakeDrafts(self.book, self.entries)
        self.exports = FakeExports(self.book, self.entries)
        self.sync = FakeSync(self.book)
        self.settings = FakeSettings()
        self.link = FakeLink(self.book)
        self.moving = FakeMoving(self.book, self.accounts, self.link)

    def services(self) -> "Services":
        """Return these in the type of the real ones."""
        return cast("Services", self)
