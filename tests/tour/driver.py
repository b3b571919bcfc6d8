"""Hands and eyes: finds widgets by name, types, clicks, drops and pastes, waits, and takes pictures."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar, overload

from PySide6.QtCore import QItemSelectionModel, QMimeData, QModelIndex, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLineEdit,
    QListView,
    QTableView,
    QWidget,
)

from app.ui.main_window import MainWindow
from app.ui.theme import Mode, Theme
from app.ui.widgets.document_tile import DocumentTile
from app.ui.widgets.page_canvas import PageCanvas
from app.ui.widgets.suggest_field import SuggestField

W = TypeVar("W", bound=QWidget)
WAIT_SECONDS: Final = 30.0


class TourError(Exception):
    """A step did not do what it says."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture file and what it shows; `theme` is "light" or "dark"."""

    file: str
    caption: str
    theme: str


@dataclass(slots=True)
class Driver:
    """Drives one window; pictures go to `folder`, and none is taken without one."""

    window: MainWindow
    theme: Theme
    folder: Path | None = None
    pictures: list[Picture] = field(default_factory=list)

    # --- finding and waiting -----------------------------------------------------------------------

    @overload
    def find(self, name: str) -> QWidget: ...
    @overload
    def find(self, name: str, kind: type[W]) -> W: ...
    def find(self, name: str, kind: type[QWidget] = QWidget) -> QWidget:
        """Return the widget with this object name, in the window or in a window of its own."""
        for top in (self.window, *QApplication.topLevelWidgets()):
            widget = top if top.objectName() == name else top.findChild(QWidget, name)
            if isinstance(widget, kind):
                return widget
        raise TourError(f"There is no {name} on the screen.")

    def wait(self, what: str, holds: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        """Let the program run until `holds()`. Raises TourError that names what was waited for."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise TourError(f"Waited {seconds:.0f} s in vain for: {what}.")
            QTest.qWait(10)

    def check(self, what: str, seen: object, expected: object) -> None:
        """Raise TourError unless `seen` is what was expected."""
        if seen != expected:
            raise TourError(f"{what}: expected {expected!r}, saw {seen!r}.")

    def text(self, name: str) -> str:
        """Return what a label or field shows."""
        widget = self.find(name)
        if isinstance(widget, (QLabel, QLineEdit, QAbstractButton)):
            return widget.text()
        raise TourError(f"{name} shows no text.")

    # --- hands -------------------------------------------------------------------------------------

    def click(self, name: str) -> None:
        """Click a button in its middle; it must be visible and enabled."""
        button = self.find(name)
        if not (button.isVisible() and button.isEnabled()):
            raise TourError(f"{name} cannot be clicked.")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=button.rect().center())

    def type(self, name: str, text: str) -> None:
        """Replace what a field holds by typing."""
        self._activate()
        edit = self.find(name, QLineEdit)
        edit.setFocus(Qt.FocusReason.TabFocusReason)
        edit.selectAll()
        QTest.keyClick(edit, Qt.Key.Key_Delete)
        for character in text:
            if character.isascii():
                QTest.keyClicks(edit, character)
            else:  # QTest knows no keys for other scripts; an input method inserts them as this does
                edit.insert(character)

    def _activate(self) -> None:
        """Make a window active, as a window manager does. A list that closes may leave none, and no focus."""
        if QApplication.activeWindow() is None:
            self.window.activateWindow()

    def press(self, name: str, key: Qt.Key, modifier: Qt.KeyboardModifier | None = None) -> None:
        """Press a key in a widget, or in the list that is open over it, as the system does."""
        self._activate()
        target = QApplication.activePopupWidget() or self.find(name)
        QTest.keyClick(target, key, modifier or Qt.KeyboardModifier.NoModifier)

    def choose_completion(self, name: str, typed: str, wanted: str) -> None:
        """Type the beginning, wait for the offers, and pick `wanted` from the list by keyboard."""
        self.type(name, typed)
        edit = self.find(name, SuggestField)
        self.wait(f"“{wanted}” offered for “{typed}”", lambda: wanted in edit.offered())
        popup = self.find(f"{name}_popup", QListView)
        for _ in range(edit.offered().index(wanted) + 1):
            QTest.keyClick(popup, Qt.Key.Key_Down)
        QTest.keyClick(popup, Qt.Key.Key_Return)
        self.wait(f"“{wanted}” taken", lambda: edit.text() == wanted)

    def drop(self, *files: Path) -> None:
        """Drag files over the window and let them go."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
        middle = QPoint(self.window.width() // 2, self.window.height() // 2)
        button, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        enter = QDragEnterEvent(middle, Qt.DropAction.CopyAction, data, button, keys)
        QApplication.sendEvent(self.window, enter)
        if not enter.isAccepted():
            raise TourError("The window did not take the file.")
        drop = QDropEvent(QPointF(middle), Qt.DropAction.CopyAction, data, button, keys)
        QApplication.sendEvent(self.window, drop)

    def paste_picture(self, file: Path, into: str) -> None:
        """Put a picture on the clipboard and press Ctrl+V in a field."""
        QGuiApplication.clipboard().setImage(QImage(str(file)))
        self.press(into, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)

    def select_row(self, table_name: str, row: int) -> None:
        """Make a row of a table the current one."""
        table = self.find(table_name, QTableView)
        index: QModelIndex = table.model().index(row, 0)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        table.selectionModel().setCurrentIndex(index, flags)

    def column(self, table_name: str, column: int) -> list[str]:
        """Return what a column shows, row by row."""
        model = self.find(table_name, QTableView).model()
        return [str(model.index(row, column).data()) for row in range(model.rowCount())]

    # --- eyes --------------------------------------------------------------------------------------

    def last_picture(self) -> None:
        """Take the window as it is when the tour stops."""
        if self.folder is not None:
            self.window.grab().save(str(self.folder / "99-stopped.png"))

    def picture(self, name: str, caption: str, of: QWidget | Callable[[], QWidget] | None = None) -> None:
        """Take the window in light and in dark, with `of` over it: a widget, or what shows one for each."""
        if self.folder is None:
            return
        self.wait("the bills drawn", self._bills_are_drawn)
        for mode in (Mode.LIGHT, Mode.DARK):
            self.theme.set_mode(mode)
            QTest.qWait(120)  # let polishing, layouts and a queued repaint pass
            file = f"{name}-{mode.value}.png"
            if not self._grab(of() if callable(of) else of).save(str(self.folder / file)):
                raise TourError(f"The picture {file} could not be written.")
            self.pictures.append(Picture(file, caption, mode.value))
        self.theme.set_mode(Mode.LIGHT)

    def _bills_are_drawn(self) -> bool:
        """Return whether each page and each tile in sight shows its picture, or says why not."""
        pages = self.window.findChildren(PageCanvas)
        tiles = self.window.findChildren(DocumentTile)
        return all(
            page.has_image() or page.message() not in {"", "Opening…"} for page in pages if page.isVisible()
        ) and all(tile.thumbnail.has_picture or tile.note for tile in tiles if tile.isVisible())

    def _grab(self, of: QWidget | None) -> QImage:
        if of is None:
            return self.window.grab().toImage()
        # A dialog is shown over its window, as it stands on the screen.
        below = self.window.grab()
        painter = QPainter(below)
        painter.fillRect(below.rect(), QColor(0, 0, 0, 90))
        offset = self.window.rect().center() - of.rect().center()
        painter.drawPixmap(offset, of.grab())
        painter.end()
        return below.toImage()
