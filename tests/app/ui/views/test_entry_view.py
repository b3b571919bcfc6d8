"""Add Entry: what is typed becomes an entry, what is wrong says so, nothing is lost unasked."""

import threading
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.entry import Direction, Suggestion
from app.errors import InputError, StoreError
from app.ui.main_window import MainWindow
from app.ui.views.entry_view import EntryView
from tests.app.ui.conftest import Person, make_photo
from tests.support.fake_services import FakeServices


@pytest.fixture
def view(book: MainWindow) -> EntryView:
    return book.entry


def fill(view: EntryView, amount: str = "1250") -> None:
    view.form.amount.setText(amount)
    view.form.category.setText("Travel")
    view.form.description.setText("Taxi to client site")


def error(view: EntryView, name: str) -> str:
    label = view.findChild(QLabel, f"{name}_error")
    assert label is not None
    return label.text()


def test_saving_shows_the_code_and_clears_all_but_the_date(
    qtbot: QtBot, view: EntryView, fake: FakeServices
) -> None:
    view.form.date.set_value(date(2026, 11, 20))
    fill(view)
    with qtbot.waitSignal(view.saved) as told:
        view.save()
    entry = told.args[0]
    assert (entry.amount, entry.entry_date) == (Decimal(1250), date(2026, 11, 20))
    assert view.saved_label.text() == f"Saved {entry.human_code} · ₹1,250.00 money out"
    assert view.form.date.value() == date(2026, 11, 20)
    assert not view.dirty
    qtbot.waitUntil(view.form.amount.hasFocus)


def test_ctrl_enter_saves_from_any_field(qtbot: QtBot, view: EntryView) -> None:
    fill(view)
    view.form.description.setFocus()
    with qtbot.waitSignal(view.saved):
        qtbot.keyClick(view.form.description, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def test_every_invalid_field_shows_its_error_and_the_first_gets_the_focus(
    qtbot: QtBot, view: EntryView
) -> None:
    view.form.date.setText("soon")
    view.form.amount.setText("12,34")
    view.save()
    assert error(view, "date_field")
    assert "12.34" in error(view, "amount_field")
    assert error(view, "category_field")
    assert not error(view, "description_field")  # a bill may say it all
    assert view.form.date.hasFocus()


def test_an_error_disappears_when_the_field_is_filled(view: EntryView) -> None:
    view.save()
    view.form.category.setText("Travel")
    assert error(view, "category_field") == ""


def test_an_error_of_the_service_is_shown_at_its_field_and_nothing_is_lost(
    qtbot: QtBot, view: EntryView, fake: FakeServices
) -> None:
    fake.book.errors["save"] = InputError("Too long.", fields={"description": "The description is too long."})
    fill(view)
    view.save()
    qtbot.waitUntil(lambda: error(view, "description_field") == "The description is too long.")
    assert view.form.amount.text()
    assert view.save_button.isEnabled()


def test_a_full_disk_is_shown_in_a_banner_and_nothing_is_lost(
    qtbot: QtBot, view: EntryView, fake: FakeServices
) -> None:
    fake.book.errors["save"] = StoreError("The disk is full.")
    fill(view)
    view.save()
    qtbot.waitUntil(lambda: view.banner.text() == "The disk is full.")
    assert view.dirty


def test_pressing_save_twice_saves_one_entry(qtbot: QtBot, view: EntryView, fake: FakeServices) -> None:
    fill(view)
    with qtbot.waitSignal(view.saved):
        view.save()
        view.save()
    assert fake.book.calls.count("save") == 1


def choose(view: EntryView, text: str) -> None:
    field = view.form.description
    field.setFocus()
    field.setText("t")
    suggestion = Suggestion(text, 2, "Sales", Direction.CREDIT)
    field.offer("t", [suggestion])
    field.completer().activated[QModelIndex].emit(field.completer().completionModel().index(0, 0))


def test_a_chosen_description_sets_its_category_and_direction(view: EntryView) -> None:
    choose(view, "Counter sale")
    assert view.form.category.text() == "Sales"
    assert view.form.direction.value() == "CR"


def test_values_set_by_hand_are_not_overwritten(qtbot: QtBot, view: EntryView) -> None:
    qtbot.keyClicks(view.form.category, "Rent")
    qtbot.mouseClick(view.findChild(QPushButton, "debit_button"), Qt.MouseButton.LeftButton)
    choose(view, "Counter sale")
    assert view.form.category.text() == "Rent"
    assert view.form.direction.value() == "DR"


def test_completions_come_from_the_service(qtbot: QtBot, view: EntryView) -> None:
    view.form.category.setFocus()
    qtbot.keyClicks(view.form.category, "Tra")
    qtbot.waitUntil(lambda: view.form.category.offered() == ["Travel"])


def test_clear_asks_only_if_something_would_be_lost(view: EntryView, person: Person) -> None:
    view.ask_clear()
    assert person.questions == []
    fill(view)
    person.agrees = False
    view.ask_clear()
    assert view.dirty
    person.agrees = True
    view.ask_clear()
    assert not view.dirty
    assert len(person.questions) == 2


def test_escape_clears_the_form(qtbot: QtBot, view: EntryView, person: Person) -> None:
    fill(view)
    qtbot.keyClick(view.form.amount, Qt.Key.Key_Escape)
    assert person.questions == ["Clear this entry?"]
    assert not view.dirty


def test_attached_bills_are_saved_with_the_entry_in_order(
    qtbot: QtBot, view: EntryView, fake: FakeServices, tmp_path: Path
) -> None:
    paths = [make_photo(tmp_path / f"{n}.png", c) for n, c in enumerate(("#111111", "#222222", "#333333"))]
    view.documents.add_files(paths)
    qtbot.waitUntil(lambda: len(view.documents.attachments()) == 3)
    view.documents.move_tile(view.documents.tiles()[2].key, 0)
    fill(view)
    with qtbot.waitSignal(view.saved) as told:
        view.save()
    bills = fake.entries.detail(told.args[0].id).documents
    assert [bill.file_name for bill in bills] == ["2.png", "0.png", "1.png"]
    assert view.documents.empty


def test_saving_waits_for_a_bill_that_is_still_being_read(
    qtbot: QtBot, view: EntryView, fake: FakeServices, photo: Path
) -> None:
    gate = threading.Event()
    fake.book.gates["attach"] = lambda: gate.wait(60)
    view.documents.add_files([photo])
    fill(view)
    view.save()
    assert "save" not in fake.book.calls
    with qtbot.waitSignal(view.saved) as told:
        gate.set()
    assert told.args[0].document_count == 1


def test_a_refused_bill_cancels_a_save_that_waits_for_it(
    qtbot: QtBot, view: EntryView, fake: FakeServices, tmp_path: Path
) -> None:
    gate = threading.Event()
    fake.book.gates["attach"] = lambda: gate.wait(60)
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    view.documents.add_files([text])
    fill(view)
    view.save()
    gate.set()
    qtbot.waitUntil(lambda: view.save_button.isEnabled())
    assert "notes.txt" in view.documents.refusal.text()
    assert "save" not in fake.book.calls
    assert view.dirty


def paste(qtbot: QtBot, editor: QLineEdit) -> None:
    qtbot.keyClick(editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def test_a_picture_in_the_clipboard_is_attached_even_from_a_text_field(qtbot: QtBot, view: EntryView) -> None:
    image = QImage(20, 20, QImage.Format.Format_RGB32)
    image.fill(0)
    QGuiApplication.clipboard().setImage(image)
    paste(qtbot, view.form.description)
    qtbot.waitUntil(lambda: len(view.documents.attachments()) == 1)
    assert view.form.description.text() == ""


def test_text_in_the_clipboard_is_pasted_as_text(qtbot: QtBot, view: EntryView) -> None:
    QGuiApplication.clipboard().setText("Taxi")
    paste(qtbot, view.form.description)
    assert view.form.description.text() == "Taxi"
    assert view.documents.empty


def test_clear_asks_if_there_is_only_a_bill(qtbot: QtBot, view: EntryView, photo: Path) -> None:
    view.documents.add_files([photo])
    assert view.dirty
    qtbot.waitUntil(lambda: not view.documents.attaching)
