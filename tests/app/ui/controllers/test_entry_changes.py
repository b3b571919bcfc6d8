"""Void, restore, undo: from the listing to the outbox and back."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from app.domain.entry import EntryState, ListedEntry
from app.errors import OfflineError, ServerError
from app.ui.main_window import MainWindow
from app.ui.models.columns import Column
from app.ui.tasks import Tasks
from tests.app.ui.conftest import Clock, Person
from tests.support.fake_services import FakeServices

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def offline(qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks) -> MainWindow:
    """The listing with a server that takes nothing just now, so that what changes stays in the outbox."""
    fake.book.errors["send_pending"] = ServerError("The server is busy.", retryable=True)
    book.show_listing()
    qtbot.waitUntil(lambda: not tasks.busy)
    return book


def click(qtbot: QtBot, window: MainWindow, name: str) -> None:
    button = window.findChild(QAbstractButton, name)
    assert isinstance(button, QAbstractButton)
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def shown(window: MainWindow) -> list[str]:
    model = window.listing.model
    return [str(model.index(row, Column.CODE).data()) for row in range(model.rowCount())]


def waiting(fake: FakeServices) -> ListedEntry:
    """Return the one entry that waits, as its last operation makes it."""
    rows = fake.waiting()
    assert len({row.id for row in rows}) == 1
    return rows[-1]


def test_delete_voids_without_asking_and_shows_a_toast(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices, person: Person
) -> None:
    offline.listing.table.selectRow(1)
    code = fake.book.entries[1].human_code
    qtbot.keyClick(offline.listing.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: offline.book.toast.text() == f"Crossed out {code}")
    qtbot.waitUntil(lambda: code not in shown(offline))
    assert waiting(fake).voided
    assert person.questions == []


def test_ctrl_z_undoes_a_void_and_selects_the_entry(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices
) -> None:
    offline.listing.table.selectRow(3)
    entry = fake.book.entries[3]
    click(qtbot, offline, "void_button")
    qtbot.waitUntil(lambda: entry.human_code not in shown(offline))
    qtbot.keyClick(offline.listing.table, Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: entry.human_code in shown(offline))
    assert not waiting(fake).voided
    qtbot.waitUntil(lambda: offline.listing.details.description.text() == entry.description)
    assert "is as it was" in offline.book.toast.text()
    assert not offline.book.toast.can_undo


def test_undo_is_not_possible_after_ten_seconds(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices, clock: Clock, tasks: Tasks
) -> None:
    offline.listing.table.selectRow(1)
    click(qtbot, offline, "void_button")
    qtbot.waitUntil(lambda: bool(offline.book.toast.text()))
    clock.now += 10
    qtbot.keyClick(offline.listing.table, Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert waiting(fake).voided


def test_a_voided_entry_is_listed_under_voided_and_can_be_restored(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices
) -> None:
    fake.book.entries[5] = replace(fake.book.entries[5], voided=True)
    code = fake.book.entries[5].human_code
    click(qtbot, offline, "shown_voided")
    qtbot.waitUntil(lambda: shown(offline) == [code])
    details = offline.listing.details
    qtbot.waitUntil(details.restore_button.isVisible)
    assert not details.edit_button.isVisible()
    assert not details.void_button.isVisible()
    assert details.state.text().startswith("Crossed out.")
    click(qtbot, offline, "restore_button")
    qtbot.waitUntil(lambda: offline.book.toast.text() == f"Restored {code}")
    qtbot.waitUntil(lambda: shown(offline) == [])
    click(qtbot, offline, "toast_undo")
    qtbot.waitUntil(lambda: shown(offline) == [code])


def test_a_saved_entry_can_be_undone_from_the_amount_field(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices
) -> None:
    offline.show_add()
    form = offline.entry.form
    qtbot.keyClicks(form.amount, "85")
    form.category.setText("Travel")
    qtbot.keyClick(form.amount, Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(lambda: offline.book.toast.text().startswith("Saved 0K7-"))
    qtbot.waitUntil(form.amount.hasFocus)
    qtbot.keyClick(form.amount, Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: waiting(fake).voided)
    qtbot.waitUntil(lambda: form.amount.text() in {"85", "85.00"})  # given back


def test_ctrl_z_in_a_field_with_typed_text_undoes_the_typing(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices
) -> None:
    offline.listing.table.selectRow(1)
    click(qtbot, offline, "void_button")
    qtbot.waitUntil(lambda: offline.book.toast.can_undo)
    offline.show_add()
    amount = offline.entry.form.amount
    amount.setFocus()
    qtbot.keyClicks(amount, "85")
    qtbot.keyClick(amount, Qt.Key.Key_Z, CTRL)
    assert amount.text() == ""
    assert waiting(fake).voided


def test_an_error_is_shown_and_nothing_is_changed(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices
) -> None:
    fake.book.errors["detail"] = OfflineError("The entry is at the server, which cannot be reached.")
    offline.listing.table.selectRow(1)
    click(qtbot, offline, "void_button")
    qtbot.waitUntil(lambda: "cannot be reached" in offline.book.banner.text())
    assert fake.waiting() == []


def test_a_refused_entry_has_a_link_to_the_outbox(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices
) -> None:
    refused = replace(fake.book.entries[0], id="zz", state=EntryState.REFUSED, note="Too long.")
    fake.wait(refused)
    before = fake.waiting()
    offline.listing.refresh(select="zz")
    qtbot.waitUntil(lambda: offline.listing.details.outbox_button.isVisible())
    qtbot.keyClick(offline.listing.table, Qt.Key.Key_Delete)
    qtbot.keyClick(offline.listing.table, Qt.Key.Key_Return)
    click(qtbot, offline, "details_outbox")
    assert offline.outbox.isVisible()
    assert fake.waiting() == before


def test_the_badge_disappears_when_the_server_has_confirmed_a_void(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks, tmp_path: Path
) -> None:
    book.show_listing()
    book.listing.table.selectRow(0)
    code = fake.book.entries[0].human_code
    click(qtbot, book, "void_button")
    qtbot.waitUntil(lambda: fake.book.entries[0].voided)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert code not in shown(book)
    assert not book.sidebar.badge.isVisible()
