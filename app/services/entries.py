"""Entries: save, change, list, sum and complete them. The outbox overrides the server's answers."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from app.domain.entry import (
    Attachment,
    EntryDetail,
    EntryDraft,
    EntryFilter,
    HistoryVersion,
    ListedEntry,
    ListedPage,
    Shown,
    Suggestion,
    Totals,
)
from app.domain.money import MAX_WHOLE_DIGITS
from app.domain.outbox_item import OutboxItem, OutboxKind
from app.domain.suggestions import beginning_with, categories_of, descriptions_of
from app.domain.sync_state import ReplicationStatus, by_entry
from app.domain.text import clean_text
from app.errors import InputError, OfflineError
from app.remote.translate import (
    bounded_text,
    description_of,
    detail_of,
    entry_of,
    query_of,
    totals_of,
    version_of,
)
from app.services.accounts import Accounts
from app.store.cache import MAX_ENTRIES, ReadCache
from app.store.outbox import Outbox
from app.store.replay_log import ReplayLog
from server.contract import checks, limits
from server.contract.errors import FieldError

PAGE: Final = limits.MAX_PAGE
LAST_MADE: Final = 10
_CACHED: Final = "cache:"  # begins cursors into the cache; all others are the server's


class Entries:
    """The use cases for entries. `now_us` returns this computer's time in µs since 1970."""

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
        """Store a new entry in the outbox, without using the network. It is durable on return."""
        check_draft(draft)
        session = self._accounts.require_session()
        item = self._outbox.add(
            session.book_id, draft, session.code_prefix, self._now_us(), self._accounts.offset_us
        )
        return item.listed()

    def page(self, filter_: EntryFilter, cursor: str | None) -> ListedPage:
        """Return a page, newest first. If no server answers, it shows the last entries seen."""
        book = self._accounts.require_session().book_id
        if filter_.waiting_only:  # `pending` returns those; a server has none of them
            return ListedPage((), None)
        if cursor is not None and cursor.startswith(_CACHED):
            return self._cached_page(book, filter_, cursor)
        query = query_of(filter_) | {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
        try:
            page = self._accounts.remote.api.for_book(book).entries(query)
        except OfflineError:
            if cursor is not None:
                raise  # a list that is half the server's and half the cache's could have a gap
            return self._cached_page(book, filter_, _CACHED)
        entries = tuple(entry_of(entry) for entry in page.entries)
        self._cache.remember(book, entries)
        return ListedPage(entries, page.next_cursor)

    def edit(self, before: EntryDetail, draft: EntryDraft) -> EntryDetail:
        """Store an edit in the outbox, without using the network. It is durable on return.

        A bill of `draft` whose id the entry already has is kept; any other is new.
        """
        check_draft(draft)
        return self._change(OutboxKind.EDIT, before, draft)

    def void(self, before: EntryDetail) -> EntryDetail:
        """Void an entry. Its history is kept, and `restore` reverses it."""
        return self._change(OutboxKind.VOID, before, draft_of(before))

    def restore(self, before: EntryDetail) -> EntryDetail:
        """Restore a voided entry."""
        return self._change(OutboxKind.RESTORE, before, draft_of(before))

    def history(self, entry_id: str) -> tuple[HistoryVersion, ...]:
        """Return the versions of an entry that the server has, newest first. Raises AppError."""
        return tuple(version_of(v) for v in self._accounts.remote.api.history(entry_id).versions)

    def restore_version(self, current: EntryDetail, version: HistoryVersion) -> EntryDetail:
        """Save the content of an older version as a new version. The bills stay as they are now."""
        old = replace(draft_of(EntryDetail(version.entry, ())), attachments=draft_of(current).attachments)
        return self.edit(current, old)

    def pending(self, filter_: EntryFilter) -> tuple[ListedEntry, ...]:
        """Return the entries with unconfirmed changes that the filter includes, newest first."""
        rows = [items[-1].listed() for items in self._pending().values()]
        return tuple(sorted((r for r in rows if filter_.matches(r)), key=lambda r: r.sort_key, reverse=True))

    def last_made(self) -> tuple[ListedEntry, ...]:
        """Return the last entries made on this computer, newest first, without using the network.

        There are at most `LAST_MADE`, without crossed-out ones; none if no book is open.
        """
        session = self._accounts.session
        if session is None:
            return ()
        book, prefix = session.book_id, session.code_prefix
        waiting = [item.listed() for item in self._outbox.last_made(book, prefix, LAST_MADE)]
        changed = self._outbox.entry_ids(book)
        seen = self._cache.last_made(book, prefix, changed, LAST_MADE)
        rows = {row.id: row for row in (*waiting, *seen)}  # one may have been confirmed meanwhile
        return tuple(sorted(rows.values(), key=_number, reverse=True)[:LAST_MADE])

    def overridden(self) -> frozenset[str]:
        """Return the ids of entries with unconfirmed changes. The server's rows of these are out of date."""
        return frozenset(self._pending())

    def replication(self) -> dict[str, ReplicationStatus]:
        """Return the replication status of this computer's recent changes, by entry id.

        It is not known for any other entry.
        """
        session = self._accounts.session
        if session is None or self._replay_log is None or not self._accounts.is_remote:
            return {}
        return by_entry(self._replay_log.recent(session.book_id, self._now_us()))

    def totals(self, filter_: EntryFilter) -> Totals:
        """Return the totals of a filter, including the outbox. Raises OfflineError if no server answers."""
        totals = Totals()
        if not filter_.waiting_only:
            totals = totals_of(self._accounts.remote.api.summary(query_of(filter_)))
        for items in self._pending().values():
            # The server counted the entry as it was before its first unconfirmed change.
            counted, now = items[0].base, items[-1].listed()
            if counted is not None and not filter_.waiting_only and filter_.matches(counted.entry):
                totals = totals.minus(counted.entry)
            if filter_.matches(now):
                totals = totals.plus(now)
        return totals

    def detail(self, entry_id: str) -> EntryDetail:
        """Return an entry with its bills, from the outbox, the server, or the cache. Raises AppError."""
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
        """Return completions of a category, best first: those of this computer if no server answers."""
        typed = clean_text(prefix)
        try:
            found = self._accounts.remote.api.categories(typed).suggestions
        except OfflineError:
            return beginning_with(typed, self.known_categories())[: limits.MAX_SUGGESTIONS]
        return [Suggestion(bounded_text(s.text), s.uses) for s in found]

    def suggest_descriptions(self, prefix: str) -> list[Suggestion]:
        """Return completions of a description, best first: those of this computer if no server answers."""
        typed = clean_text(prefix)
        try:
            found = self._accounts.remote.api.descriptions(typed).suggestions
        except OfflineError:
            known = descriptions_of(self._known_entries())
            return beginning_with(typed, known)[: limits.MAX_SUGGESTIONS]
        return [description_of(s) for s in found]

    def known_categories(self) -> list[Suggestion]:
        """Return the categories of all entries that this computer knows, without using the network.

        There are none if no book is open.
        """
        if self._accounts.session is None:
            return []
        changed = self._pending()
        rows = [items[-1].listed() for items in reversed(changed.values())]
        waiting = [(row.category, 1) for row in rows if not row.voided]
        return categories_of(waiting + self._cache.categories(self._accounts.session.book_id, changed))

    def count_here(self) -> int:
        """Return the number of entries on this computer: all that can be searched without a server."""
        return len(self._known_entries())

    def _known_entries(self) -> list[ListedEntry]:
        """Return the entries of the outbox and of the cache, each as it is now, newest first."""
        book, changed = self._accounts.require_session().book_id, self._pending()
        rows = self._cache.page(book, EntryFilter(shown=Shown.ALL), None, MAX_ENTRIES)
        known = [row for row in rows if row.id not in changed]
        known += [items[-1].listed() for items in changed.values()]
        return sorted(known, key=lambda row: row.sort_key, reverse=True)

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
        """Return the operations in the outbox, by entry, oldest first."""
        found: dict[str, list[OutboxItem]] = {}
        for item in self._outbox.items(self._accounts.require_session().book_id):
            found.setdefault(item.entry_id, []).append(item)
        return found

    def _cached_page(self, book: str, filter_: EntryFilter, cursor: str) -> ListedPage:
        rows = self._cache.page(book, filter_, _key(cursor), PAGE)
        more = f"{_CACHED}{rows[-1].entry_date}/{rows[-1].id}" if len(rows) == PAGE else None
        return ListedPage(tuple(rows), more, from_cache=True)


def draft_of(detail: EntryDetail) -> EntryDraft:
    """Return a draft with the present content of an entry."""
    entry = detail.entry
    bills = tuple(
        Attachment(d.id, d.file_name, d.media_type, d.byte_size, d.sha256) for d in detail.documents
    )
    return EntryDraft(
        entry.entry_date, entry.amount, entry.direction, entry.category, entry.description, bills
    )


def _number(row: ListedEntry) -> tuple[int, str]:
    """Return a key by the number in the code. It counts up also while this computer's clock is wrong."""
    return len(row.human_code), row.human_code


def _key(cursor: str) -> tuple[date, str] | None:
    day, _, id_ = cursor.removeprefix(_CACHED).partition("/")
    return (date.fromisoformat(day), id_) if day else None


def check_draft(draft: EntryDraft) -> None:
    """Raise InputError if a server would reject the draft: it could never leave the outbox."""
    fields = {e.field: e.message for e in _text_errors(draft)}
    if sentence := _amount_error(draft.amount):
        fields["amount"] = sentence
    if len(draft.attachments) > limits.MAX_DOCUMENTS_PER_ENTRY:
        fields["documents"] = f"An entry can have at most {limits.MAX_DOCUMENTS_PER_ENTRY} bills."
    if fields:
        raise InputError(next(iter(fields.values())), fields=fields)


def _amount_error(amount: Decimal) -> str:
    """Return what is wrong with an amount, "" for one that the server takes."""
    if amount <= 0:
        return "The amount must be above zero."
    if amount > limits.MAX_AMOUNT:
        return f"The amount is too large: at most {MAX_WHOLE_DIGITS} digits before the dot."
    if amount != round(amount, 2):
        return "An amount has at most two decimals: rupees and paise."
    return ""


def _text_errors(draft: EntryDraft) -> list[FieldError]:
    return [
        *checks.check_text("category", draft.category, limits.MAX_CATEGORY, required=True),
        *checks.check_text("description", draft.description, limits.MAX_DESCRIPTION, required=False),
    ]
