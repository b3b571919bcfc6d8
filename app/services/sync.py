"""Sends the outbox to the server, oldest operation first: plan, upload the bills, then the operation."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.domain.entry import EntryDetail
from app.domain.outbox_item import OutboxItem, OutboxKind, OutboxState
from app.errors import AppError, OfflineError, ServerError, SignInError, StoreError
from app.remote.translate import create_of, detail_of, edit_of, void_of
from app.services.accounts import Accounts
from app.store.cache import ReadCache
from app.store.files import Files
from app.store.outbox import Outbox
from app.store.replay_log import HERE, Confirmed
from server.contract.errors import ErrorCode
from server.contract.shapes import EntrySaved, PlannedDocument

_MAX_MOVES: Final = 2
"""How often one item is sent again because the session moved to another server meanwhile."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """The result of a run.

    `error` is the first error of an item that is still waiting. `superseded` are the codes of entries that
    were changed later on another device: the version sent is only in their history.
    """

    sent: int
    waiting: int  # all operations that no server has confirmed, including refused ones
    refused: int
    error: AppError | None = None
    superseded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sending:
    """The state of the session when an item was sent. It may have changed when the answer arrives."""

    pin_id: str
    is_remote: bool
    regions: int


class Sync:
    """Sends the outbox, one run at a time. Thread-safe. An item leaves it only when a server confirms it."""

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
        """Return the number of operations that no server has confirmed."""
        session = self._accounts.session
        return self._outbox.count(session.book_id) if session else 0

    def items(self) -> tuple[OutboxItem, ...]:
        """Return the operations that no server has confirmed, oldest first."""
        session = self._accounts.session
        return tuple(self._outbox.items(session.book_id)) if session else ()

    def retry(self, op_id: str) -> None:
        """Set a refused item to be sent again."""
        self._outbox.retry(op_id)

    def discard(self, op_id: str) -> None:
        """Delete a refused item, because the user decided so."""
        self._outbox.discard(op_id)

    def send_pending(self) -> SyncReport:
        """Send all items, oldest first, until the end or until no server answers. Never raises AppError.

        An item that fails holds up only the items that were made from it.
        """
        with self._lock:
            session = self._accounts.session
            if session is None:
                return SyncReport(0, 0, 0)
            sent, error, superseded = self._send_all(session.book_id)
            refused = self._outbox.count(session.book_id, OutboxState.REFUSED)
            left = self._outbox.count(session.book_id)
            return SyncReport(sent, left, refused, error, tuple(dict.fromkeys(superseded)))

    @property
    def is_sending(self) -> bool:
        """Return whether a run or a replay is in progress."""
        return self._lock.locked()

    def _send_all(self, book_id: str) -> tuple[int, AppError | None, list[str]]:
        sent, error = 0, None
        superseded: list[str] = []
        unsent: set[tuple[str, int]] = set()  # versions that no server has
        for item in self._outbox.items(book_id):
            refused = item.state is OutboxState.REFUSED
            if refused or (item.base is not None and (item.entry_id, item.base.entry.ver) in unsent):
                unsent.add((item.entry_id, item.ver))
                continue
            try:
                if self._send(item):
                    superseded.append(item.human_code)
                sent += 1
            except AppError as failure:
                unsent.add((item.entry_id, item.ver))
                if _is_final(failure):
                    self._outbox.refuse(item.op_id, failure.message, failure.fields)
                    continue
                self._outbox.fail(item.op_id, failure.message)
                error = error or failure
                if not concerns_one_item(failure):
                    break
        return sent, error, superseded

    def _send(self, item: OutboxItem) -> bool:
        """Send one item. Return whether the entry was changed later on another device.

        If the session moves to another server meanwhile, the item is sent again to the new one with the same
        ids. It is planned again, so that only missing bytes are sent.
        """
        runner = self._accounts.remote.runner
        for _ in range(_MAX_MOVES):
            epoch = runner.epoch
            try:
                with runner.tasks.task():
                    return self._send_once(item)
            except OfflineError:
                if runner.epoch == epoch:
                    raise
        return self._send_once(item)

    def replay(self, item: OutboxItem) -> None:
        """Send an operation that another server has confirmed to the present one. Raises AppError.

        It has the same ids, so it becomes the same row there.
        """
        with self._lock, self._accounts.remote.runner.tasks.task():
            self._upload(item)
            self._perform(item)

    def _send_once(self, item: OutboxItem) -> bool:
        pin_id = self._accounts.require_session().pin_id
        sent = _Sending(pin_id, self._accounts.is_remote, self._accounts.regions)
        self._upload(item)
        try:
            receipt = self._perform(item)
        except ServerError as error:
            if error.code == ErrorCode.CLOCK_AHEAD:
                self._correct_clock(item.book_id, error)
            raise
        self._confirm(item, receipt, sent)
        return receipt.superseded and item.kind is not OutboxKind.CREATE

    def _perform(self, item: OutboxItem) -> EntrySaved:
        api = self._accounts.remote.api.for_book(item.book_id)
        match item.kind:
            case OutboxKind.CREATE:
                return api.create(create_of(item))
            case OutboxKind.EDIT:
                return api.edit(item.entry_id, edit_of(item))
            case OutboxKind.VOID:
                return api.void(item.entry_id, void_of(item))
            case OutboxKind.RESTORE:
                return api.restore(item.entry_id, void_of(item))

    def _upload(self, item: OutboxItem) -> None:
        """Upload the bills of an item that the server lacks.

        After an interruption the item is planned again: bills that arrived whole are not sent again, one that
        was cut short starts from its beginning.
        """
        if not item.added:
            return
        api = self._accounts.remote.api.for_book(item.book_id)
        wanted = {d.sha256: PlannedDocument(d.sha256, d.byte_size, d.media_type) for d in item.added}
        for plan in api.plan(list(wanted.values())):
            if plan.stored or plan.upload is None:
                continue
            if not self._files.has(plan.sha256):
                raise StoreError("A bill of this entry is no longer on this computer.")
            api.upload(plan.upload, self._files.path(plan.sha256))

    def _confirm(self, item: OutboxItem, receipt: EntrySaved, sent: "_Sending") -> None:
        if receipt.op_id != item.op_id:
            raise ServerError(self._accounts.words.not_understood, retryable=True)
        if not receipt.superseded:  # otherwise the current version comes with the next page of the listing
            detail: EntryDetail = detail_of(receipt)
            self._cache.remember_detail(item.book_id, detail)
        by = Confirmed(receipt.server_id, receipt.region, sent.pin_id) if sent.is_remote else HERE
        self._outbox.confirm(item.op_id, by, self._now_us(), keep=sent.regions > 1)

    def _correct_clock(self, book_id: str, error: ServerError) -> None:
        """Correct the clock's offset, and give new versions to items whose versions are in the future."""
        server_us = error.detail.get("serverTimeUs")
        if not isinstance(server_us, int):
            return
        self._accounts.offset_us = server_us - self._now_us()
        self._outbox.restamp(book_id, self._now_us(), self._accounts.offset_us)


_PASSING = frozenset(
    {
        ErrorCode.CLOCK_AHEAD,
        ErrorCode.DOCUMENTS_MISSING,
        ErrorCode.BASE_MISSING,
        ErrorCode.UNKNOWN_FIELD,  # the server is an older version; it will be upgraded, or another one is met
        ErrorCode.LINK_EXPIRED,  # the line is slow; the next try sends only the bills that are still missing
    }
)
"""Refusals that a retry can overcome."""


def _is_final(error: AppError) -> bool:
    """Return whether a server will never accept the item as it is."""
    if isinstance(error, (OfflineError, SignInError)) or error.retryable:
        return False
    if isinstance(error, StoreError):
        return True
    return error.code not in {*_PASSING, ""}


def concerns_one_item(error: AppError) -> bool:
    """Return whether an error concerns one item only, so that other items can still be sent."""
    # After CLOCK_AHEAD, the rest of this run would send versions that have been replaced.
    return isinstance(error, ServerError) and not error.retryable and error.code != ErrorCode.CLOCK_AHEAD
