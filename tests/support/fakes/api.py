"""The calls of `app/remote/api.py` on the book in memory, with the shapes and refusals of the wire."""

import contextlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from app.domain.entry import Direction, DocumentInfo, EntryFilter, HistoryVersion, ListedEntry, Shown, Totals
from app.domain.wording import Words, words_of
from app.errors import AppError, OfflineError
from app.remote.auth import signed_out
from app.remote.translate import error_of
from server.contract import limits, shapes
from server.contract.errors import STATUS, ErrorBody, ErrorInfo
from server.contract.search_key import search_key
from server.entries import search
from server.errors import ApiError
from tests.support.fakes.book import SERVER_ID, Book
from tests.support.fakes.csv_export import csv_pieces
from tests.support.fakes.shop import HOME

if TYPE_CHECKING:
    from server.entries.history import Action

Caller = tuple[str, str]
"""Who calls: the user's name, and the device's."""


def app_error(error: ApiError) -> AppError:
    """Return what the program makes of a refusal of the server, which always has a sentence."""
    body = ErrorBody(ErrorInfo(error.code, error.message, error.detail))
    return error_of(STATUS[error.code], msgspec.json.encode(body), words_of(is_local=False))


class FakeApi:
    """`caller` returns who is signed in, None for nobody; `words` those for the place of the book."""

    def __init__(self, book: Book, caller: Callable[[], Caller | None], words: Callable[[], Words]) -> None:
        self._book = book
        self._caller = caller
        self._words = words

    def for_book(self, _book_id: str) -> "FakeApi":
        """Return the same calls: there is one book."""
        return self

    # --- reading ---------------------------------------------------------------------------------

    def entries(self, query: dict[str, str]) -> shapes.EntryPage:
        """Return a page of the listing."""
        with self._call():
            size = min(search.parse_limit(query.get("limit", "")), self._book.page_size)
            rows = self._book.find(_filter(query))
            if cursor := query.get("cursor", ""):
                after = _after(cursor)
                rows = [row for row in rows if row.sort_key < after]
            last = rows[size - 1] if len(rows) > size else None
            more = f"{last.entry_date}/{last.id}" if last else None
            return shapes.EntryPage([_entry(row) for row in rows[:size]], more)

    def entry(self, entry_id: str) -> shapes.EntryWithDocuments:
        """Return an entry with its bills."""
        with self._call():
            row = self._book.entry(entry_id)
            return shapes.EntryWithDocuments(_entry(row), _documents(self._book.bills.get(entry_id, ())))

    def history(self, entry_id: str) -> shapes.EntryHistory:
        """Return every version of an entry."""
        with self._call():
            return shapes.EntryHistory([_version(version) for version in self._book.versions(entry_id)])

    def summary(self, query: dict[str, str]) -> shapes.Summary:
        """Return the totals of a filter."""
        with self._call():
            total = Totals()
            for row in self._book.find(_filter(query)):
                total = total.plus(row)
            out, into, net = (f"{amount:.2f}" for amount in (total.money_out, total.money_in, total.net))
            return shapes.Summary(total.count, out, into, net, by_category=[], by_month=[])

    def categories(self, prefix: str) -> shapes.CategorySuggestions:
        """Complete a category."""
        with self._call():
            ranked = _ranked(self._book.find(EntryFilter()), prefix, lambda row: row.category)
            found = [shapes.CategorySuggestion(text, len(rows)) for text, rows in ranked]
            return shapes.CategorySuggestions(found)

    def descriptions(self, prefix: str) -> shapes.DescriptionSuggestions:
        """Complete a description, with what it last went with."""
        with self._call():
            ranked = _ranked(self._book.find(EntryFilter()), prefix, lambda row: row.description)
            found = [
                shapes.DescriptionSuggestion(text, len(rows), rows[0].category, rows[0].direction.value)
                for text, rows in ranked
            ]
            return shapes.DescriptionSuggestions(found)

    @contextlib.contextmanager
    def document(self, document_id: str) -> Generator[Iterator[bytes], None, None]:
        """Download a bill."""
        with self._call():
            data = self._book.files[self._book.document(document_id).sha256]
        yield iter([data])

    @contextlib.contextmanager
    def csv(self, query: dict[str, str]) -> Generator[Iterator[bytes], None, None]:
        """Download the CSV of a filter."""
        with self._call():
            pieces = csv_pieces(self._book, _filter(query))
        yield pieces

    # --- writing ---------------------------------------------------------------------------------

    def plan(self, documents: list[shapes.PlannedDocument]) -> list[shapes.DocumentPlan]:
        """Ask which bills are to be sent."""
        with self._call():
            return [
                shapes.DocumentPlan(
                    each.sha256, each.sha256 in self._book.files, shapes.Upload(each.sha256, {}, "")
                )
                for each in documents
            ]

    def upload(self, upload: shapes.Upload, file: Path) -> None:
        """Take the bytes of one bill."""
        with self._call():
            self._book.files[upload.url] = file.read_bytes()

    def create(self, body: shapes.CreateEntry) -> shapes.EntrySaved:
        """Take a new entry."""
        made = ListedEntry(
            body.id,
            date.fromisoformat(body.entry_date),
            Decimal(body.amount),
            Direction(body.cr_dr),
            body.category,
            body.description,
            body.human_code,
            0,
            ver=body.ver,
        )
        return self._take(body.op_id, made, 0, body.documents)

    def edit(self, entry_id: str, body: shapes.EditEntry) -> shapes.EntrySaved:
        """Take another version of an entry."""
        made = replace(
            self._base(entry_id, body.based_on),
            entry_date=date.fromisoformat(body.entry_date),
            amount=Decimal(body.amount),
            direction=Direction(body.cr_dr),
            category=body.category,
            description=body.description,
            ver=body.ver,
        )
        return self._take(body.op_id, made, body.based_on, body.add_documents, body.remove_documents)

    def void(self, entry_id: str, body: shapes.VoidEntry) -> shapes.EntrySaved:
        """Take an entry out of the book."""
        return self._voided(entry_id, body, voided=True)

    def restore(self, entry_id: str, body: shapes.VoidEntry) -> shapes.EntrySaved:
        """Put a voided entry back."""
        return self._voided(entry_id, body, voided=False)

    # --- inside ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _call(self) -> Generator[Caller, None, None]:
        """Let somebody who is signed in call while the server answers; refuse as the server does."""
        caller = self._caller()
        if caller is None:
            raise signed_out()
        if self._book.offline:
            raise OfflineError(self._words().unreachable)
        try:
            yield caller
        except ApiError as error:
            raise app_error(error) from error

    def _base(self, entry_id: str, based_on: int) -> ListedEntry:
        with self._call():
            versions = self._book.versions(entry_id)
            return next((each.entry for each in versions if each.entry.ver == based_on), versions[0].entry)

    def _voided(self, entry_id: str, body: shapes.VoidEntry, *, voided: bool) -> shapes.EntrySaved:
        made = replace(self._base(entry_id, body.based_on), voided=voided, ver=body.ver)
        return self._take(body.op_id, made, body.based_on)

    def _take(
        self,
        op_id: str,
        entry: ListedEntry,
        based_on: int,
        added: Iterable[shapes.NewDocument] = (),
        removed: Iterable[str] = (),
    ) -> shapes.EntrySaved:
        with self._call() as caller:
            bills = [DocumentInfo(**msgspec.structs.asdict(each)) for each in added]
            version = self._book.take(op_id, entry, based_on, bills, list(removed), caller)
            documents = _documents(self._book.bills[entry.id])
            return shapes.EntrySaved(
                op_id, _entry(version.entry), documents, not version.stands, SERVER_ID, HOME, _INSTANT
            )


_INSTANT = "2026-11-22T08:35:00.000Z"


def _filter(query: dict[str, str]) -> EntryFilter:
    """Read a query as the server does. Raises ApiError."""
    asked = search.parse_filter(query)
    return EntryFilter(
        " ".join(asked.words),
        asked.first,
        asked.last,
        Direction(asked.directions[0]) if len(asked.directions) == 1 else None,
        without_document=asked.has_document is False,
        shown=Shown(asked.status),
    )


def _after(cursor: str) -> tuple[date, str]:
    """Return the key after which a page begins. Raises ApiError."""
    day, _, entry_id = cursor.partition("/")
    try:
        return date.fromisoformat(day), entry_id
    except ValueError:
        search.decode_cursor("~")  # refuses it as the server does
        raise


def _ranked(
    rows: list[ListedEntry], prefix: str, text_of: Callable[[ListedEntry], str]
) -> list[tuple[str, list[ListedEntry]]]:
    """Return the texts that begin so by their search key, each in its most used spelling, the most used first
    and then the latest, each with its rows, newest first."""
    newest = sorted(rows, key=lambda row: (row.ver, row.sort_key), reverse=True)
    known: dict[str, list[ListedEntry]] = {}
    for row in newest:
        if (key := search_key(text_of(row))) and key.startswith(search_key(prefix)):
            known.setdefault(key, []).append(row)
    found = sorted(known.values(), key=lambda rows: -len(rows))[: limits.MAX_SUGGESTIONS]
    return [(Counter(map(text_of, rows)).most_common(1)[0][0], rows) for rows in found]


def _entry(row: ListedEntry, made_at: str = _INSTANT) -> shapes.Entry:
    return shapes.Entry(
        row.id,
        row.entry_date.isoformat(),
        f"{row.amount:.2f}",
        row.direction.value,
        limits.CURRENCY,
        row.category,
        row.description,
        row.human_code,
        row.document_count,
        made_at,
        made_at,
        row.ver,
        made_at if row.voided else None,
    )


def _documents(bills: Iterable[DocumentInfo]) -> list[shapes.Document]:
    return [shapes.Document(**asdict(bill)) for bill in bills]


def _version(version: HistoryVersion) -> shapes.EntryVersion:
    return shapes.EntryVersion(
        version.op_id,
        _entry(version.entry, version.made_at.isoformat()),
        cast("Action", version.action),
        version.author,
        version.device,
        HOME,
        version.stands,
        version.superseded,
        _documents(version.documents_added),
        _documents(version.documents_removed),
    )
