"""The part of the tour that opens each dialog and each popup once, for their pictures."""

from collections.abc import Callable
from datetime import datetime, timedelta

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit, QMessageBox, QToolTip, QWidget

from app.domain.clock_error import clock_error
from app.domain.connection_status import Moved
from app.errors import SignInError
from app.ui.controllers.replication_warning import late_words
from app.ui.crashes import CrashReporter
from app.ui.desktop import choose_save_path, confirm
from app.ui.opening import OpeningWindow
from app.ui.window_geometry import copy_geometry
from tests.tour.driver import Driver

_SETTLE_MS = 80


def look_at_dialogs(driver: Driver) -> None:
    """Open the dialogs that the story does not need."""
    driver.click("user_button")
    account = driver.find("account_dialog", QDialog)
    driver.wait("the sessions", lambda: not driver.find("account_state").isVisible())
    driver.picture("30-account", "The account: where you are signed in, and the password.", of=account)
    driver.wait("the offer to move", lambda: driver.find("account_move").isVisible())
    driver.click("account_move")
    driver.wait("the dialog to move", lambda: driver.find("move_dialog").isVisible())
    move = driver.find("move_dialog", QDialog)
    driver.picture("31-move", "Moving the book to a server.", of=move)
    driver.click("move_create")
    driver.picture("32-move-create", "Moving the book, with a new account there.", of=move)
    driver.click("move_start")
    driver.picture("33-move-missing", "What is missing is told at each field.", of=move)
    move.reject()
    for name, button, caption in (
        ("about", "about_button", "About this book: where it is and where its files are."),
        ("help", "help_button", "The help: first steps, keys, and where the data is."),
    ):
        driver.click(button)
        dialog = driver.find(f"{name}_dialog", QDialog)
        driver.picture(f"34-{name}", caption, of=dialog)
        dialog.reject()
    _over(driver, "34-question", "A question before something is lost.", QMessageBox, lambda: _ask(driver))
    error = RuntimeError("an error for its picture")
    opening = OpeningWindow()
    reporter = CrashReporter(opening)
    reporter.follow(driver.window)
    reporter.show(error)
    crash = driver.find("crash_dialog", QDialog)
    driver.picture("35-unexpected", "What nobody expected is told too.", of=crash)
    crash.reject()
    opening.deleteLater()  # else Python may delete it on a thread of a task, which ends the program
    _over(
        driver, "36-files", "Choosing files, where the system has no dialog of its own.", QFileDialog, _files
    )

    def save_as() -> None:
        choose_save_path(driver.window, "accounts.csv")

    _over(driver, "37-save", "Saving a file, where the system has no dialog.", QFileDialog, save_as)


def look_at_banners(driver: Driver) -> None:
    """Show each message above the views. What causes them is tested elsewhere."""
    book, now = driver.window.book, datetime.now().astimezone()
    book.show_clock(clock_error(now + timedelta(days=3), now))
    driver.picture("60-clock", "The clock of this computer is wrong.")
    book.show_clock("")
    book.show_error("The disk is full. Please free some space, then try again.")
    driver.picture("61-error", "An error, until it is closed.")
    book.hide_banner()
    book.show_moved(Moved(37, 40))
    driver.picture("62-moved", "The book is on another server now.")
    book.show_moved(None)
    book.show_late(late_words(3))
    driver.picture("63-late", "Some changes are on one server only.")
    book.show_late("")
    book.again.set_user("Asha Rao")
    book.again.ask(SignInError("The session is over.", detail={"ended": "ended"}))
    driver.picture("64-sign-in-again", "Signed out elsewhere: the password is asked for.")
    book.again.give_up()


def look_at_popups(driver: Driver) -> None:
    """Open what opens over a window."""
    driver.click("nav_add")
    field = driver.find("date_field", QLineEdit)
    for action in field.actions():
        if action.objectName() == "date_field_calendar":
            action.trigger()
    _popup(driver, "40-calendar", "The calendar of a date.")
    driver.click("nav_entries")
    QTimer.singleShot(0, lambda: driver.click("period_button"))
    driver.wait("the menu", lambda: QApplication.activePopupWidget() is not None)
    _popup(driver, "41-periods", "The periods of the filter.")
    search = driver.find("search_field", QLineEdit)
    menu = search.createStandardContextMenu()
    menu.popup(search.mapToGlobal(QPoint(20, 20)))
    _popup(driver, "42-context-menu", "The context menu of a text field.")
    driver.picture("43-tooltip", "A tool tip.", of=lambda: _tip(search))
    QToolTip.hideText()


def look_at_start(driver: Driver) -> None:
    """Open the window that tells why a book cannot be opened."""
    opening = OpeningWindow()
    copy_geometry(opening, driver.window)
    opening.show()
    QTest.qWait(_SETTLE_MS)
    driver.picture("50-opening", "The first window.", of=opening)
    opening.show_error("The disk is full. Please free some space, then try again.", retryable=True)
    driver.picture("51-failed", "A start that fails says why.", of=opening)
    opening.close()
    opening.deleteLater()


def _tip(widget: QWidget) -> QWidget:
    """Show a widget's tool tip. A change of the theme closes it, so each picture needs one of its own."""
    QToolTip.showText(widget.mapToGlobal(QPoint(20, 20)), widget.toolTip(), widget)
    return next(tip for tip in QApplication.allWidgets() if tip.inherits("QTipLabel") and tip.isVisible())


def _ask(driver: Driver) -> None:
    explanation = "What you typed and the bills you attached would be lost."
    confirm(driver.window, "Clear this entry?", explanation, "Clear", "Keep it")


def _files() -> None:
    dialog = QFileDialog(QApplication.activeWindow(), "Choose bills")
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.exec()


def _over(driver: Driver, name: str, caption: str, kind: type[QDialog], show: Callable[[], object]) -> None:
    """Take the picture of a dialog that `show` waits for, and close it."""

    def take() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, kind)
        driver.picture(name, caption, of=dialog)
        dialog.reject()

    QTimer.singleShot(_SETTLE_MS, take)
    show()


def _popup(driver: Driver, name: str, caption: str) -> None:
    popup: QWidget | None = QApplication.activePopupWidget()
    assert popup is not None
    QTest.qWait(_SETTLE_MS)
    driver.picture(name, caption, of=popup)
    popup.close()
    driver.window.activateWindow()
    QTest.keyClick(driver.window, Qt.Key.Key_Shift)
