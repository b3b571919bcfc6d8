"""Services over a server in memory, for tests and pictures of the screens: with switches for trouble.

Entries, documents, drafts, exports, settings and the sending of the outbox are the real ones, over a real
SQLite file; the sync worker is too. Faked are the network, the accounts, the state of the connection and the
move of a book. `tests/app/services/contract` holds all of it to the real services.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from app.domain.entry import DocumentInfo, ListedEntry
from app.domain.form_draft import FormDraft
from app.services.accounts import Accounts
from app.services.documents import Documents
from app.services.drafts import Drafts
from app.services.entries import Entries
from app.services.exports import Exports
from app.services.outbox_items import OutboxItems
from app.services.previews import Previews
from app.services.sync import Sync
from app.services.sync_worker import SyncWorker
from app.store.bill_turns import BillTurns
from app.store.cache import ReadCache
from app.store.database import Database
from app.store.drafts import DraftStore
from app.store.files import Files
from app.store.last_folders import LastFolders
from app.store.outbox import Outbox
from app.store.replay_log import ReplayLog
from app.store.settings import Settings
from tests.support.fake_connection import FakeConnection, FakeTracker
from tests.support.fakes.accounts import Computer, FakeAccounts
from tests.support.fakes.book import Book
from tests.support.fakes.moving import FakeMoving
from tests.support.fakes.recovery import FakeRecovery
from tests.support.fakes.shop import ABROAD, HOME, NOON, TODAY, shop_entries
from tests.support.fakes.steps import Stepped
from tests.support.fakes.waiting import note_status, put_waiting

if TYPE_CHECKING:
    from app.services import Services

__all__ = ["ABROAD", "BOOK_ID", "HOME", "NOON", "TODAY", "Book", "FakeServices", "shop_entries"]

BOOK_ID: Final = "book-1"
_ATTACH: Final = {"attach_file": "attach", "attach_open": "attach", "attach_bytes": "attach"}
_DRAFTS: Final = {"keep": "keep_draft", "load": "load_draft", "save_entry": "save"}


class FakeServices:
    """All of them on one computer with the folder `folder`; pass `services()` to what wants the real ones.

    Two computers may share a `book`; a program that is started again has the `computer` of the one before.
    """

    def __init__(
        self,
        folder: Path,
        entries: list[ListedEntry] | None = None,
        book: Book | None = None,
        computer: Computer | None = None,
    ) -> None:
        self.book = book or Book(entries=list(entries or []))
        self.database = Database(folder / "client.sqlite")
        self.files = Files(folder / "kept")
        self.outbox, self._drafts = Outbox(self.database), DraftStore(self.database)
        self.settings = Settings(self.database)
        self.folders = LastFolders(self.settings)
        self.unexpected_end: str | None = None
        self.accounts = FakeAccounts(self.book, self.settings, self.outbox, computer or Computer())
        self.recovery = FakeRecovery(self.book, self.accounts)
        self.previews = Previews()
        self._compose(cast("Accounts", self.accounts))
        self.connection = FakeConnection(self.book, self.accounts)
        self.share_of_pauses = 1.0
        """How much of its pauses between two runs the sync worker waits."""
        self.worker = SyncWorker(
            self.accounts,
            self.sync,
            FakeTracker(),
            self.connection,
            draw=lambda low, high: self.share_of_pauses * (low + high) / 2,
        )
        self.moving = FakeMoving(
            self.book,
            self.accounts,
            self.connection,
            self.worker.send_and_wait,
            self.outbox,
            self.settings,
        )

    def _compose(self, accounts: Accounts) -> None:
        cache, replay_log, clock = ReadCache(self.database), ReplayLog(self.database), self.book.now_us
        entries = Entries(accounts, self.outbox, cache, clock, replay_log)
        drafts = Drafts(self.database, self._drafts, entries, self.files)
        sync = Sync(accounts, self.outbox, cache, self.files, clock)
        self.entries = cast("Entries", Stepped(entries, self.book))
        documents = Documents(accounts, self.files, BillTurns(self.database), self.folders)
        self.documents = cast("Documents", Stepped(documents, self.book, _ATTACH))
        self.drafts = cast("Drafts", Stepped(drafts, self.book, _DRAFTS))
        self.exports = cast("Exports", Stepped(Exports(accounts, self.outbox), self.book))
        self.sync = cast("Sync", Stepped(sync, self.book))
        items = OutboxItems(accounts, self.outbox, self.documents, clock)
        self.outbox_items = cast("OutboxItems", Stepped(items, self.book))

    def services(self) -> "Services":
        """Return these in the type of the real ones."""
        return cast("Services", self)

    def close(self) -> None:
        """End the program."""
        self.previews.close()
        self.worker.close()
        self.database.close()

    # --- what a test prepares and looks at -------------------------------------------------------

    def waiting(self) -> list[ListedEntry]:
        """Return what waits, oldest first: a row for each operation."""
        return [item.listed() for item in self.outbox.items(BOOK_ID)]

    def wait(
        self,
        *rows: ListedEntry,
        bills: tuple[DocumentInfo, ...] | None = None,
        attempts: int = 0,
        error: str = "",
    ) -> None:
        """Let the changes that make `rows` of their entries wait, as `put_waiting` does."""
        for row in rows:
            known = next((each for each in self.book.entries if each.id == row.id), None)
            base = self.book.detail(known) if known else None
            put_waiting(self.database, BOOK_ID, row, base, bills=bills, attempts=attempts, error=error)

    def place(self, row: ListedEntry, *regions: str, rows: tuple[str, ...] = (), at: datetime = NOON) -> None:
        """Let the last change of `row` be whole in `regions`, and without its bills in those of `rows`."""
        note_status(self.database, BOOK_ID, row, regions, rows, at)

    def clear(self) -> None:
        """Let nothing wait, and nothing be known of the regions."""
        with self.database.write() as connection:
            connection.execute("DELETE FROM outbox")
            connection.execute("DELETE FROM whereabouts")

    def draft(self, book_id: str = BOOK_ID) -> FormDraft:
        """Return the draft that is kept of a book, an empty one for none."""
        return self._drafts.get(book_id) or FormDraft()
