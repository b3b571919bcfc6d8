"""A question before something is lost."""

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.ui.desktop import confirm
from app.ui.theme import Mode, Theme


def test_a_question_has_equal_margins(qtbot: QtBot, theme: Theme) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    margins: list[tuple[int, int]] = []

    def look() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        text = box.findChild(QLabel, "qt_msgbox_label")
        assert text is not None
        keep = next(each for each in box.findChildren(QPushButton) if each.text() == "Keep")
        right = keep.mapTo(box, QPoint(keep.width(), 0)).x()
        margins.append((text.mapTo(box, QPoint()).x(), box.width() - right))
        box.reject()

    QTimer.singleShot(0, look)
    assert not confirm(window, "Clear this entry?", "What you typed is not saved.", "Clear", "Keep")
    assert margins == [(24, 24)]


def test_enter_still_keeps_everything_after_the_theme_has_changed(qtbot: QtBot, theme: Theme) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()

    def press_enter() -> None:
        box = QApplication.activeModalWidget()
        assert box is not None
        theme.set_mode(Mode.DARK)
        qtbot.wait(20)
        qtbot.keyClick(box.focusWidget(), Qt.Key.Key_Return)

    QTimer.singleShot(50, press_enter)
    assert not confirm(window, "Clear this entry?", "What you typed is not saved.", "Clear", "Keep")
