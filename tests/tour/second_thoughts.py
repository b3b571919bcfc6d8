"""The part of the tour in which somebody changes their mind: edit, void, undo, history, outbox, the draft."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QFrame

from app.domain.money import format_amount
from app.services.sync import SyncReport
from app.ui.models.columns import Column
from tests.tour.driver import WAIT_SECONDS, Driver

_TABLE = "entry_table"
_CTRL = Qt.KeyboardModifier.ControlModifier


def edit_and_undo(driver: Driver, amount: Decimal) -> None:
    """Change the amount of the newest entry, which is `amount`, take it back, and look at its history."""
    driver.select_row(_TABLE, 0)
    driver.press(_TABLE, Qt.Key.Key_Return)
    driver.wait("the form of the entry", lambda: driver.find("edit_view").isVisible())
    driver.wait("its amount", lambda: driver.text("edit_amount_field") == format_amount(amount, symbol=False))
    driver.type("edit_amount_field", "99")
    driver.type("edit_description_field", "Taxi to client site and back")
    driver.find("edit_amount_field").setFocus()
    QTest.qWait(200)  # the bill's thumbnail
    driver.picture("11-edit", "Enter edits: the same form, the bills as they are.")
    driver.press("edit_amount_field", Qt.Key.Key_Return, _CTRL)
    _wait_first(driver, Decimal(99))
    driver.picture("12-edited", "Changed, and for ten seconds the way back.")
    driver.click("toast_undo")
    _wait_first(driver, amount)
    driver.wait("it to be stored", lambda: driver.text("status_pill").strip() == "Saved")
    _look_at_history(driver)


def void_and_undo(driver: Driver) -> None:
    """Cross out the second entry with Delete, look at it under Crossed out, and restore it."""
    rows = len(driver.column(_TABLE, Column.CODE))
    driver.select_row(_TABLE, 1)
    driver.press(_TABLE, Qt.Key.Key_Delete)
    driver.wait("one row less", lambda: len(driver.column(_TABLE, Column.CODE)) == rows - 1)
    driver.picture("13-voided", "Delete crosses out, without a question: it can be undone.")
    driver.click("shown_voided")
    driver.wait("the voided one", lambda: len(driver.column(_TABLE, Column.CODE)) == 1)
    driver.wait("its restoring on offer", lambda: driver.find("restore_button").isVisible())
    driver.picture("14-voided-only", "What was crossed out is still there, and can be restored.")
    driver.click("restore_button")
    driver.wait("none voided", lambda: driver.column(_TABLE, Column.CODE) == [])
    driver.click("shown_active")
    driver.wait("all rows again", lambda: len(driver.column(_TABLE, Column.CODE)) == rows)


def look_at_outbox(driver: Driver) -> None:
    """Hold the sending, change something, look at what waits, and let it go."""
    driver.wait("everything to be stored", lambda: driver.text("status_pill").strip() == "Saved")
    with _sending_held(driver):
        driver.select_row(_TABLE, 1)
        driver.press(_TABLE, Qt.Key.Key_Delete)
        driver.wait("the voiding to wait", lambda: driver.text("outbox_badge") == "1")
        driver.press(_TABLE, Qt.Key.Key_Z, _CTRL)
        driver.wait("its undoing to wait", lambda: driver.text("outbox_badge") == "2")
        driver.click("nav_outbox")
        driver.wait("both", lambda: len(driver.window.outbox.list.cards()) == 2)
        driver.picture("16-outbox", "Waiting: what is not stored in the book yet.")
    driver.wait("nothing to wait", lambda: driver.find("outbox_empty").isVisible())
    driver.click("nav_entries")


@contextmanager
def _sending_held(driver: Driver) -> Iterator[None]:
    """Let a run of the outbox begin only at the end of the block, as if the server were slow."""
    sync = driver.window._services.sync
    send, go_on = sync.send_pending, threading.Event()

    def held() -> SyncReport:
        go_on.wait(WAIT_SECONDS)
        return send()

    sync.send_pending = held  # type: ignore[method-assign]
    try:
        yield
    finally:
        sync.send_pending = send  # type: ignore[method-assign]
        go_on.set()


def leave_a_draft(driver: Driver, bill: Path) -> None:
    """Write half an entry and leave it."""
    driver.click("nav_add")
    driver.type("amount_field", "480")
    driver.type("category_field", "Meals")
    driver.type("description_field", "Lunch with Me")
    driver.drop(bill)
    panel = driver.window.entry.documents
    driver.wait("the bill to be pinned", lambda: len(panel.attachments()) == 1)
    driver.find("amount_field").setFocus()
    driver.wait("the draft to be kept", lambda: driver.text("draft_label") == "Draft saved")


def find_the_draft(driver: Driver) -> None:
    """See that it is back, and clear it."""
    driver.check("The banner", driver.text("entry_banner_text"), "Your unsaved entry is back.")
    driver.check("The amount", driver.text("amount_field").removesuffix(".00"), "480")
    driver.check("The description", driver.text("description_field"), "Lunch with Me")
    driver.check("The bills", len(driver.window.entry.documents.attachments()), 1)
    QTest.qWait(200)  # the bill's thumbnail
    driver.picture("19-draft", "What was not saved is back at the next start, after a crash too.")
    driver.click("entry_banner_button")
    driver.wait("the form to be empty", lambda: driver.text("amount_field") == "")


def _wait_first(driver: Driver, amount: Decimal) -> None:
    text = format_amount(amount)
    driver.wait(f"{text} in the first row", lambda: driver.column(_TABLE, Column.AMOUNT)[:1] == [text])


def _look_at_history(driver: Driver) -> None:
    driver.click("history_button")
    dialog = driver.find("history_dialog", QDialog)
    driver.wait("all versions", lambda: len(dialog.findChildren(QFrame, "history_version")) == 3)
    driver.picture("15-history", "Every version: what changed, who changed it, where and when.", of=dialog)
    driver.click("history_close")
    driver.window.activateWindow()  # without a window manager nobody else does it
