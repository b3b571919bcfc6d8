"""What the fakes share, and the switches for trouble."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock

from app.domain.entry import DocumentInfo, HistoryVersion, ListedEntry
from app.domain.form_draft import FormDraft
from app.domain.sync_state import ReplicationStatus
from app.errors import AppError, OfflineError, SignInError
from tests.support.fakes.shop import HOME, NOON


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
