"""Copying a book from one server to another, entry by entry, each version of it by the call that made it."""

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

_ENOUGH: Final = 100
Stage = Literal["connecting", "copying", "verifying", "done"]
Pair = tuple[Entry | None, Entry | None]


@dataclass(frozen=True, slots=True)
class MoveProgress:
    """How far a move is; entries that were there already count as done."""

    entries_done: int
    entries_total: int
    bytes_sent: int
    stage: Stage


@dataclass(slots=True)
class BookCopy:
    """One move from the book behind `here` to the one behind `there`. Every method raises AppError.

    `spare` keeps a bill for as long as it is on its way. `code_prefix` is this device's `there`, and
    `last_counter` becomes the highest number behind it in the book: the next entry must not get it again.
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
    _begun: set[str] = field(default_factory=set)  # entries of which `there` has an older version, elsewhere

    def tell(self, stage: Stage, done: int) -> None:
        """Report progress. Raises CancelledError where the person stopped it."""
        self.stage, self.done = stage, done
        self._report()
        if self.cancelled():
            raise CancelledError

    def refuse_others(self, user_name: str) -> None:
        """Refuse a book that holds what this one does not: the two could never be equal."""
        others = newer = 0
        for mine, theirs in self._pairs():
            if theirs is None:
                continue
            known = mine or self._find_here(theirs.id)
            others += known is None
            newer += known is not None and known.ver < theirs.ver
            if mine is None and known is not None:
                self._begun.add(theirs.id)
            if others >= _ENOUGH:
                break
        if others or newer:
            raise ServerError(_refusal(user_name, others, newer))

    def copy(self) -> None:
        """Copy what is missing there: entries, and those whose newest version is another one."""
        self.tell("copying", 0)
        for mine, theirs in self._pairs():
            if mine is None:
                continue
            self._note_counter(mine.human_code)
            if theirs is None or theirs.ver != mine.ver:
                half = theirs is not None or mine.id in self._begun
                self._copy_entry(mine, self._operations_there(mine.id) if half else set())
            self.tell("copying", self.done + 1)

    def copy_by_history(self) -> None:
        """Compare every entry version by version, and copy what is missing there."""
        self.tell("verifying", 0)
        for mine in _listing(self.here):
            self._note_counter(mine.human_code)
            self._copy_entry(mine, self._operations_there(mine.id))
            self.tell("verifying", self.done + 1)

    # --- inside ----------------------------------------------------------------------------------

    def _copy_entry(self, entry: Entry, known: set[str]) -> None:
        for step in steps_of(self.here.history(entry.id)):
            if step.op_id in known:
                continue
            try:
                self._bring(step.bills)
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

    def _bring(self, bills: tuple[Document, ...]) -> None:
        """Send the bytes that are not there yet, one bill at a time."""
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
    """Walk two listings, both newest first, as one: rows of one day and id come together.

    Neither is read further ahead than its page, so one of them may grow behind the walk meanwhile.
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
    number = f"{count} or more" if count >= _ENOUGH else str(count)
    entries = f"{what} {'entry' if count == 1 else 'entries'}"
    more = "" if others else " than this book"
    return (
        f"The book of {user_name} on that server already holds {number} {entries}{more}. "
        "A book can be moved only to an account that holds nothing else."
    )


def _not_taken(entry: Entry, error: AppError) -> ServerError:
    sentence = f"The server did not take entry {entry.human_code}: {error.message}"
    return ServerError(sentence, code=error.code, detail=error.detail)
