"""A saved copy of a waiting entry is opened again on another computer, through the real window."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.entry import EntryDetail
from app.errors import InputError
from app.services.entries import draft_of
from app.ui.main_window import MainWindow
from app.ui.models.copy_texts import copy_text
from app.ui.tasks import Tasks
from app.ui.theme import Theme
from tests.app.ui.conftest import Person, make_photo
from tests.support.fake_services import BOOK_ID, FakeServices


@dataclass
class Other:
    """A new computer of the same user, with nothing on it."""

    fake: FakeServices
    window: MainWindow
    person: Person = field(default_factory=Person)


@pytest.fixture
def other(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks, theme: Theme, tmp_path: Path
) -> Iterator[Other]:
    (tmp_path / "home 2").mkdir()
    second, person = FakeServices(tmp_path / "home 2", book=fake.book), Person()
    second.accounts.sign_in_local("Asha Rao", "")
    window = MainWindow(second.services(), tasks, theme, person.desktop(), proposed_name="asha")
    qtbot.addWidget(window)
    window.show()
    window.start()
    qtbot.waitUntil(lambda: window.listing.model.rowCount() > 0 and not tasks.busy)
    fake.book.offline = True
    yield Other(second, window, person)
    window.sync.stop()
    second.close()


@pytest.fixture
def copy(
    qtbot: QtBot,
    other: Other,
    book: MainWindow,
    fake: FakeServices,
    tasks: Tasks,
    person: Person,
    tmp_path: Path,
) -> Path:
    """The file of a copy: an entry with a bill, typed without a server and saved from the page."""
    book.entry.documents.add_files([make_photo(tmp_path / "bill.png")])
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 1)
    for name, text in (("amount_field", "640"), ("category_field", "Travel"), ("description_field", "Taxi")):
        found = book.findChild(QLineEdit, name)
        qtbot.keyClicks(found, text)
    qtbot.mouseClick(book.entry.save_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: fake.outbox.count(BOOK_ID) == 1 and not tasks.busy)
    person.folder = tmp_path / "stick"
    person.folder.mkdir()
    book.show_outbox()
    qtbot.waitUntil(lambda: len(book.outbox.list.cards()) == 1)
    button = book.outbox.list.cards()[0].findChild(QPushButton, "item_copy")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: book.outbox.banner.text().startswith("Saved in "))
    (file,) = person.folder.glob("*/*.json")
    return file


def open_copy(qtbot: QtBot, other: Other, *files: Path) -> None:
    other.person.copies = list(files)
    other.window.outbox.banner.hide()
    other.window.show_outbox()
    qtbot.mouseClick(other.window.outbox.open_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(other.window.outbox.banner.isVisible)


def codes(fake: FakeServices) -> list[str]:
    return [entry.human_code for entry in fake.book.entries if entry.description == "Taxi"]


def test_a_copy_is_shown_added_once_and_sent_once_with_its_bill(
    qtbot: QtBot, copy: Path, other: Other, fake: FakeServices, tmp_path: Path
) -> None:
    before, (item,) = codes(fake), fake.outbox.items(BOOK_ID)
    open_copy(qtbot, other, copy)
    assert other.person.questions == ["Add 1 entry from the copy?"]
    assert item.human_code in other.person.explanations[0]
    assert "640.00" in other.person.explanations[0]
    assert "1 bill" in other.person.explanations[0]
    assert other.window.outbox.banner.text() == "1 entry added from the copy."
    assert [each.op_id for each in other.fake.outbox.items(BOOK_ID)] == [item.op_id]
    open_copy(qtbot, other, copy)
    assert "already waiting" in other.window.outbox.banner.text()
    assert other.fake.outbox.count(BOOK_ID) == 1
    fake.book.offline = False
    for computer in (other.window, other.window):
        computer.sync.send_now()
        qtbot.waitUntil(lambda: other.fake.outbox.count(BOOK_ID) == 0)
    assert codes(fake) == [*before, item.human_code]
    (bill,) = fake.book.bills[item.entry_id]
    assert fake.book.files[bill.sha256] == (tmp_path / "bill.png").read_bytes()
    open_copy(qtbot, other, copy)
    assert "already in the book" in other.window.outbox.banner.text()
    assert codes(fake) == [*before, item.human_code]


def test_a_copy_of_a_change_is_called_a_change(
    qtbot: QtBot, book: MainWindow, copy: Path, other: Other, fake: FakeServices, person: Person
) -> None:
    (item,) = fake.outbox.items(BOOK_ID)
    before = fake.entries.detail(item.entry_id)
    fake.entries.edit(before, replace(draft_of(before), amount=Decimal(650)))
    assert person.folder is not None
    folder = fake.outbox_items.save_copy(fake.outbox.items(BOOK_ID)[1], person.folder)
    (change,) = folder.glob("*.json")
    open_copy(qtbot, other, copy, change)
    open_copy(qtbot, other, copy)
    assert other.person.questions == ["Add 1 entry and 1 change from the copy?"]
    assert [item.kind.value for item in other.fake.outbox.items(BOOK_ID)] == ["create", "edit"]


def test_the_first_computer_may_send_it_too(
    qtbot: QtBot, book: MainWindow, copy: Path, other: Other, fake: FakeServices
) -> None:
    before = codes(fake)
    open_copy(qtbot, other, copy)
    fake.book.offline = False
    for window, services in ((book, fake), (other.window, other.fake)):
        window.sync.send_now()
        qtbot.waitUntil(lambda services=services: services.outbox.count(BOOK_ID) == 0)
    assert len(codes(fake)) == len(before) + 1


def test_nothing_is_added_unless_the_person_agrees(
    qtbot: QtBot, copy: Path, other: Other, tasks: Tasks
) -> None:
    other.person.agrees, other.person.copies = False, [copy]
    other.window.show_outbox()
    qtbot.mouseClick(other.window.outbox.open_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(other.person.questions) and not tasks.busy)
    assert other.fake.outbox.count(BOOK_ID) == 0


def changed(copy: Path, change: Callable[[dict[str, Any]], object]) -> None:
    found = json.loads(copy.read_text("utf-8"))
    change(found)
    copy.write_text(json.dumps(found), encoding="utf-8")


def _foreign_file(copy: Path) -> None:
    copy.write_text('{"name": "left-pad", "version": "1.0"}', encoding="utf-8")


def _bill_of(copy: Path) -> Path:
    return next(path for path in copy.parent.iterdir() if path != copy)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no JSON": (lambda copy: copy.write_bytes(b"\xff\x00{{{"), "is not a copy of an entry"),
    "deep": (lambda copy: copy.write_bytes(b"[" * 200_000), "is not a copy of an entry"),
    "large": (lambda copy: copy.write_bytes(b" " * 300_000), "is too large to be a copy"),
    "empty": (lambda copy: copy.write_bytes(b""), "is not a copy of an entry"),
    "another program's": (_foreign_file, "is not a copy of an entry"),
    "an old version's": (
        lambda copy: changed(copy, lambda found: [found.pop(key) for key in ("bahi", "opId", "bookId")]),
        "was saved by an older version of Bahi",
    ),
    "another book": (
        lambda copy: changed(copy, lambda found: found.update(bookId="book-2", user="Ravi")),
        "is from another book. Only Ravi can open it",
    ),
    "amount": (lambda copy: changed(copy, lambda found: found.update(amount="1e999")), "is not a copy"),
    "amount 2": (lambda copy: changed(copy, lambda found: found.update(amount="NaN")), "is not a copy"),
    "amount 3": (lambda copy: changed(copy, lambda found: found.update(amount="-5.00")), "is not a copy"),
    "op": (lambda copy: changed(copy, lambda found: found.update(opId="x' OR 1=1")), "is not a copy"),
    "version": (lambda copy: changed(copy, lambda found: found.update(ver=2**70)), "is not a copy"),
    "instant": (
        lambda copy: changed(copy, lambda found: found.update(savedAt="9999-12-31T23:59:59-14:00")),
        "is not a copy",
    ),
    "text": (lambda copy: changed(copy, lambda found: found.update(description="a\x00b")), "is not a copy"),
    "long": (lambda copy: changed(copy, lambda found: found.update(category="x" * 5000)), "is not a copy"),
    "kind": (lambda copy: changed(copy, lambda found: found.update(operation="edit")), "is not a copy"),
    "path": (
        lambda copy: changed(copy, lambda found: found["documents"][0].update(file="../../secret.png")),
        "is not a copy",
    ),
    "no bill": (lambda copy: _bill_of(copy).unlink(), "A bill of the copy"),
    "other bill": (lambda copy: make_photo(_bill_of(copy), "#112233"), "is not the one that belongs"),
    "no picture": (lambda copy: _bill_of(copy).write_text("hello"), "A bill of the copy"),
    "missing": (lambda copy: copy.unlink(), "no longer exists"),
}


def test_a_damaged_or_foreign_file_is_told_in_a_sentence_and_adds_nothing(
    qtbot: QtBot, copy: Path, other: Other
) -> None:
    whole = {path: path.read_bytes() for path in copy.parent.iterdir()}
    for name, (damage, sentence) in DAMAGES.items():
        damage(copy)
        open_copy(qtbot, other, copy)
        assert sentence in other.window.outbox.banner.text(), name
        assert other.person.questions == [], name
        assert other.fake.outbox.count(BOOK_ID) == 0, name
        for path, data in whole.items():
            path.write_bytes(data)
    open_copy(qtbot, other, copy)
    assert other.fake.outbox.count(BOOK_ID) == 1, "the copy is whole again"


@dataclass
class Change:
    """A copy of a change of an entry that the book has; the change itself is nowhere any more."""

    file: Path
    before: EntryDetail
    op_id: str


@pytest.fixture
def change(qtbot: QtBot, book: MainWindow, copy: Path, fake: FakeServices, person: Person) -> Change:
    assert copy.exists()
    assert person.folder is not None
    entry = fake.waiting()[0]
    fake.book.offline = False
    book.sync.send_now()
    qtbot.waitUntil(lambda: fake.outbox.count(BOOK_ID) == 0)
    fake.book.offline = True
    before = fake.entries.detail(entry.id)
    fake.entries.edit(before, replace(draft_of(before), description="Taxi home", attachments=()))
    item = fake.outbox.find_entry(BOOK_ID, entry.id)
    assert item is not None
    (file,) = fake.outbox_items.save_copy(item, person.folder).glob("*.json")
    fake.outbox.confirm(item.op_id)
    fake.book.offline = False
    return Change(file, before, item.op_id)


def test_a_change_is_shown_as_the_entry_of_the_book_before_and_after(
    qtbot: QtBot, change: Change, other: Other, fake: FakeServices
) -> None:
    entry = change.before.entry
    open_copy(qtbot, other, change.file)
    (explanation,) = other.person.explanations
    before, after = explanation.split(" → ")
    for fact in ("Changed", entry.human_code, "Taxi", "640.00", "1 bill"):
        assert fact in before
    assert "“Taxi home”" in after
    assert "1 bill removed: “bill.png”" in after
    other.window.sync.send_now()
    qtbot.waitUntil(lambda: other.fake.outbox.count(BOOK_ID) == 0)
    stands = fake.book.versions(entry.id)[0]
    assert (stands.op_id, stands.entry.description) == (change.op_id, "Taxi home")
    open_copy(qtbot, other, change.file)
    assert "already in the book" in other.window.outbox.banner.text()


def _lie(found: dict[str, Any], operation: str) -> None:
    told = {"date": "2026-01-02", "amount": "1.00", "category": "Test", "description": "test line"}
    found.update(operation=operation, code="0EM-000999", documents=[], **told)
    found["base"].update(told)


@pytest.mark.parametrize("operation", ["edit", "void"])
def test_a_copy_that_is_wrong_about_the_entry_it_changes_is_refused(
    qtbot: QtBot, change: Change, other: Other, fake: FakeServices, operation: str
) -> None:
    before = fake.book.versions(change.before.entry.id)
    changed(change.file, lambda found: _lie(found, operation))
    open_copy(qtbot, other, change.file)
    assert "does not fit your book" in other.window.outbox.banner.text()
    assert other.person.questions == []
    assert other.fake.outbox.count(BOOK_ID) == 0
    assert fake.book.versions(change.before.entry.id) == before


FALSE_BASES: dict[str, dict[str, Any]] = {
    "code": {"code": "0EM-000999"},
    "amount": {"base": {"amount": "1.00"}},
    "category": {"base": {"category": "Test"}},
    "date": {"base": {"date": "2026-01-02"}},
    "direction": {"base": {"crDr": "CR"}},
    "version": {"base": {"ver": 7}},
    "entry": {"entryId": "0190c0de-0000-7000-8000-000000000001"},
}


def test_each_fact_of_the_entry_before_is_compared_with_the_book(
    change: Change, other: Other, tmp_path: Path
) -> None:
    original = change.file.read_text("utf-8")
    for name, false in FALSE_BASES.items():
        found = json.loads(original)
        base = found["base"] | false.get("base", {})
        change.file.write_text(json.dumps(found | false | {"base": base}), "utf-8")
        with pytest.raises(InputError, match="does not fit your book"):
            other.fake.outbox_items.read_copies([change.file])
        assert other.fake.outbox.count(BOOK_ID) == 0, name


def test_a_crossing_out_brings_no_content_of_its_own(change: Change, other: Other) -> None:
    changed(change.file, lambda found: found.update(operation="void", amount="1.00", description="nothing"))
    (read,) = other.fake.outbox_items.read_copies([change.file])
    assert (read.item.amount, read.item.description) == (change.before.entry.amount, "Taxi")
    assert read.before is not None
    assert copy_text(read).startswith(f"Crossed out · {change.before.entry.human_code} · Taxi · ")
    assert "→" not in copy_text(read)


def test_what_is_shown_is_the_entry_as_it_is_now_if_the_copy_is_of_an_older_state(
    change: Change, other: Other, fake: FakeServices
) -> None:
    now = replace(draft_of(change.before), description="Salary", amount=Decimal("500000.00"))
    other.fake.entries.edit(fake.entries.detail(change.before.entry.id), now)
    other.window.sync.send_now()
    (read,) = other.fake.outbox_items.read_copies([change.file])
    assert "Salary" in copy_text(read).split(" → ")[0]
    assert "5,00,000.00" in copy_text(read).split(" → ")[0]
    assert "640.00" in copy_text(read).split(" → ")[1]


def test_a_change_cannot_be_opened_while_the_book_cannot_be_asked(
    qtbot: QtBot, change: Change, other: Other, fake: FakeServices
) -> None:
    fake.book.offline = True
    open_copy(qtbot, other, change.file)
    assert "must look at that entry first" in other.window.outbox.banner.text()
    assert other.fake.outbox.count(BOOK_ID) == 0


def test_a_new_entry_and_its_change_can_be_opened_together_without_the_book(
    copy: Path, other: Other, fake: FakeServices, tmp_path: Path
) -> None:
    first = fake.outbox.items(BOOK_ID)[0].detail()
    made = fake.entries.edit(first, replace(draft_of(first), description="Taxi home"))
    item = fake.outbox.find_entry(BOOK_ID, made.entry.id)
    assert item is not None
    (file,) = fake.outbox_items.save_copy(item, tmp_path).glob("*.json")
    with pytest.raises(InputError, match="Your book cannot be reached now"):
        other.fake.outbox_items.read_copies([file])
    read = other.fake.outbox_items.read_copies([file, copy])
    assert [each.before is None for each in read] == [True, False]
    assert other.fake.outbox_items.add(read) == 2
    found = other.fake.outbox.items(BOOK_ID)
    assert [replace(each, attempts=0, last_error="") for each in found] == [
        replace(each, attempts=0, last_error="") for each in fake.outbox.items(BOOK_ID)
    ]


def test_one_operation_is_never_two_things(qtbot: QtBot, copy: Path, other: Other) -> None:
    twin = copy.with_name("twin.json")
    for change in ({"amount": "999.00"}, {"opId": "0190c0de-0000-7000-8000-000000000002"}):
        twin.write_text(json.dumps(json.loads(copy.read_text("utf-8")) | change), "utf-8")
        open_copy(qtbot, other, copy, twin)
        assert "are of the same entry, but differ" in other.window.outbox.banner.text()
        assert other.person.questions == []
    open_copy(qtbot, other, copy, copy)
    assert other.person.questions == ["Add 1 entry from the copy?"]
    assert other.fake.outbox.count(BOOK_ID) == 1


AMOUNTS = (
    "1e999999999",
    "1e5",
    "१२.००",
    "١٢",
    "12",
    "12.5",
    "12.000",
    "Infinity",
    "+1.00",
    "1.00\n",
    "9" * 99,
)


def test_numbers_times_and_texts_that_the_program_never_writes_are_refused_at_once(
    copy: Path, other: Other
) -> None:
    original = json.loads(copy.read_text("utf-8"))
    wrong: list[dict[str, object]] = [{"amount": amount} for amount in AMOUNTS]
    wrong += [{"ver": ver} for ver in (0, 2**48 * 1000, 2**63 - 1)]
    wrong += [{"savedAt": at} for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-12:00")]
    wrong += [{"description": "\u200b"}, {"category": "\u200b\u2800"}]
    before = time.process_time()
    for each in wrong:
        copy.write_text(json.dumps(original | each), "utf-8")
        with pytest.raises(InputError, match="is not a copy of an entry"):
            other.fake.outbox_items.read_copies([copy])
    assert time.process_time() - before < 5
