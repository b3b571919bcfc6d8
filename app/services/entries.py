"""Saving, listing, totalling and completing entries: the server's answer with the outbox laid over it."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Final

from app.domain.entry import (
    Attachment,
    EntryDetail,
    EntryDraft,
    EntryFilter,
    HistoryVersion,
    ListedEntry,
    ListedPage,
    Suggestion,
    Totals,
)
from app.domain.outbox_item import OutboxItem, OutboxKind
from app.domain.sync_state import ReplicationStatus, by_entry
from app.errors import InputError, OfflineError
from app.remote.translate import (
    description_of,
    detail_of,
    entry_of,
    query_of,
    totals_of,
    version_of,
)
from app.services.accounts import Accounts
from app.store.cache import ReadCache
from app.store.outbox import Outbox
from app.store.replay_log import ReplayLog
from server.contract import checks, limits
from server.contract.errors import FieldError

PAGE: Final = limits.MAX_PAGE
_CACHED: Final = "cache:"  # a cursor of ours, not the server's


class Entries:
    """`now_us` is this computer's clock."""

    def __init__(
        self,
        accounts: Accounts,
        outbox: Outbox,
        cache: ReadCache,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        replay_log: ReplayLog | None = None,
    ) -> None:
        self._accounts = accounts
        self._outbox = outbox
        self._cache = cache
        self._now_us = now_us
        self._replay_log = replay_log

    def save(self, draft: EntryDraft) -> ListedEntry:
        """Keep an entry in the outbox: durable on return, and no network is touched."""
        _check(draft)
        session = self._accounts.require_session()
        item = self._outbox.add(
            session.book_id, draft, session.code_prefix, self._now_us(), self._accounts.offset_us
        )
        return item.listed()

    def page(self, filter_: EntryFilter, cursor: str | None) -> ListedPage:
        """Return a page, newest first; without a server, one of the last entries seen."""
        book = self._accounts.require_session().book_id
        if filter_.waiting_only:
            return ListedPage((), None)
        if cursor is not None and cursor.startswith(_CACHED):
            return self._cached_page(book, filter_, cursor)
        query = query_of(filter_) | {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
        try:
            page = self._accounts.remote.api.for_book(book).entries(query)
        except OfflineError:
            if cursor is not None:
                raise  # half of the list from the server and half from here would have a gap
            return self._cached_page(book, filter_, _CACHED)
        entries = tuple(entry_of(entry) for entry in page.entries)
        self._cache.remember(book, entries)
        return ListedPage(entries, page.next_cursor)

    def edit(self, before: EntryDetail, draft: EntryDraft) -> EntryDetail:
        """Keep a change of an entry in the outbox: durable on return, and no network is touched.

        A bill of `draft` with the id of one of the entry's stays that one; the others are new.
        """
        _check(draft)
        return self._change(OutboxKind.EDIT, before, draft)

    def void(self, before: EntryDetail) -> EntryDetail:
        """Take an entry out of the book; its history stays, and `restore` puts it back."""
        return self._change(OutboxKind.VOID, before, draft_of(before))

    def restore(self, before: EntryDetail) -> EntryDetail:
        """Put a voided entry back."""
        return self._change(OutboxKind.RESTORE, before, draft_of(before))

    def history(self, entry_id: str) -> tuple[HistoryVersion, ...]:
        """Return every version of an entry that a server has, newest first."""
        return tuple(version_of(v) for v in self._accounts.remote.api.history(entry_id).versions)

    def restore_version(self, current: EntryDetail, version: HistoryVersion) -> EntryDetail:
        """Make an older version the standing one again, as a new version; the bills stay as they are."""
        old = replace(draft_of(EntryDetail(version.entry, ())), attachments=draft_of(current).attachments)
        return self.edit(current, old)

    def pending(self, filter_: EntryFilter) -> tuple[ListedEntry, ...]:
        """Return what only this computer has and the filter shows, newest first."""
        rows = [items[-1].listed() for items in self._pending().values()]
        return tuple(sorted((r for r in rows if filter_.matches(r)), key=lambda r: r.sort_key, reverse=True))

    def overridden(self) -> frozenset[str]:
        """Return the ids of entries whose last word is here: what a server shows of them is older."""
        return frozenset(self._pending())

    def replication(self) -> dict[str, ReplicationStatus]:
        """Return where this computer's own recent changes are, by entry; of other entries no more is known
        than that a server has them."""
        session = self._accounts.session
        if session is None or self._replay_log is None or not self._accounts.is_remote:
            return {}
        return by_entry(self._replay_log.recent(session.book_id, self._now_us()))

    def totals(self, filter_: EntryFilter) -> Totals:
        """Return count and sums of the filter, the outbox included. Raises OfflineError without a server."""
        totals = Totals()
        if not filter_.waiting_only:
            totals = totals_of(self._accounts.remote.api.summary(query_of(filter_)))
        for items in self._pending().values():
            counted, now = items[0].base, items[-1].listed()
            if counted is not None and not filter_.waiting_only and filter_.matches(counted.entry):
                totals = totals.minus(counted.entry)
            if filter_.matches(now):
                totals = totals.plus(now)
        return totals

    def detail(self, entry_id: str) -> EntryDetail:
        """Return an entry with its bills, from the outbox, the server, or what was seen last."""
        book = self._accounts.require_session().book_id
        if item := self._outbox.find_entry(book, entry_id):
            return item.detail()
        try:
            detail = detail_of(self._accounts.remote.api.for_book(book).entry(entry_id))
        except OfflineError:
            if known := self._cache.detail(book, entry_id):
                return known
            raise
        self._cache.remember_detail(book, detail)
        return detail

    def suggest_categories(self, prefix: str) -> list[Suggestion]:
        """Complete a category, best first."""
        found = self._accounts.remote.api.categories(prefix.strip()).suggestions
        return [Suggestion(s.text, s.uses) for s in found]

    def suggest_descriptions(self, prefix: str) -> list[Suggestion]:
        """Complete a description, best first."""
        found = self._accounts.remote.api.descriptions(prefix.strip()).suggestions
        return [description_of(s) for s in found]

    def _change(self, kind: OutboxKind, before: EntryDetail, draft: EntryDraft) -> EntryDetail:
        session = self._accounts.require_session()
        return self._outbox.change(
            session.book_id,
            kind,
            before,
            draft,
            session.code_prefix,
            self._now_us(),
            self._accounts.offset_us,
        ).detail()

    def _pending(self) -> dict[str, list[OutboxItem]]:
        """Return the operations that wait, by entry, oldest first."""
        found: dict[str, list[OutboxItem]] = {}
        for item in self._outbox.items(self._accounts.require_session().book_id):
            found.setdefault(item.entry_id, []).append(item)
        return found

    def _cached_page(self, book: str, filter_: EntryFilter, cursor: str) -> ListedPage:
        rows = self._cache.page(book, filter_, _key(cursor), PAGE)
        more = f"{_CACHED}{rows[-1].entry_date}/{rows[-1].id}" if len(rows) == PAGE else None
        return ListedPage(tuple(rows), more, from_cache=True)


def draft_of(detail: EntryDetail) -> EntryDraft:
    """Return an entry as a draft that would change nothing."""
    entry = detail.entry
    bills = tuple(
        Attachment(d.id, d.file_name, d.media_type, d.byte_size, d.sha256) for d in detail.documents
    )
    return EntryDraft(
        entry.entry_date, entry.amount, entry.direction, entry.category, entry.description, bills
    )


def _key(cursor: str) -> tuple[date, str] | None:
    day, _, id_ = cursor.removeprefix(_CACHED).partition("/")
    return (date.fromisoformat(day), id_) if day else None


def _check(draft: EntryDraft) -> None:
    """Refuse what no server would take, before it is kept: an outbox item must be able to leave."""
    fields = {e.field: e.message for e in _text_errors(draft)}
    if not 0 < draft.amount <= limits.MAX_AMOUNT:
        fields["amount"] = "The amount must be above zero."
    if len(draft.attachments) > limits.MAX_DOCUMENTS_PER_ENTRY:
        fields["documents"] = f"An entry can hold {limits.MAX_DOCUMENTS_PER_ENTRY} documents."
    if fields:
        raise InputError(next(iter(fields.values())), fields=fields)


def _text_errors(draft: EntryDraft) -> list[FieldError]:
    return [
        *checks.check_text("category", draft.category, limits.MAX_CATEGORY, required=True),
        *checks.check_text("description", draft.description, limits.MAX_DESCRIPTION, required=False),
    ]
