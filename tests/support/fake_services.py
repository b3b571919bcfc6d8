"""Services in memory, for tests and pictures of the screens: deterministic, with switches for trouble."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from app.domain.entry import ListedEntry
from app.services.sync_worker import SyncWorker
from tests.support.fake_connection import FakeConnection, FakeTracker
from tests.support.fakes.accounts import DAMAGED_LINK, FakeAccounts
from tests.support.fakes.book import Book
from tests.support.fakes.documents import FakeDocuments
from tests.support.fakes.drafts import FakeDrafts
from tests.support.fakes.entries import FakeEntries
from tests.support.fakes.exports import FakeExports
from tests.support.fakes.moving import FakeMoving
from tests.support.fakes.settings import FakeSettings
from tests.support.fakes.shop import ABROAD, HOME, NOON, TODAY, shop_entries
from tests.support.fakes.sync import FakeSync

if TYPE_CHECKING:
    from app.services import Services

__all__ = ["ABROAD", "DAMAGED_LINK", "HOME", "NOON", "TODAY", "Book", "FakeServices", "shop_entries"]


class FakeServices:
    """All of them over one `book`, with a real sync worker; pass `services()` to what wants the real ones."""

    def __init__(self, folder: Path, entries: list[ListedEntry] | None = None) -> None:
        self.book = Book(entries=list(entries or []), folder=folder)
        self.accounts = FakeAccounts(self.book)
        self.entries = FakeEntries(self.book)
        self.documents = FakeDocuments(self.book)
        self.drafts = FakeDrafts(self.book, self.entries)
        self.exports = FakeExports(self.book, self.entries)
        self.sync = FakeSync(self.book)
        self.settings = FakeSettings()
        self.connection = FakeConnection(self.book, self.accounts)
        self.worker = SyncWorker(
            self.accounts, self.sync, FakeTracker(), self.connection, draw=lambda low, high: (low + high) / 2
        )
        self.moving = FakeMoving(self.book, self.accounts, self.connection)

    def services(self) -> "Services":
        """Return these in the type of the real ones."""
        return cast("Services", self)

    def close(self) -> None:
        """End the thread of the sync worker."""
        self.worker.close()
