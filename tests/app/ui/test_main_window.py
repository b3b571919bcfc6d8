"""The window: screens, shortcuts, drops, the theme, and leaving."""

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot

from app.errors import StoreError
from app.ui.controllers import exit_guard
from app.ui.main_window import THEME_KEY, MainWindow
from app.ui.tasks import Tasks
from app.ui.tokens import DARK, LIGHT
from tests.app.ui.conftest import Person
from tests.support.fake_services import FakeServices

CTRL = Qt.KeyboardModifier.ControlModifier


def click(qtbot: QtBot, window: MainWindow, name: str) -> None:
    button = window.findChild(QAbstractButton, name)
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_sidebar_changes_the_screen(qtbot: QtBot, book: MainWindow) -> None:
    click(qtbot, book, "nav_entries")
    assert book.listing.isVisible()
    click(qtbot, book, "nav_add")
    assert book.entry.isVisible()
    qtbot.waitUntil(book.entry.form.amount.hasFocus)


def test_shortcuts_open_their_views(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> None:
    qtbot.keyClick(book, Qt.Key.Key_F, CTRL)
    assert book.listing.filters.search.hasFocus()
    qtbot.keyClick(book, Qt.Key.Key_N, CTRL)
    assert book.entry.isVisible()
    qtbot.keyClick(book, Qt.Key.Key_E, CTRL)
    assert book.listing.isVisible()
    assert book.findChild(QAbstractButton, "export_start") is not None
    qtbot.waitUntil(lambda: not tasks.busy)


def test_a_saved_entry_is_sent_and_appears_confirmed_in_the_listing(
    qtbot: QtBot, book: MainWindow, fake: FakeServices
) -> None:
    book.entry.form.amount.setText("85")
    book.entry.form.category.setText("Travel")
    book.entry.form.description.setText("Auto to the bank")
    with qtbot.waitSignal(book.sync.entries_confirmed):
        book.entry.save()
    qtbot.waitUntil(lambda: book.listing.model.index(0, 2).data() == "Auto to the bank")
    qtbot.waitUntil(lambda: book.sidebar.status.text() == "Saved")


def test_entries_saved_without_a_server_are_counted_in_the_status(
    qtbot: QtBot, book: MainWindow, fake: FakeServices
) -> None:
    fake.book.offline = True
    book.entry.form.amount.setText("85")
    book.entry.form.category.setText("Travel")
    book.entry.form.description.setText("Auto to the bank")
    with qtbot.waitSignal(book.entry.saved):
        book.entry.save()
    qtbot.waitUntil(lambda: book.sidebar.status.text() == "Opening your book: 1 entry waiting")


def test_the_theme_applies_everywhere_and_is_stored(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, qapp: QApplication
) -> None:
    before = book.sidebar.add_button.icon().pixmap(18).toImage()
    click(qtbot, book, "theme_dark")
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(DARK.canvas)
    assert book.sidebar.add_button.icon().pixmap(18).toImage() != before
    assert fake.settings.get(THEME_KEY) == "dark"
    click(qtbot, book, "theme_light")
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(LIGHT.canvas)


def test_signing_out_shows_the_log_in_and_does_not_open_the_book_again(
    qtbot: QtBot, book: MainWindow, fake: FakeServices
) -> None:
    click(qtbot, book, "sign_out_button")
    qtbot.waitUntil(lambda: not book.signed_in)
    qtbot.waitUntil(lambda: book.login.card.submit_button.isVisible())
    assert fake.accounts.session is None
    assert book.login.card.submit_button.text() == "Open"
    with qtbot.waitSignal(book.login.signed_in):
        book.login.submit()


def test_a_message_names_entries_changed_later_on_another_device(book: MainWindow) -> None:
    book.sync.superseded.emit(("0K7-000042",))
    assert "0K7-000042" in book.book.banner.text()


def test_closing_saves_the_draft_without_asking(book: MainWindow, person: Person, fake: FakeServices) -> None:
    book.entry.form.amount.setText("85")
    assert book.close()
    assert person.questions == []
    assert fake.draft().amount == "85"


def test_closing_asks_if_the_draft_cannot_be_saved(
    book: MainWindow, person: Person, fake: FakeServices
) -> None:
    book.entry.form.amount.setText("85")
    fake.book.errors["keep_draft"] = StoreError("The disk is full.")
    person.agrees = False
    assert not book.close()
    assert person.questions == ["Leave without saving the draft?"]
    person.agrees = True
    assert book.close()


def test_closing_asks_if_there_are_unsent_entries(
    book: MainWindow, person: Person, fake: FakeServices
) -> None:
    fake.wait(*(replace(row, id=f"w{row.id}") for row in fake.book.entries[:2]))
    person.agrees = False
    assert not book.close()
    sentence = "2 entries are only on this computer; they will be stored at the next start."
    assert person.explanations == [sentence]
    person.agrees = True
    assert book.close()


def test_a_signal_saves_the_draft_and_closes_without_asking(
    book: MainWindow, person: Person, fake: FakeServices
) -> None:
    fake.wait(replace(fake.book.entries[0], id="w"))
    book.entry.form.amount.setText("85")
    book.end_unasked()
    assert not book.isVisible()
    assert person.questions == []
    assert fake.draft().amount == "85"


def test_closing_waits_a_moment_for_an_entry_that_is_being_sent(
    qtbot: QtBot, book: MainWindow, person: Person, fake: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exit_guard, "_LIMIT_MS", 600_000)  # however slow this machine is just now
    gate = threading.Event()
    fake.book.gates["send_pending"] = lambda: gate.wait(60)
    fake.wait(replace(fake.book.entries[0], id="w"))
    book.sync.send_now()
    assert not book.close()
    gate.set()
    qtbot.waitUntil(lambda: not book.isVisible())
    assert person.questions == []


def test_every_interactive_widget_has_a_name(book: MainWindow) -> None:
    buttons = [b for b in book.findChildren(QAbstractButton) if not b.objectName().startswith("qt_")]
    own = [b for b in buttons if b.parent() is not None and b.focusPolicy() != Qt.FocusPolicy.NoFocus]
    nameless = [b for b in own if not b.objectName()]
    mute = [b.objectName() for b in own if not (b.accessibleName() or b.text() or not b.isVisibleTo(book))]
    assert nameless == []
    assert mute == []


def test_tab_moves_through_the_form_in_reading_order(qtbot: QtBot, book: MainWindow) -> None:
    book.entry.form.date.setFocus()
    seen = []
    for _ in range(8):
        focused = QApplication.focusWidget()
        assert focused is not None
        seen.append(focused.objectName())
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert seen == [
        "date_field",
        "amount_field",
        "debit_button",
        "category_field",
        "description_field",
        "save_button",
        "clear_button",
        "browse_button",
    ]


def test_nothing_moves_when_a_field_gets_the_focus(qtbot: QtBot, book: MainWindow) -> None:
    form = book.entry.form
    for widget in (form.date, form.amount, form.category, book.entry.save_button, book.entry.clear_button):
        widget.clearFocus()
        before = widget.sizeHint()
        widget.setFocus()
        qtbot.waitUntil(widget.hasFocus)
        assert widget.sizeHint() == before, widget.objectName()


@pytest.mark.parametrize("typed", ["999", "1234567.5", "9999999999999999.99"])
def test_no_amount_is_shown_without_its_first_digits(qtbot: QtBot, book: MainWindow, typed: str) -> None:
    book.resize(book.minimumSize())
    field = book.entry.form.amount
    field.setFocus()
    qtbot.keyClicks(field, typed)
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: field.text().endswith((".00", ".50", ".99")))
    fits = len(typed) < 12
    qtbot.waitUntil(lambda: (field.toolTip() == "") is fits)  # what does not fit at all is in the tooltip
    room = field.width() - field.textMargins().left() - 26
    assert (field.fontMetrics().horizontalAdvance(field.text()) <= room) is fits
    assert field.cursorPosition() == 0


def test_an_amount_has_its_size_again_in_a_wider_window(qtbot: QtBot, book: MainWindow) -> None:
    field = book.entry.form.amount
    qtbot.keyClicks(field, "1234567.5")
    book.resize(book.minimumSize())
    small = field.fontMetrics().height()
    book.resize(1400, 900)
    qtbot.waitUntil(lambda: field.fontMetrics().height() > small)
