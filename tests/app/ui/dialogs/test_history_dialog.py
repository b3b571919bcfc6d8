"""The history dialog: every version, what was replaced, and making an older one stand again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.entry import HistoryVersion
from app.ui.dialogs.history_dialog import HistoryDialog
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.support.fake_services import FakeServices

AT = datetime(2026, 11, 22, 8, 35, tzinfo=UTC)


@pytest.fixture
def versions(fake: FakeServices) -> list[HistoryVersion]:
    """Created; then two devices changed it at once."""
    entry = fake.book.entries[0]

    def made(amount: str, action: str, device: str, minutes: int, **more: bool) -> HistoryVersion:
        fields = {"stands": False, "superseded": False} | more
        changed = replace(entry, amount=Decimal(amount))
        return HistoryVersion(
            f"op{minutes}", changed, action, "Asha Rao", device, AT + timedelta(minutes=minutes), **fields
        )

    found = [
        made("99", "edited", "laptop", 2, stands=True),
        made("700", "edited", "shop counter", 1, superseded=True),
        made("640", "created", "laptop", 0),
    ]
    fake.book.history[entry.id] = found
    return found


def open_history(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> HistoryDialog:
    book.show_listing()
    book.listing.table.selectRow(0)
    qtbot.mouseClick(book.listing.details.history_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not tasks.busy)
    dialog = book.findChild(HistoryDialog, "history_dialog")
    assert isinstance(dialog, HistoryDialog)
    return dialog


def texts(dialog: HistoryDialog, name: str) -> list[str]:
    return [found.text() for card in dialog.list.cards() for found in card.findChildren(QLabel, name)]


def test_every_version_shows_what_changed_who_made_it_where_and_when(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, versions: list[HistoryVersion]
) -> None:
    dialog = open_history(qtbot, book, tasks)
    assert texts(dialog, "version_title") == ["Edited", "Edited", "Created"]
    local = (AT + timedelta(minutes=2)).astimezone()
    assert texts(dialog, "version_facts")[0] == f"22 Nov 2026, {local:%H:%M} · Asha Rao on laptop"
    assert texts(dialog, "version_changes")[0] == "Amount: ₹640.00 → ₹99.00"
    assert texts(dialog, "version_note") == ["Replaced by a newer change from another device"]


def test_a_replaced_version_can_be_restored_and_that_can_be_undone(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, versions: list[HistoryVersion], fake: FakeServices
) -> None:
    dialog = open_history(qtbot, book, tasks)
    buttons = [card.findChild(QPushButton, "version_restore") for card in dialog.list.cards()]
    assert buttons[0] is None  # the one that stands
    assert isinstance(buttons[1], QPushButton)
    qtbot.mouseClick(buttons[1], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: fake.book.entries[0].amount == Decimal(700))
    assert book.book.toast.text() == "Restored a version of 0K7-000120"
    book.book.toast.undo()
    qtbot.waitUntil(lambda: fake.book.entries[0].amount == Decimal(640))


def restore_buttons(dialog: HistoryDialog) -> list[QPushButton | None]:
    found = [card.findChild(QPushButton, "version_restore") for card in dialog.list.cards()]
    assert all(each is None or isinstance(each, QPushButton) for each in found)
    return found


def test_a_version_that_was_crossed_out_says_why_it_cannot_be_restored(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, versions: list[HistoryVersion], fake: FakeServices
) -> None:
    was_out = replace(versions[1], entry=replace(versions[1].entry, voided=True), action="voided")
    fake.book.history[fake.book.entries[0].id] = [
        versions[0],
        replace(was_out, superseded=False),
        versions[2],
    ]
    dialog = open_history(qtbot, book, tasks)
    none, crossed_out, created = restore_buttons(dialog)
    assert none is None
    assert crossed_out is not None
    assert created is not None
    assert (crossed_out.isEnabled(), created.isEnabled()) == (False, True)
    assert "Cross out" in crossed_out.toolTip()
    qtbot.mouseClick(crossed_out, Qt.MouseButton.LeftButton)
    assert dialog.isVisible()
    assert not dialog.first.isVisible()


def test_the_history_of_a_crossed_out_entry_says_what_comes_first(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, versions: list[HistoryVersion], fake: FakeServices
) -> None:
    out = replace(versions[0], entry=replace(versions[0].entry, voided=True), action="voided")
    fake.book.history[fake.book.entries[0].id] = [out, *versions[1:]]
    dialog = open_history(qtbot, book, tasks)
    assert dialog.first.isVisible()
    assert "press Restore first" in dialog.first.text()
    assert restore_buttons(dialog) == [None, None, None]


def test_without_a_server_unsent_versions_are_shown_and_a_retry_is_offered(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, versions: list[HistoryVersion], fake: FakeServices
) -> None:
    fake.book.offline = True
    fake.entries.edit(fake.entries.detail(fake.book.entries[0].id), _cheaper(fake))
    dialog = open_history(qtbot, book, tasks)
    assert texts(dialog, "version_changes") == ["Amount: ₹640.00 → ₹5.00"]
    assert "being opened again" in dialog.banner.text()
    fake.book.offline = False
    dialog.banner.pressed.emit()
    qtbot.waitUntil(lambda: len(dialog.list.cards()) >= 3)
    assert dialog.banner.text() == ""


def test_the_history_of_an_unsent_entry_needs_no_server(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, fake: FakeServices
) -> None:
    fake.book.offline = True
    fresh = replace(fake.book.entries[0], id="zz", human_code="0K7-000999")
    fake.wait(fresh)
    book.dialogs.show_history(fresh)
    qtbot.waitUntil(lambda: not tasks.busy)
    dialog = book.findChild(HistoryDialog, "history_dialog")
    assert isinstance(dialog, HistoryDialog)
    assert texts(dialog, "version_title") == ["Created"]
    assert "history" not in fake.book.calls


def _cheaper(fake: FakeServices):  # type: ignore[no-untyped-def]
    from app.services.entries import draft_of

    return replace(draft_of(fake.entries.detail(fake.book.entries[0].id)), amount=Decimal(5))
