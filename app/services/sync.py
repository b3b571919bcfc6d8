"""Bringing the outbox to the server: plan, upload, create, in the order in which things were saved."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.entry import EntryDetail
from app.errors import AppError, OfflineError, ServerError, SignInError, StoreError
from app.remote.translate import create_of, detail_of
from app.services.accounts import Accounts
from app.store.cache import ReadCache
from app.store.files import Files
from app.store.outbox import Outbox
from app.store.outbox_item import OutboxItem, OutboxState
from server.contract.errors import ErrorCode
from server.contract.shapes import EntrySaved, PlannedDocument


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one run did. `error` is why it stopped before the end."""

    sent: int
    waiting: int  # everything that no server has confirmed, what was refused too
    refused: int
    error: AppError | None = None


class Sync:
    """One run at a time, whoever asks; an item leaves only when a server has confirmed it."""

    def __init__(
        self,
        accounts: Accounts,
        outbox: Outbox,
        cache: ReadCache,
        files: Files,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._accounts = accounts
        self._outbox = outbox
        self._cache = cache
        self._files = files
        self._now_us = now_us
        self._lock = threading.Lock()

    def waiting(self) -> int:
        """Return how many entries no server has confirmed."""
        session = self._accounts.session
        return self._outbox.count(session.book_id) if session else 0

    def send_pending(self) -> SyncReport:
        """Send what waits, oldest first, until it is done or no server answers. Never raises AppError."""
        with self._lock:
            session = self._accounts.session
            if session is None:
                return SyncReport(0, 0, 0)
            sent, error = 0, None
            for item in self._outbox.waiting(session.book_id):
                try:
                    self._send(item)
                    sent += 1
                except AppError as failure:
                    if not _is_final(failure):
                        self._outbox.fail(item.op_id, failure.message)
                        error = failure
                        break
                    self._outbox.refuse(item.op_id, failure.message)
            refused = self._outbox.count(session.book_id, OutboxState.REFUSED)
            return SyncReport(sent, self.waiting(), refused, error)

    def _send(self, item: OutboxItem) -> None:
        self._upload(item)
        try:
            receipt = self._accounts.remote.api.create(create_of(item))
        except ServerError as error:
            if error.code == ErrorCode.CLOCK_AHEAD:
                self._correct_clock(error)
            raise
        self._confirm(item, receipt)

    def _upload(self, item: OutboxItem) -> None:
        if not item.documents:
            return
        api = self._accounts.remote.api
        wanted = {d.sha256: PlannedDocument(d.sha256, d.byte_size, d.media_type) for d in item.documents}
        for plan in api.plan(list(wanted.values())):
            if plan.stored or plan.upload is None:
                continue
            if not self._files.has(plan.sha256):
                raise StoreError("A bill of this entry is no longer on this computer.")
            api.upload(plan.upload, self._files.path(plan.sha256))

    def _confirm(self, item: OutboxItem, receipt: EntrySaved) -> None:
        if receipt.op_id != item.op_id:
            raise ServerError("The server confirmed another operation than this one.", retryable=True)
        detail: EntryDetail = detail_of(receipt)
        self._cache.remember_detail(item.book_id, detail)
        self._outbox.confirm(item.op_id)

    def _correct_clock(self, error: ServerError) -> None:
        """Learn the offset; items stamped in the future get new versions, for no server took them."""
        server_us = error.detail.get("serverTimeUs")
        if not isinstance(server_us, int):
            return
        self._accounts.offset_us = server_us - self._now_us()
        self._outbox.restamp(self._now_us(), self._accounts.offset_us)


def _is_final(error: AppError) -> bool:
    """Say whether a server will never take the item as it is."""
    if isinstance(error, (OfflineError, SignInError)) or error.retryable:
        return False
    if isinstance(error, StoreError):
        return True
    return error.code not in {ErrorCode.CLOCK_AHEAD, ErrorCode.DOCUMENTS_MISSING, ""}
