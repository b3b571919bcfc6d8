"""What a person types or pastes into the real windows: one text is one text, and none is cut unsaid."""

from dataclasses import replace
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.domain.entry import EntryDetail, ListedEntry
from app.services.entries import draft_of
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.views.edit_view import EditView
from app.ui.views.entry_view import EntryView
from tests.support.fake_services import BOOK_ID, FakeServices

CTRL = Qt.KeyboardModifier.ControlModifier


def paste(qtbot: QtBot, field: QWidget, text: str) -> None:
    """Press Ctrl+V in `field`, with `text` in the clipboard."""
    QGuiApplication.clipboard().setText(text)
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_V, CTRL)


def error(view: QWidget, name: str) -> str:
    label = view.findChild(QLabel, f"{name}_error")
    assert label is not None
    return label.text() if label.isVisible() else ""


def save(qtbot: QtBot, view: EntryView, fake: FakeServices) -> ListedEntry:
    """Press Ctrl+Enter, and return the entry that waits to be sent, or was sent already."""
    with qtbot.waitSignal(view.saved) as told:
        qtbot.keyClick(view.form.amount, Qt.Key.Key_Return, CTRL)
    made = told.args[0]
    assert isinstance(made, ListedEntry)
    return made


@pytest.fixture
def view(qtbot: QtBot, book: MainWindow) -> EntryView:
    book.show_add()
    qtbot.waitUntil(book.entry.isVisible)
    return book.entry


# --- one form --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pasted", "stored"),
    [
        ("\u200bCafe\u0301 with\r\nguests\u200e", "Café with guests"),
        ("\u0958\u0932\u092e", "\u0915\u093c\u0932\u092e"),
        ("\u200f\ufeff", ""),
        ("pay \u202egpj.exe", "pay gpj.exe"),
        ("nul\x00 and bell\x07", "nul and bell"),
    ],
)
def test_texts_are_saved_in_one_form_and_stay_as_typed_until_then(
    qtbot: QtBot, view: EntryView, fake: FakeServices, pasted: str, stored: str
) -> None:
    qtbot.keyClicks(view.form.amount, "100")
    paste(qtbot, view.form.category, "Meals\u200b")
    paste(qtbot, view.form.description, pasted)
    assert view.form.description.text() == pasted
    made = save(qtbot, view, fake)
    assert (made.category, made.description) == ("Meals", stored)


def test_what_an_input_method_commits_is_saved_in_the_same_form(
    qtbot: QtBot, view: EntryView, fake: FakeServices
) -> None:
    qtbot.keyClicks(view.form.amount, "100")
    view.form.category.setFocus()
    event = QInputMethodEvent()
    event.setCommitString("\u0958\u0939\u0935\u093e")
    QApplication.sendEvent(view.form.category, event)
    assert save(qtbot, view, fake).category == "\u0915\u093c\u0939\u0935\u093e"


@pytest.mark.parametrize("nothing", ["\u200b", "\u200e\u00a0\u2060", "\ufeff\u3164"])
def test_a_category_of_nothing_visible_is_missing(qtbot: QtBot, view: EntryView, nothing: str) -> None:
    qtbot.keyClicks(view.form.amount, "100")
    paste(qtbot, view.form.category, nothing)
    qtbot.keyClick(view.form.category, Qt.Key.Key_Return, CTRL)
    assert "Choose a category" in error(view, "category_field")


@pytest.mark.parametrize(
    "amount", ["\u200e1,234.50\u200b", "\u2067१,२३४.५०\u2069", "１，２３４．５０", "1\u202f234.5"]
)
def test_an_amount_and_a_date_are_taken_whatever_was_pasted_with_them(
    qtbot: QtBot, view: EntryView, fake: FakeServices, amount: str
) -> None:
    paste(qtbot, view.form.amount, amount)
    view.form.date.setFocus()
    qtbot.waitUntil(view.form.date.hasSelectedText)
    paste(qtbot, view.form.date, "\u200e20/11/2026\u200f")
    paste(qtbot, view.form.category, "Travel")
    assert view.form.amount.text() == "1,234.50"
    assert view.form.date.text() == "20 Nov 2026"
    assert save(qtbot, view, fake).amount == Decimal("1234.50")


def test_an_amount_of_nothing_visible_is_empty(qtbot: QtBot, view: EntryView) -> None:
    paste(qtbot, view.form.amount, "\u200e\u200b")
    view.form.category.setFocus()
    assert view.form.amount.text() == ""
    assert error(view, "amount_field") == ""
    assert not view.dirty


# --- length ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "limit"), [("category_field", 100), ("description_field", 500)])
def test_a_text_that_is_too_long_is_kept_and_said_so_until_it_is_shortened(
    qtbot: QtBot, view: EntryView, fake: FakeServices, name: str, limit: int
) -> None:
    qtbot.keyClicks(view.form.amount, "100")
    paste(qtbot, view.form.category, "Travel")
    field = view.findChild(QLineEdit, name)
    assert field is not None
    field.clear()
    paste(qtbot, field, "word " * 1000)
    sentence = f"At most {limit} characters: this is 4,999. Please shorten it."
    assert error(view, name) == sentence
    view.form.amount.setFocus()
    qtbot.keyClick(view.form.amount, Qt.Key.Key_Return, CTRL)
    assert error(view, name) == sentence
    assert field.hasFocus()
    assert len(field.text()) == 5000
    assert fake.waiting() == []
    field.selectAll()
    qtbot.keyClicks(field, "short")
    assert error(view, name) == ""
    assert save(qtbot, view, fake).amount == 100


def test_characters_are_counted_as_a_server_counts_them(
    qtbot: QtBot, view: EntryView, fake: FakeServices
) -> None:
    qtbot.keyClicks(view.form.amount, "100")
    paste(qtbot, view.form.category, "☕😀" * 50)
    paste(qtbot, view.form.description, "😀" * 500)
    made = save(qtbot, view, fake)
    assert (made.category, made.description) == ("☕😀" * 50, "😀" * 500)
    paste(qtbot, view.form.description, "😀" * 501)
    assert "this is 501" in error(view, "description_field")


def test_a_paste_beyond_all_limits_is_kept_as_a_draft_but_not_saved(
    qtbot: QtBot, view: EntryView, fake: FakeServices
) -> None:
    qtbot.keyClicks(view.form.amount, "100")
    paste(qtbot, view.form.category, "Travel")
    paste(qtbot, view.form.description, "x" + "😀" * 30_000)  # Qt cuts it in the middle of a character
    qtbot.keyClick(view.form.description, Qt.Key.Key_Return, CTRL)
    assert "At most 500 characters" in error(view, "description_field")
    view.keep_draft()
    draft = fake.drafts.load(BOOK_ID)
    assert draft is not None
    assert draft.description == view.form.description.text()


@pytest.mark.parametrize("name", ["amount_field", "date_field"])
def test_a_long_text_is_no_amount_and_no_date(qtbot: QtBot, view: EntryView, name: str) -> None:
    field = view.findChild(QLineEdit, name)
    assert field is not None
    field.setFocus()
    field.selectAll()
    paste(qtbot, field, "1" + " " * 5000 + "2")
    view.form.description.setFocus()
    assert "too long" in error(view, name)


def test_a_search_that_is_too_long_says_so_and_keeps_the_listing(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    book.show_listing()
    filters, rows = book.listing.filters, [r for r in fake.book.entries if "parking" in r.description]
    qtbot.keyClicks(filters.search, "parking")
    qtbot.waitUntil(lambda: book.listing.foot.count.text() == f"{len(rows)} entries" and not tasks.busy)
    for pasted in (" more" * 1000, " b c d e f h j l m o q s t"):
        paste(qtbot, filters.search, pasted)
        qtbot.keyClick(filters.search, Qt.Key.Key_Return)
        assert filters.search_error.isVisible()
        assert (filters.wanted().text, book.listing.model.rowCount()) == ("parking", len(rows))
        filters.search.selectAll()
        qtbot.keyClicks(filters.search, "parking")
        assert not filters.search_error.isVisible()


def test_a_search_pasted_with_a_line_break_is_a_search(
    qtbot: QtBot, book: MainWindow, fake: FakeServices
) -> None:
    book.show_listing()
    rows = [r for r in fake.book.entries if "Taxi" in r.description]
    paste(qtbot, book.listing.filters.search, "\u200eTAXI\nclient\u200b")
    qtbot.waitUntil(lambda: book.listing.foot.count.text() == f"{len(rows)} entries")
    assert book.listing.filters.wanted().text == "TAXI client"


def test_a_password_that_is_too_long_is_not_cut(qtbot: QtBot, window: MainWindow, tasks: Tasks) -> None:
    window.start()
    login = window.login
    qtbot.waitUntil(lambda: login.card.password.isVisible() and not tasks.busy)
    paste(qtbot, login.card.password, "p" * 300)
    assert "At most 256 characters" in error(login, "password_field")
    qtbot.keyClick(login.card.password, Qt.Key.Key_Return)
    assert "At most 256 characters" in error(login, "password_field")
    assert len(login.card.password.text()) == 300
    assert not tasks.busy


# --- one spelling ----------------------------------------------------------------------------------


@pytest.fixture
def cafe(fake: FakeServices) -> None:
    """Entries of the category Café, before the book is opened."""
    fake.book.entries[:3] = [replace(row, category="Café") for row in fake.book.entries[:3]]


@pytest.fixture
def with_cafe(qtbot: QtBot, cafe: None, book: MainWindow) -> EntryView:
    book.show_add()
    qtbot.waitUntil(book.entry.isVisible)
    return book.entry


def hint(view: EntryView) -> str:
    return view.form.fields["category"].hint.text()


@pytest.mark.parametrize("typed", ["cafe", "CAFÉ", "cafe\u0301\u200b"])
def test_a_category_gets_the_spelling_of_the_book_when_the_field_is_left(
    qtbot: QtBot, with_cafe: EntryView, fake: FakeServices, tasks: Tasks, typed: str
) -> None:
    form = with_cafe.form
    qtbot.keyClicks(form.amount, "100")
    form.category.setFocus()
    qtbot.waitUntil(lambda: not tasks.busy)
    paste(qtbot, form.category, typed)
    qtbot.keyClick(form.category, Qt.Key.Key_Tab)
    assert form.category.text() == "Café"
    assert hint(with_cafe) == "Café, as before"
    assert save(qtbot, with_cafe, fake).category == "Café"
    assert hint(with_cafe) == ""


def test_a_spelling_that_is_typed_again_is_kept(
    qtbot: QtBot, with_cafe: EntryView, fake: FakeServices, tasks: Tasks
) -> None:
    form = with_cafe.form
    qtbot.keyClicks(form.amount, "100")
    for _ in range(2):
        form.category.setFocus()
        form.category.selectAll()
        qtbot.waitUntil(lambda: not tasks.busy)
        qtbot.keyClicks(form.category, "CAFE")
        form.description.setFocus()
    assert (form.category.text(), hint(with_cafe)) == ("CAFE", "")
    assert save(qtbot, with_cafe, fake).category == "CAFE"


def test_undo_brings_back_the_typed_spelling(qtbot: QtBot, with_cafe: EntryView, tasks: Tasks) -> None:
    category = with_cafe.form.category
    category.setFocus()
    qtbot.waitUntil(lambda: not tasks.busy)
    qtbot.keyClicks(category, "cafe")
    with_cafe.form.description.setFocus()
    category.setFocus()
    assert category.text() == "Café"
    qtbot.keyClick(category, Qt.Key.Key_Z, CTRL)
    assert category.text() == "cafe"
    with_cafe.form.description.setFocus()
    assert category.text() == "cafe"


def test_spellings_are_asked_for_again_as_the_book_may_be_another(
    qtbot: QtBot, with_cafe: EntryView, fake: FakeServices, tasks: Tasks
) -> None:
    form = with_cafe.form
    form.category.setFocus()
    qtbot.waitUntil(lambda: not tasks.busy)
    form.amount.setFocus()
    fake.accounts.session = None
    form.category.setFocus()
    qtbot.keyClicks(form.category, "cafe")
    form.category.settle()
    assert form.category.text() == "cafe"


def test_saving_from_the_field_uses_the_spelling_too(
    qtbot: QtBot, with_cafe: EntryView, fake: FakeServices, tasks: Tasks
) -> None:
    qtbot.keyClicks(with_cafe.form.amount, "100")
    with_cafe.form.category.setFocus()
    qtbot.waitUntil(lambda: not tasks.busy)
    qtbot.keyClicks(with_cafe.form.category, "cafe")
    with qtbot.waitSignal(with_cafe.saved) as told:
        qtbot.keyClick(with_cafe.form.category, Qt.Key.Key_Return, CTRL)
    assert told.args[0].category == "Café"


def test_a_spelling_that_only_the_server_knows_arrives_after_the_field_was_left(
    qtbot: QtBot, view: EntryView, fake: FakeServices
) -> None:
    fake.book.entries[:3] = [replace(row, category="Café") for row in fake.book.entries[:3]]
    view.form.category.setFocus()
    paste(qtbot, view.form.category, "CAFÉ")
    view.form.description.setFocus()
    qtbot.waitUntil(lambda: view.form.category.text() == "Café")
    assert hint(view) == "Café, as before"


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Tab])
def test_a_completion_is_picked_with_the_keyboard_alone(
    qtbot: QtBot, with_cafe: EntryView, key: Qt.Key
) -> None:
    category = with_cafe.form.category
    category.setFocus()
    qtbot.keyClicks(category, "caf")
    qtbot.waitUntil(lambda: category.offered() == ["Café"])
    popup = category.completer().popup()
    qtbot.waitUntil(popup.isVisible)
    qtbot.keyClick(popup, Qt.Key.Key_Down)
    qtbot.keyClick(popup, key)
    qtbot.waitUntil(lambda: not popup.isVisible())
    assert category.text() == "Café"
    assert hint(with_cafe) == ""


# --- what is not edited stays ----------------------------------------------------------------------

OLD_CATEGORY, OLD_TEXT = "Cafe\u0301 ", "\u200btwo  spaces\u00a0and cre\u0300me"


@pytest.fixture
def old(qtbot: QtBot, fake: FakeServices, book: MainWindow, tasks: Tasks) -> EditView:
    """The newest entry, opened for editing: its texts are in the form of an older version."""
    first = replace(fake.book.entries[0], category=OLD_CATEGORY.strip(), description=OLD_TEXT)
    fake.book.entries[0] = first
    book.show_listing()
    book.listing.refresh()
    qtbot.waitUntil(lambda: not tasks.busy)
    book.listing.table.selectRow(0)
    qtbot.keyClick(book.listing.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: book.edit.isVisible() and not tasks.busy)
    assert book.edit.form.description.text() == OLD_TEXT
    return book.edit


def changed(qtbot: QtBot, edit: EditView) -> EntryDetail:
    with qtbot.waitSignal(edit.saved) as told:
        qtbot.keyClick(edit.form.amount, Qt.Key.Key_Return, CTRL)
    after = told.args[0].after
    assert isinstance(after, EntryDetail)
    return after


def test_an_edit_of_another_field_leaves_the_texts_as_they_are(qtbot: QtBot, old: EditView) -> None:
    old.form.category.setFocus()
    old.form.description.setFocus()  # passing through a field is no edit
    old.form.amount.setFocus()
    old.form.amount.selectAll()
    qtbot.keyClicks(old.form.amount, "99")
    draft = draft_of(changed(qtbot, old))
    assert (draft.category, draft.description) == (OLD_CATEGORY.strip(), OLD_TEXT)
    assert draft.amount == 99


def test_a_text_that_is_edited_is_saved_in_the_one_form(qtbot: QtBot, old: EditView) -> None:
    old.form.description.setFocus()
    qtbot.keyClick(old.form.description, Qt.Key.Key_End)
    qtbot.keyClicks(old.form.description, "!")
    draft = draft_of(changed(qtbot, old))
    assert (draft.category, draft.description) == (OLD_CATEGORY.strip(), "two spaces and crème!")


def test_the_spelling_of_an_entry_can_be_changed(qtbot: QtBot, old: EditView, tasks: Tasks) -> None:
    old.form.category.setFocus()
    qtbot.waitUntil(lambda: not tasks.busy)
    old.form.category.selectAll()
    qtbot.keyClicks(old.form.category, "CAFE")
    assert draft_of(changed(qtbot, old)).category == "CAFE"
