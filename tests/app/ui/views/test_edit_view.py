"""Editing: the entry as it is, what was changed, and nothing lost unasked."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.domain.entry import DocumentInfo
from app.errors import StoreError
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.views.edit_view import EditView
from app.ui.views.entry_columns import FormCard
from tests.app.ui.conftest import Person, make_photo
from tests.support.drags import Drag, files_data
from tests.support.fake_services import FakeServices


@pytest.fixture
def edit(qtbot: QtBot, book: MainWindow, fake: FakeServices, tmp_path: Path, tasks: Tasks) -> EditView:
    """The newest entry, opened by Enter; it has two bills."""
    made = [
        fake.documents.attach_file(make_photo(tmp_path / f"{c[1:]}.png", c)) for c in ("#110000", "#220000")
    ]
    entry = fake.book.entries[0]
    fake.book.bills[entry.id] = tuple(
        DocumentInfo(m.id, f"K7-000120-{n}", m.file_name, m.media_type, m.byte_size, m.sha256)
        for n, m in enumerate(made, 1)
    )
    book.show_listing()
    book.listing.table.selectRow(0)
    qtbot.keyClick(book.listing.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: book.edit.isVisible() and not tasks.busy)
    return book.edit


def test_enter_opens_the_entry_with_its_content(edit: EditView, fake: FakeServices, book: MainWindow) -> None:
    entry = fake.book.entries[0]
    assert edit.title.text() == f"Edit entry {entry.human_code}"
    assert edit.form.amount.text() == "640.00"
    assert edit.form.description.text() == entry.description
    assert edit.form.direction.value() == "DR"
    assert [bill.file_name for bill in edit.documents.attachments()] == ["110000.png", "220000.png"]
    assert book.sidebar.listing_button.isChecked()
    assert not edit.dirty


def test_a_double_click_opens_the_entry_too(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> None:
    book.show_listing()
    qtbot.waitUntil(lambda: not tasks.busy)
    book.listing.table.doubleClicked.emit(book.listing.model.index(2, 0))
    qtbot.waitUntil(lambda: book.edit.isVisible() and not tasks.busy)


def test_saving_returns_to_the_entry_and_shows_a_toast(
    qtbot: QtBot, edit: EditView, fake: FakeServices, book: MainWindow, tasks: Tasks
) -> None:
    code = fake.book.entries[0].human_code
    edit.form.amount.setText("99")
    edit.documents.tiles()[0].removed.emit(edit.documents.tiles()[0].key)
    with qtbot.waitSignal(edit.saved):
        qtbot.keyClick(edit.form.amount, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert book.listing.isVisible()
    assert book.book.toast.text() == f"Changed {code}"
    qtbot.waitUntil(lambda: book.listing.details.amount.text() == "₹99.00")
    qtbot.waitUntil(lambda: not tasks.busy)
    changed = fake.book.entries[0]
    assert (changed.amount, changed.document_count) == (Decimal(99), 1)


def test_undo_restores_the_entry_with_its_bills(
    qtbot: QtBot, edit: EditView, fake: FakeServices, book: MainWindow, tasks: Tasks
) -> None:
    edit.form.amount.setText("99")
    edit.documents.tiles()[0].removed.emit(edit.documents.tiles()[0].key)
    with qtbot.waitSignal(edit.saved):
        edit.save()
    qtbot.waitUntil(lambda: fake.book.entries[0].amount == Decimal(99) and not tasks.busy)
    book.book.toast.undo()
    qtbot.waitUntil(lambda: fake.book.entries[0].amount == Decimal(640) and not tasks.busy)
    assert fake.book.entries[0].document_count == 2


def test_saving_without_changes_only_goes_back(edit: EditView, fake: FakeServices, book: MainWindow) -> None:
    edit.form.amount.setText("640")  # the same, written otherwise
    edit.save()
    assert book.listing.isVisible()
    assert "edit" not in fake.book.calls


def test_cancel_asks_only_if_changes_would_be_lost(
    qtbot: QtBot, edit: EditView, person: Person, book: MainWindow
) -> None:
    edit.form.category.setText("Meals")
    person.agrees = False
    qtbot.mouseClick(edit.leave_button, Qt.MouseButton.LeftButton)
    assert edit.isVisible()
    person.agrees = True
    qtbot.keyClick(edit.form.category, Qt.Key.Key_Escape)
    assert book.listing.isVisible()
    assert person.questions == ["Discard your changes?"] * 2


@pytest.mark.parametrize("way", ["show_add", "show_outbox", "close"])
def test_leaving_by_any_other_way_asks_too(
    edit: EditView, person: Person, book: MainWindow, way: str
) -> None:
    edit.form.amount.setText("1")
    person.agrees = False
    getattr(book, way)()
    assert edit.isVisible()
    assert book.sidebar.listing_button.isChecked()
    assert person.questions == ["Discard your changes?"]


def test_the_form_of_a_new_entry_is_kept_while_another_entry_is_edited(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    book.entry.form.amount.setText("85")
    book.show_listing()
    book.listing.edit_wanted.emit(fake.book.entries[3])
    qtbot.waitUntil(lambda: book.edit.isVisible() and not tasks.busy)
    book.edit.leave()
    book.show_add()
    assert book.entry.form.amount.text() == "85.00"


def test_a_dropped_file_is_attached_to_the_entry_being_edited(
    qtbot: QtBot, edit: EditView, book: MainWindow, photo: Path
) -> None:
    Drag(book, files_data(photo)).whole()
    qtbot.waitUntil(lambda: len(edit.documents.attachments()) == 3)
    assert book.entry.documents.empty


def test_an_error_is_shown_at_its_field(edit: EditView, fake: FakeServices) -> None:
    edit.form.amount.setText("12,34")
    edit.save()
    label = edit.findChild(QLabel, "edit_amount_field_error")
    assert isinstance(label, QLabel)
    assert "12.34" in label.text()
    assert "edit" not in fake.book.calls


def test_a_full_disk_is_reported_and_nothing_is_lost(
    qtbot: QtBot, edit: EditView, fake: FakeServices
) -> None:
    fake.book.errors["edit"] = StoreError("The disk is full.")
    edit.form.amount.setText("99")
    edit.save()
    qtbot.waitUntil(lambda: edit.banner.text() == "The disk is full.")
    assert edit.form.amount.text() == "99.00"


def test_the_bills_of_an_entry_keep_their_order(qtbot: QtBot, edit: EditView) -> None:
    tile = edit.documents.tiles()[0]
    qtbot.keyClick(tile, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert edit.documents.tiles()[0] is tile
    assert not tile.right_button.isVisible()


def test_a_cached_entry_can_be_edited_without_a_server(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    entry = fake.book.entries[3]
    fake.entries.detail(entry.id)  # its bills were seen before
    fake.book.offline = True
    book.show_listing()
    book.listing.edit_wanted.emit(replace(entry))
    qtbot.waitUntil(lambda: book.edit.isVisible() and not tasks.busy)
    book.edit.form.amount.setText("7")
    with qtbot.waitSignal(book.edit.saved):
        book.edit.save()
    qtbot.waitUntil(lambda: book.sidebar.badge.text() == "1")


def test_the_form_is_as_high_as_its_fields_also_on_a_large_screen(
    qtbot: QtBot, edit: EditView, book: MainWindow
) -> None:
    book.resize(2560, 1400)
    card = edit.findChild(FormCard, "edit_entry_card")
    assert card is not None
    qtbot.waitUntil(lambda: card.width() == 760)
    assert card.height() == card.height_at(card.width())
    assert edit.documents.height() > card.height()  # there is room for bills
