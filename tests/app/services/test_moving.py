"""Moving a book between two real servers: equal in the end, whatever came in between, and never half."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.bootstrap import Desk, make_desk
from app.domain.entry import Direction, EntryDraft
from app.errors import AppError, CancelledError, InputError, OfflineError, ServerError, SignInError
from app.local_server import LocalServer
from app.paths import Paths
from app.remote.api import Api
from app.services.accounts import BookSession
from app.services.moving import MoveProgress, MoveResult, Moving
from app.services.pending_session import PendingSession
from app.store.outbox import Outbox
from server.contract import limits, paths, shapes
from tests.support.api import PASSWORD, Bill, BookApi, a_document, a_name, an_entry, new_id, now_us
from tests.support.examples import examples
from tests.support.operations import some_fields
from tests.support.postgres import Cluster, dump_of_book
from tests.support.servers import RunningServer, region_config, running_server

BACK: Final = 3_600_000_000  # µs: histories begin an hour ago


# --- two servers, and the program at the one ------------------------------------------------------


@pytest.fixture(scope="module")
def target(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The server that books move to."""
    with cluster.database() as url:
        folder = tmp_path_factory.mktemp("target")
        with running_server(region_config(url, folder, server_id="there-1", region="there")) as running:
            yield running


class NoServer:
    """A computer without a server of its own."""

    def endpoint(self) -> None:
        raise OfflineError

    def stop(self) -> None:
        """There is none."""


class OtherInstallation:
    """Stands for `PendingSession`: when it is adopted, the first installation stays where it is."""

    def __init__(self, other: Desk, api: Api) -> None:
        self.other = other
        self.api = api
        self.closed = self.adopted = False

    @property
    def session(self) -> BookSession:
        return self.other.services.accounts.require_session()

    def adopt(self) -> BookSession:
        self.adopted = True
        return self.session

    def close(self) -> None:
        self.closed = True


@dataclass
class Mover:
    """The program with a book open at `here`; `lend` stands between it and the calls of the target."""

    here: RunningServer
    there: RunningServer
    folder: Path
    name: str = field(default_factory=a_name)
    lend: Callable[[Api], Any] = lambda api: api
    told: list[MoveProgress] = field(default_factory=list)
    desks: ExitStack = field(default_factory=ExitStack)
    besides: list[OtherInstallation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.book = self.here.api().register(self.name)
        self.desk, self.other = self._desk(), self._desk()
        accounts = self.desk.services.accounts
        accounts.sign_in_remote(self.here.url, self.name, PASSWORD)
        services = self.desk.services
        self.outbox = Outbox(self.desk.database)
        self.moving = Moving(
            accounts, services.worker.send_and_wait, self.outbox, services.settings, self._open_pending
        )

    def move(
        self,
        *,
        password: str = PASSWORD,
        create: bool | None = None,
        progress: Callable[[MoveProgress], None] = lambda _: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> MoveResult:
        """Move to the account of the same name at the target; without `create` the first try makes it."""

        def heard(step: MoveProgress) -> None:
            self.told.append(step)
            progress(step)

        create = not self.besides if create is None else create
        return self.moving.move(self.there.url, self.name, password, create, "", heard, cancelled)

    def moved(self) -> BookApi:
        """Return the book at the target."""
        return self.there.api().login(self.name)

    def _open_pending(
        self, address: str, name: str, password: str, create: bool, invite: str
    ) -> PendingSession:
        other = self.other
        other.services.accounts.sign_in_remote(address, name, password, create, invite_code=invite)
        self.besides.append(
            OtherInstallation(other, cast(Api, self.lend(other.services.accounts.remote.api)))
        )
        return cast(PendingSession, self.besides[-1])

    def _desk(self) -> Desk:
        home = Paths(self.folder / new_id())
        desk = make_desk(home, cast(LocalServer, NoServer()))
        self.desks.callback(desk.close)
        return desk


@pytest.fixture
def mover(server: RunningServer, target: RunningServer, tmp_path: Path) -> Iterator[Mover]:
    made = Mover(server, target, tmp_path)
    with made.desks:
        yield made


# --- histories ------------------------------------------------------------------------------------


def live(book: BookApi, chance: random.Random, entries: int, changes: int) -> dict[str, bytes]:
    """Fill a book as devices with clocks that are off would; return its bills' bytes by id."""
    bytes_of: dict[str, bytes] = {}
    versions: list[list[tuple[str, int]]] = []
    bills: dict[str, list[str]] = {}
    moment = now_us() - BACK

    def sent(count: int) -> list[shapes.NewDocument]:
        found = [a_document() for _ in range(count)]
        book.upload(*found)
        bytes_of.update({bill.id: bill.data for bill in found})
        return [bill.pinned() for bill in found]

    for number in range(entries):
        documents = sent(chance.choice((0, 0, 1, 2)))
        body = an_entry(ver=moment + number, documents=documents, **some_fields(chance))
        book.create(body)
        versions.append([(body.id, body.ver)])
        bills[body.id] = [document.id for document in documents]
    for _ in range(changes):
        line = chance.choice(versions)
        entry_id, base = chance.choice(line[-3:])
        stamp = {"op_id": str(UUID(int=chance.getrandbits(128), version=4)), "based_on": base}
        stamp["ver"] = base + chance.choice((1, 2, 700_000, 5_000_000))
        kind = chance.choice(("edit", "edit", "edit", "void", "restore"))
        if kind != "edit":
            path = paths.ENTRY_VOID if kind == "void" else paths.ENTRY_RESTORE
            change(book, "POST", path.format(id=entry_id), shapes.VoidEntry(**stamp))
        else:
            added = sent(chance.choice((0, 0, 1)))
            removed = chance.sample(bills[entry_id], min(len(bills[entry_id]), chance.choice((0, 0, 1))))
            body_of_edit = shapes.EditEntry(
                add_documents=added, remove_documents=removed, **stamp, **some_fields(chance)
            )
            change(book, "PUT", paths.ENTRY.format(id=entry_id), body_of_edit)
            bills[entry_id] += [document.id for document in added]
        line.append((entry_id, stamp["ver"]))
    return bytes_of


def change(book: BookApi, method: str, path: str, body: object) -> shapes.EntrySaved:
    return book.send(method, path, shapes.EntrySaved, body)


def edited(book: BookApi, entry: shapes.Entry, **changes: Any) -> shapes.Entry:
    """Give an entry another version."""
    values: dict[str, Any] = {
        "op_id": new_id(),
        "ver": max(now_us(), entry.ver + 1),
        "based_on": entry.ver,
        "entry_date": entry.entry_date,
        "amount": entry.amount,
        "cr_dr": entry.cr_dr,
        "category": entry.category,
        "description": entry.description,
    }
    body = shapes.EditEntry(**{**values, **changes})
    return change(book, "PUT", paths.ENTRY.format(id=entry.id), body).entry


def digest(book: BookApi) -> shapes.BookDigest:
    return book.send("GET", paths.BOOK_DIGEST, shapes.BookDigest)


def told(book: BookApi, entry_id: str) -> list[shapes.EntryVersion]:
    """Return a history but for who and where."""
    found = book.send("GET", paths.ENTRY_HISTORY.format(id=entry_id), shapes.EntryHistory).versions
    return [msgspec.structs.replace(version, author="", device="", region="") for version in found]


def journal(server: RunningServer, book: BookApi) -> list[tuple[Any, ...]]:
    with psycopg.connect(server.config.database_url) as connection:
        return connection.execute(
            "select op_id, kind, id, ver, doc from public.journal"
            " where book_id = %s and kind in ('entry', 'document') order by 1, 2, 3",
            (book.book_id,),
        ).fetchall()


def assert_equal(mover: Mover, bytes_of: dict[str, bytes]) -> None:
    here, there = mover.book, mover.moved()
    assert journal(mover.here, here) == journal(mover.there, there)
    assert digest(here) == digest(there)
    assert here.all(status="all") == there.all(status="all")
    assert here.summary() == there.summary()
    for entry in here.all(status="all"):
        assert told(here, entry.id) == told(there, entry.id)
        assert here.get(entry.id) == there.get(entry.id)
    for bill, data in bytes_of.items():
        assert there.fetch(bill) == data


def caught(call: Callable[[], object], kind: type[AppError] = AppError) -> AppError:
    with pytest.raises(kind) as error:
        call()
    return error.value


# --- equal in the end -----------------------------------------------------------------------------


@settings(
    max_examples=examples(8, quick=3),
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(seed=st.integers(0, 2**32))
def test_any_book_is_equal_after_the_move(
    server: RunningServer, target: RunningServer, tmp_path: Path, seed: int
) -> None:
    mover = Mover(server, target, tmp_path)
    with mover.desks:
        bytes_of = live(mover.book, random.Random(seed), entries=5, changes=14)
        before = dump_of_book(server.config.database_url, mover.book.book_id)["journal"]
        result = mover.move()
        assert_equal(mover, bytes_of)
        found = digest(mover.book)
        assert (result.entries, result.documents, result.versions) == (
            *(found.entries, found.documents),
            found.versions,
        )
        now = dump_of_book(server.config.database_url, mover.book.book_id)["journal"]
        assert set(before) <= set(now)


class Losing:
    """The calls of a server of which some get no answer: half of them were carried out all the same."""

    def __init__(self, api: Api, chance: random.Random) -> None:
        self._api = api
        self._chance = chance
        self.lost = 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._api, name)

        def perhaps(*arguments: Any) -> Any:
            fate = self._chance.random()
            if fate < 0.05:
                self.lost += 1
                raise OfflineError
            answer = call(*arguments)
            if fate < 0.10:
                self.lost += 1
                raise OfflineError
            return answer

        return perhaps


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
def test_a_move_with_lost_calls_and_answers_can_be_continued(mover: Mover, seed: int) -> None:
    chance = random.Random(seed)
    bytes_of = live(mover.book, chance, entries=8, changes=30)
    losing: list[Losing] = []

    def lend(api: Api) -> Any:
        losing.append(Losing(api, chance))
        return losing[-1]

    mover.lend = lend
    for _ in range(200):
        try:
            mover.move()
            break
        except OfflineError:
            assert mover.moving.pending() == mover.there.url
            assert mover.moving.pending_user() == mover.name
            assert mover.besides[-1].closed
    assert sum(each.lost for each in losing) > 3
    assert mover.besides[-1].adopted
    assert_equal(mover, bytes_of)


class StoppedError(Exception):
    """The program was ended at this moment."""


def test_a_move_cancelled_at_any_step_can_be_continued_without_duplicates(mover: Mover) -> None:
    bytes_of = live(mover.book, random.Random(3), entries=6, changes=16)
    sent: dict[str, int] = {}

    def lend(api: Api) -> Any:
        class Counting:
            def __getattr__(self, name: str) -> Any:
                call = getattr(api, name)
                if name not in {"create", "edit", "void", "restore"}:
                    return call

                def counted(*arguments: Any) -> Any:
                    sent[arguments[-1].op_id] = sent.get(arguments[-1].op_id, 0) + 1
                    return call(*arguments)

                return counted

        return Counting()

    mover.lend = lend
    steps = 4
    while True:
        left = iter(range(steps))

        def progress(_: MoveProgress, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise StoppedError

        try:
            mover.move(progress=progress)
            break
        except StoppedError:
            steps += 2
    assert len(mover.besides) > 3
    assert_equal(mover, bytes_of)
    entries = {row[0] for row in journal(mover.here, mover.book) if row[1] == "entry"}
    assert sent == {str(op_id): 1 for op_id in entries}


def test_a_bill_copied_before_the_move_was_cancelled_is_not_sent_again(mover: Mover) -> None:
    big = a_document(b"\x89PNG\r\n\x1a\n" + bytes(200_000))
    mover.book.add(big)

    def stop(step: MoveProgress) -> None:
        if step.bytes_sent:
            raise StoppedError

    with pytest.raises(StoppedError):
        mover.move(progress=stop)
    mover.told.clear()
    mover.move()
    assert mover.told[-1] == MoveProgress(1, 1, 0, "done")
    assert_equal(mover, {big.id: big.data})


def test_progress_counts_up_to_all_entries_and_all_bytes(mover: Mover) -> None:
    bills = [a_document(), a_document()]
    mover.book.add(*bills)
    mover.book.add()
    mover.move()
    stages = list(dict.fromkeys(step.stage for step in mover.told))
    assert stages == ["connecting", "copying", "verifying", "done"]
    assert mover.told[-1] == MoveProgress(2, 2, sum(len(bill.data) for bill in bills), "done")
    done = [step.entries_done for step in mover.told]
    assert done == sorted(done)


def test_an_empty_book_moves(mover: Mover) -> None:
    result = mover.move()
    assert (result.entries, result.documents, result.versions) == (0, 0, 0)
    assert result.session.user_name == mover.name


def test_changes_made_during_the_move_are_moved_too(mover: Mover) -> None:
    saved = [mover.book.add().entry for _ in range(3)]

    def meanwhile(step: MoveProgress) -> None:
        if step.stage == "copying" and step.entries_done == 3:
            edited(mover.book, saved[0], description="Changed meanwhile")
            mover.book.add()

    mover.move(progress=meanwhile)
    assert_equal(mover, {})
    assert len(mover.moved().all()) == 4


def test_a_book_of_several_pages_is_moved_completely(mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PAGE", 3)
    for number in range(10):
        mover.book.add(entry_date=f"2024-01-{number % 4 + 1:02}")
    assert mover.move().entries == 10
    mover.book.add(entry_date="2024-01-02")
    mover.told.clear()
    assert mover.move().entries == 11
    assert_equal(mover, {})


# --- afterwards -----------------------------------------------------------------------------------


def test_after_the_move_the_session_is_at_the_other_server_and_the_move_is_stored(mover: Mover) -> None:
    mover.book.add()
    assert (mover.moving.pending(), mover.moving.moved_to()) == ("", "")
    result = mover.move()
    assert (mover.besides[-1].closed, mover.besides[-1].adopted) == (False, True)
    assert result.session.region == "there"
    assert (mover.moving.pending(), mover.moving.moved_to()) == ("", mover.there.url)


def test_a_moved_code_is_not_used_again(mover: Mover) -> None:
    """The two servers may give one installation the same prefix: they do not know of each other."""
    mover.move()
    session = mover.besides[-1].session
    mover.book.add(human_code=f"{session.code_prefix}-000041")
    mover.move()
    draft = EntryDraft(date(2026, 11, 23), Decimal("12.50"), Direction.DEBIT, "Travel", "Taxi", ())
    item = mover.outbox.add(session.book_id, draft, session.code_prefix, now_us())
    assert item.human_code == f"{session.code_prefix}-000042"


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("others", "words"), [(1, "already holds 1 other entry."), (12, "12 other entries.")]
)
def test_an_account_with_other_entries_is_refused_before_anything_is_copied(
    mover: Mover, others: int, words: str
) -> None:
    mover.book.add()
    mover.move()
    mover.book.add()
    there = mover.moved()
    for _ in range(others):
        there.add()
    before = journal(mover.there, there)
    error = caught(mover.move, ServerError)
    assert words in error.message
    assert mover.name in error.message
    assert journal(mover.there, there) == before
    assert (mover.besides[-1].closed, mover.besides[-1].adopted) == (True, False)


def test_an_account_with_newer_versions_is_refused(mover: Mover) -> None:
    entry = mover.book.add().entry
    mover.move()
    edited(mover.moved(), entry, entry_date="2024-02-03")
    assert "1 newer entry than this book" in caught(mover.move, ServerError).message


def test_a_single_different_byte_at_the_other_server_is_detected(mover: Mover) -> None:
    """The check can fail: what was changed there behind the journal's back is not taken for a copy."""
    mover.book.add(description="Paper and pens")
    mover.move()
    with psycopg.connect(mover.there.config.database_url) as connection:
        changed = connection.execute(
            "update public.journal set doc = replace(doc, 'Paper', 'Pager')"
            " where book_id = %s and kind = 'entry'",
            (mover.moved().book_id,),
        )
        assert changed.rowcount == 1
    error = caught(mover.move, ServerError)
    assert "not the same" in error.message
    assert (mover.besides[-1].closed, mover.besides[-1].adopted) == (True, False)


def test_the_outbox_is_sent_first_and_an_unsent_item_stops_the_move(mover: Mover) -> None:
    session = mover.desk.services.accounts.require_session()
    draft = EntryDraft(date(2026, 11, 23), Decimal("12.50"), Direction.DEBIT, "Travel", "Taxi", ())
    mover.outbox.add(session.book_id, draft, session.code_prefix, now_us())
    assert mover.move().entries == 1
    item = mover.outbox.add(session.book_id, draft, session.code_prefix, now_us())
    mover.outbox.refuse(item.op_id, "No.")
    before = len(mover.besides)
    assert "1 change" in caught(mover.move).message
    assert len(mover.besides) == before  # nobody was asked for anything


def test_the_user_can_cancel_between_two_entries_and_continue_later(mover: Mover) -> None:
    for _ in range(3):
        mover.book.add()
    stops = iter((False, False, True))
    caught(lambda: mover.move(cancelled=lambda: next(stops)), CancelledError)
    assert 0 < len(mover.moved().all()) < 3
    assert mover.moving.pending() == mover.there.url
    assert mover.besides[-1].closed
    mover.move()
    assert_equal(mover, {})


def test_a_wrong_password_is_refused_at_its_field_and_leaves_no_pending_move(mover: Mover) -> None:
    mover.there.api().register(mover.name)
    error = caught(lambda: mover.move(password="not the password", create=False), SignInError)
    assert "password" in error.fields
    assert mover.moving.pending() == ""


def test_a_taken_name_is_refused_at_its_field(mover: Mover) -> None:
    mover.there.api().register(mover.name)
    assert "userName" in caught(mover.move, InputError).fields


def test_an_entry_that_the_other_server_refuses_is_named(mover: Mover, tmp_path: Path) -> None:
    code = mover.book.add(entry_date="2026-12-31").entry.human_code
    with running_server(mover.there.config, lambda: 1_700_000_000.0) as of_yesteryear:
        mover.there = of_yesteryear
        message = caught(mover.move, ServerError).message
    assert code in message


def test_no_bill_is_left_in_the_temporary_folder(
    mover: Mover, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spare = tmp_path / "spare"
    spare.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spare))
    bill: Bill = a_document()
    mover.book.add(bill)
    mover.move()
    assert list(spare.iterdir()) == []
    assert [file for file in mover.folder.rglob(bill.sha256) if file.is_file()] == []
