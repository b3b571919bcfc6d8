"""A server in memory: one book, the accounts that open it, and the switches for trouble."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import RLock
from typing import Final
from uuid import UUID, uuid4

from app.domain.codes import counter_of
from app.domain.entry import DocumentInfo, EntryDetail, EntryFilter, HistoryVersion, ListedEntry
from app.services.accounts import OpenSession
from server.auth.names import name_key
from server.auth.throttle import Throttle
from server.contract.errors import ErrorCode
from server.contract.join import InviteLink, make_link
from server.contract.limits import MAX_PAGE
from server.contract.recovery_codes import CODE_BITS, make_code, read_code
from server.errors import ApiError, not_found
from tests.support.fakes.shop import BEGAN, DEVICE, bills_of
from tests.support.fakes.steps import Steps

SERVER_ID: Final = "in-mum-1"
FINGERPRINT: Final = "ab" * 32
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Account:
    """Somebody who may open the book; `password` is "" for none. `devices` have logged in before."""

    user_name: str
    password: str = ""
    devices: set[str] = field(default_factory=set)
    recovery_code: str = ""
    user_id: UUID = field(default_factory=uuid4)


def give_code(own: Account) -> str:
    """Give an account a new recovery code, and return it as it is shown."""
    code = make_code(secrets.randbits(CODE_BITS))
    own.recovery_code = read_code(code)
    return code


@dataclass
class Book(Steps):
    """One book, whoever signs in: a server has as many as it has accounts.

    A test may look at `entries` and change them at any moment; a thread that changes them holds `changing`.
    `page_size` makes the pages shorter than what is asked for, as a server may.
    """

    entries: list[ListedEntry] = field(default_factory=list)
    bills: dict[str, tuple[DocumentInfo, ...]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    history: dict[str, list[HistoryVersion]] = field(default_factory=dict)
    """Newest first. An entry that is not in here has one version."""
    accounts: dict[str, Account] = field(default_factory=dict)
    sessions: dict[str, tuple[Account, OpenSession]] = field(default_factory=dict)
    """By family, oldest first."""
    prefixes: dict[str, str] = field(default_factory=dict)
    """The code prefix of each device."""
    invites: set[str] = field(default_factory=set)
    spent: set[str] = field(default_factory=set)
    registration: str = "open"
    contact: str = ""
    resets: dict[str, Account] = field(default_factory=dict)
    """The codes with which an account gets a new password."""
    offline: bool = False
    page_size: int = MAX_PAGE
    throttle: Throttle = field(default_factory=Throttle)
    changing: RLock = field(default_factory=RLock)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _seconds: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        for row in self.entries:
            self.bills[row.id], files = bills_of(row)
            self.files |= files
        self.add_account("asha", "correct horse")

    def now_us(self) -> int:
        """Return the time (µs since 1970): the tests' day, and a second more at each call."""
        return round(BEGAN.timestamp() + next(self._seconds)) * 1_000_000

    # --- accounts --------------------------------------------------------------------------------

    def add_account(self, user_name: str, password: str) -> Account:
        """Let somebody have an account."""
        made = self.accounts[name_key(user_name)] = Account(user_name, password)
        return made

    def make_reset(self, account: Account) -> str:
        """Return an operator's link with which an account gets a new password, once."""
        code = f"reset.{secrets.token_hex(8)}.code"
        self.resets[code] = account
        return make_link(InviteLink("https://books.example", FINGERPRINT, code), "reset")

    def begin_session(self, account: Account, device: str) -> str:
        """Sign somebody in on a device; return the session's family."""
        number = next(self._numbers)
        family, at = f"family-{number}", BEGAN + timedelta(seconds=number)
        self.sessions[family] = account, OpenSession(family, device, at, at, this_one=False)
        return family

    def prefix_of(self, device_id: str) -> str:
        """Return what the codes of a device begin with: `0K7` for the first one."""
        return self.prefixes.setdefault(device_id, f"0K{7 + len(self.prefixes)}")

    def last_counter(self, prefix: str) -> int:
        """Return the highest number behind a code prefix, 0 for none."""
        with self.changing:
            codes = [row.human_code for row in self.entries if row.human_code.startswith(prefix)]
        return max((counter_of(code) for code in codes), default=0)

    # --- reading ---------------------------------------------------------------------------------

    def find(self, filter_: EntryFilter) -> list[ListedEntry]:
        """Return what matches, newest first."""
        with self.changing:
            rows = [row for row in self.entries if filter_.matches(row)]
        return sorted(rows, key=lambda row: row.sort_key, reverse=True)

    def entry(self, entry_id: str) -> ListedEntry:
        """Return an entry. Raises ApiError (not_found)."""
        with self.changing:
            found = next((row for row in self.entries if row.id == entry_id), None)
        if found is None:
            raise not_found("entry")
        return found

    def detail(self, entry: ListedEntry) -> EntryDetail:
        """Return an entry with its bills."""
        return EntryDetail(entry, self.bills.get(entry.id, ()))

    def document(self, document_id: str) -> DocumentInfo:
        """Return a bill of any version of any entry. Raises ApiError (not_found)."""
        with self.changing:
            known = [bill for bills in self.bills.values() for bill in bills]
            versions = [version for versions in self.history.values() for version in versions]
        known += [bill for version in versions for bill in version.documents_added]
        found = next((bill for bill in known if bill.id == document_id), None)
        if found is None:
            raise not_found("document")
        return found

    def versions(self, entry_id: str) -> list[HistoryVersion]:
        """Return every version of an entry, newest first. Raises ApiError (not_found)."""
        entry = self.entry(entry_id)
        return self.history.get(entry_id) or [self._created(entry)]

    # --- writing ---------------------------------------------------------------------------------

    def take(
        self,
        op_id: str,
        entry: ListedEntry,
        based_on: int,
        added: Sequence[DocumentInfo],
        removed: Sequence[str],
        by: tuple[str, str],
    ) -> HistoryVersion:
        """Take one version of an entry, made `by` (user, device) from `based_on`; return how it stands.

        Of two versions the one with the higher `ver` stands; bills come and go one by one.
        """
        with self.changing:
            told = next((each for each in self.history.get(entry.id, []) if each.op_id == op_id), None)
            if told is not None:  # its answer was lost, or another computer sent it
                return told
            versions = [] if not based_on and not self._is_known(entry.id) else self.versions(entry.id)
            before = self.bills.get(entry.id, ())
            gone = tuple(bill for bill in before if bill.id in removed)
            self.bills[entry.id] = (*(bill for bill in before if bill.id not in removed), *added)
            entry = replace(entry, document_count=len(self.bills[entry.id]))
            base = next((version for version in versions if version.entry.ver == based_on), None)
            if versions and base is None:
                raise ApiError(ErrorCode.BASE_MISSING, "The version that this was made from is not here.")
            made = HistoryVersion(
                op_id,
                entry,
                _action(base, entry),
                *by,
                made_at=_EPOCH + timedelta(microseconds=entry.ver),
                stands=not versions or entry.ver > versions[0].entry.ver,
                superseded=False,
                documents_added=tuple(added),
                documents_removed=gone,
            )
            self.history[entry.id] = _ordered(versions, made, based_on)
            self._show(self.history[entry.id][0].entry)
            return next(version for version in self.history[entry.id] if version.op_id == op_id)

    def _is_known(self, entry_id: str) -> bool:
        return any(row.id == entry_id for row in self.entries)

    def _show(self, standing: ListedEntry) -> None:
        count = len(self.bills.get(standing.id, ()))
        shown = replace(standing, document_count=count)
        if self._is_known(standing.id):
            self.entries[:] = [shown if row.id == shown.id else row for row in self.entries]
        else:
            self.entries.append(shown)

    def _created(self, entry: ListedEntry) -> HistoryVersion:
        return HistoryVersion(
            f"op-{entry.id}",
            entry,
            "created",
            "asha",
            DEVICE,
            BEGAN,
            stands=True,
            superseded=False,
            documents_added=self.bills.get(entry.id, ()),
        )


def _ordered(versions: list[HistoryVersion], made: HistoryVersion, based_on: int) -> list[HistoryVersion]:
    """Return the versions with `made` among them; of two of the same base the older is superseded."""
    if not made.stands:
        others = [*versions, replace(made, superseded=True)]
        return sorted(others, key=lambda version: (version.entry.ver, version.op_id), reverse=True)
    older = [
        replace(
            version,
            stands=False,
            superseded=version.entry.ver != based_on and (version.superseded or version.entry.ver > based_on),
        )
        for version in versions
    ]
    return [made, *older]


def _action(base: HistoryVersion | None, entry: ListedEntry) -> str:
    if base is None:
        return "created"
    if base.entry.voided is entry.voided:
        return "edited"
    return "voided" if entry.voided else "restored"
