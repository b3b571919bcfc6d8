"""Copies a book from one server to another: each version of each entry, by the call that made it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from app.domain.codes import counter_of
from app.domain.outbox_item import OutboxKind
from app.errors import AppError, CancelledError, InputError, ServerError
from app.services.replay import Step, steps_of
from app.store.files import Files
from server.contract import limits
from server.contract.errors import ErrorCode
from server.contract.shapes import CreateEntry, Document, EditEntry, Entry, PlannedDocument, VoidEntry

if TYPE_CHECKING:  # the network is imported when it is first needed
    from app.remote.api import Api

_MAX_COUNTED: Final = 100  # of the foreign entries that a refusal names; a book may hold a million
Stage = Literal["connecting", "copying", "verifying", "done"]
Pair = tuple[Entry | None, Entry | None]


@dataclass(frozen=True, slots=True)
class MoveProgress:
    """The progress of a move. Entries that the other server already had count as done."""

    entries_done: int
    entries_total: int
    bytes_sent: int
    stage: Stage


@dataclass(slots=True)
class BookCopy:
    """Copies the book at `here` to the account at `there`. Every method raises AppError.

    `spare` stores each bill between its download and its upload. `code_prefix` is the prefix of this device
    at `there`. `last_counter` becomes the highest number with this prefix in the book, so that the next entry
    does not get a code again.
    """

    here: "Api"
    there: "Api"
    spare: Files
    code_prefix: str
    progress: Callable[[MoveProgress], None]
    cancelled: Callable[[], bool]
    total: int = 0
    done: int = 0
    bytes_sent: int = 0
    last_counter: int = 0
    stage: Stage = "copying"
    _incomplete: set[str] = field(default_factory=set)  # see `refuse_others`

    def advance(self, stage: Stage, done: int) -> None:
        """Report progress. Raises CancelledError if the user cancelled the move."""
        self.stage, self.done = stage, done
        self._report()
        if self.cancelled():
            raise CancelledError

    def refuse_others(self, user_name: str) -> None:
        """Raise ServerError if the account holds an entry or version that this book does not have.

        The two books could then never become equal. Also note which entries the account has in an older
        version with another date: the comparison by date and id does not find those in `copy`.
        """
        others = newer = 0
        for mine, theirs in self._pairs():
            if theirs is None:
                continue
            known = mine or self._find_here(theirs.id)
            others += known is None
            newer += known is not None and known.ver < theirs.ver
            if mine is None and known is not None:
                self._incomplete.add(theirs.id)
            if others >= _MAX_COUNTED:
                break
        if others or newer:
            raise ServerError(_refusal(user_name, others, newer))

    def copy(self) -> None:
        """Copy the entries that are missing there, or whose newest version there is an older one."""
        self.advance("copying", 0)
        for mine, theirs in self._pairs():
            if mine is None:
                continue
            self._note_counter(mine.human_code)
            if theirs is None or theirs.ver != mine.ver:
                partial = theirs is not None or mine.id in self._incomplete
                self._copy_entry(mine, self._operations_there(mine.id) if partial else set())
            self.advance("copying", self.done + 1)

    def copy_by_history(self) -> None:
        """Compare the history of every entry, and copy the versions that are missing there."""
        self.advance("verifying", 0)
        for mine in _listing(self.here):
            self._note_counter(mine.human_code)
            self._copy_entry(mine, self._operations_there(mine.id))
            self.advance("verifying", self.done + 1)

    # --- inside ----------------------------------------------------------------------------------

    def _copy_entry(self, entry: Entry, known: set[str]) -> None:
        for step in steps_of(self.here.history(entry.id)):
            if step.op_id in known:
                continue
            try:
                self._copy_bills(step.bills)
                self._perform(entry.id, step)
            except (InputError, ServerError) as error:
                if error.retryable:
                    raise
                raise _not_taken(entry, error) from error

    def _perform(self, entry_id: str, step: Step) -> None:
        match step.body:
            case CreateEntry() as body:
                self.there.create(body)
            case EditEntry() as body:
                self.there.edit(entry_id, body)
            case VoidEntry() as body:
                call = self.there.void if step.kind is OutboxKind.VOID else self.there.restore
                call(entry_id, body)

    def _copy_bills(self, bills: tuple[Document, ...]) -> None:
        """Copy the bills that are not there yet, one at a time, so that at most one is on this disk."""
        by_hash = {bill.sha256: bill for bill in bills}
        if not by_hash:
            return
        wanted = [PlannedDocument(b.sha256, b.byte_size, b.media_type) for b in by_hash.values()]
        for plan in self.there.plan(wanted):
            if plan.stored or plan.upload is None:
                continue
            bill = by_hash[plan.sha256]
            with self.here.document(bill.id) as pieces:
                file = self.spare.put(bill.sha256, pieces)
            try:
                self.there.upload(plan.upload, file)
            finally:
                file.unlink(missing_ok=True)
            self.bytes_sent += bill.byte_size
            self._report()

    def _report(self) -> None:
        self.progress(MoveProgress(self.done, self.total, self.bytes_sent, self.stage))

    def _pairs(self) -> Iterator[Pair]:
        return side_by_side(_listing(self.here), _listing(self.there))

    def _find_here(self, entry_id: str) -> Entry | None:
        try:
            return self.here.entry(entry_id).entry
        except ServerError as error:
            if error.code == ErrorCode.NOT_FOUND:
                return None
            raise

    def _operations_there(self, entry_id: str) -> set[str]:
        try:
            return {version.op_id for version in self.there.history(entry_id).versions}
        except ServerError as error:
            if error.code == ErrorCode.NOT_FOUND:
                return set()
            raise

    def _note_counter(self, code: str) -> None:
        if code.startswith(f"{self.code_prefix}-"):
            self.last_counter = max(self.last_counter, counter_of(code))


def side_by_side(here: Iterator[Entry], there: Iterator[Entry]) -> Iterator[Pair]:
    """Merge two listings, both newest first: entries with the same date and id form a pair.

    Only one page of each is read ahead. Entries may be added to a listing during the walk.
    """
    mine, theirs = next(here, None), next(there, None)
    while mine is not None or theirs is not None:
        pair = (mine if _key(mine) >= _key(theirs) else None, theirs if _key(theirs) >= _key(mine) else None)
        yield pair
        mine = next(here, None) if pair[0] else mine
        theirs = next(there, None) if pair[1] else theirs


def _key(entry: Entry | None) -> tuple[str, str]:
    return (entry.entry_date, entry.id) if entry else ("", "")


def _listing(api: "Api") -> Iterator[Entry]:
    query = {"status": "all", "limit": str(limits.MAX_PAGE)}
    cursor: str | None = ""
    while cursor is not None:
        page = api.entries({**query, "cursor": cursor} if cursor else query)
        yield from page.entries
        cursor = page.next_cursor


def _refusal(user_name: str, others: int, newer: int) -> str:
    count, what = (others, "other") if others else (newer, "newer")
    number = f"{count} or more" if count >= _MAX_COUNTED else str(count)
    entries = f"{what} {'entry' if count == 1 else 'entries'}"
    more = "" if others else " than this book"
    return (
        f"The book of {user_name} on that server already holds {number} {entries}{more}. "
        "A book can only be moved to an account that is otherwise empty."
    )


def _not_taken(entry: Entry, error: AppError) -> ServerError:
    sentence = f"The server did not accept entry {entry.human_code}: {error.message}"
    return ServerError(sentence, code=error.code, detail=error.detail)
