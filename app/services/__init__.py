"""The use cases of the program, as the windows call them. Free of Qt.

The methods block, may be called from any thread, and raise AppError if they fail.
"""

from dataclasses import dataclass

from app.services.accounts import Accounts
from app.services.documents import Documents
from app.services.drafts import Drafts
from app.services.entries import Entries
from app.services.exports import Exports
from app.services.moving import Moving
from app.services.outbox_items import OutboxItems
from app.services.previews import Previews
from app.services.recovery import Recovery
from app.services.sync import Sync
from app.services.sync_worker import SyncWorker
from app.store.last_folders import LastFolders
from app.store.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """All services."""

    accounts: Accounts
    entries: Entries
    documents: Documents
    drafts: Drafts
    exports: Exports
    sync: Sync
    outbox_items: OutboxItems
    settings: Settings
    worker: SyncWorker
    moving: Moving
    previews: Previews
    recovery: Recovery
    folders: LastFolders
    unexpected_end: str | None = None
    """The trace of the last program, if it ended unexpectedly; "" if it left none. None after a clean end."""
