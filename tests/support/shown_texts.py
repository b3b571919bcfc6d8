"""Every text that the windows show: on the screen, in a tool tip, and for a screen reader."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QObject, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QWidget,
)

_MOST_ROWS: Final = 30
_EVERY_MS: Final = 40


class Kind(StrEnum):
    """How a text reaches a person."""

    TEXT = "text"
    TIP = "tool tip"
    SPOKEN = "screen reader"


class ShownText(NamedTuple):
    """A text, its kind, and the object names from the window down to the widget that has it."""

    kind: Kind
    where: str
    text: str


def shown_texts() -> set[ShownText]:
    """Return what all visible windows show now, without what a person typed into a field."""
    tops = [top for top in QApplication.topLevelWidgets() if top.isVisible()]
    widgets = [widget for top in tops for widget in (top, *top.findChildren(QWidget)) if widget.isVisible()]
    return {each for widget in widgets for each in _of_widget(widget) if each.text}


def with_words(texts: Iterable[ShownText], words: Iterable[str], *, allowed: Iterable[str] = ()) -> list[str]:
    """Return those texts that have one of the words, however it is inflected; for a test, as sentences.

    Widgets below one with an object name in `allowed` may have them.
    """
    pattern = re.compile("|".join(rf"\b{re.escape(word)}" for word in words), re.IGNORECASE)
    names = set(allowed)
    return sorted(
        f"{each.kind} of {each.where}: {each.text!r}"
        for each in texts
        if pattern.search(each.text) and names.isdisjoint(each.where.split("/"))
    )


class ScreenReader(QObject):
    """Reads the windows again and again, from its making until `stop`; `seen` is all that was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[ShownText] = set()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.read)
        self._timer.start(_EVERY_MS)

    def read(self) -> None:
        """Add what is shown now."""
        self.seen |= shown_texts()

    def stop(self) -> None:
        """Read once more, and end."""
        self.read()
        self._timer.stop()


def _of_widget(widget: QWidget) -> Iterator[ShownText]:
    where = _where(widget)
    yield ShownText(Kind.TIP, where, widget.toolTip())
    yield ShownText(Kind.SPOKEN, where, widget.accessibleName())
    yield ShownText(Kind.SPOKEN, where, widget.accessibleDescription())
    if widget.isWindow():
        yield ShownText(Kind.TEXT, where, widget.windowTitle())
    for text in _written(widget):
        yield ShownText(Kind.TEXT, where, text)
    for action in widget.actions():
        yield from _of_action(action, where)
    if isinstance(widget, QAbstractItemView):
        yield from _of_rows(widget, where)


def _written(widget: QWidget) -> list[str]:
    match widget:
        case QLabel() | QAbstractButton():
            return [widget.text()]
        case QLineEdit():
            return [widget.placeholderText()]
        case QMessageBox():
            return [widget.text(), widget.informativeText()]
        case QMenu():
            return [widget.title()]
        case _:
            return []


def _of_action(action: QAction, where: str) -> Iterator[ShownText]:
    if action.isVisible():
        yield ShownText(Kind.TEXT, where, action.text())
        yield ShownText(Kind.TIP, where, action.toolTip())


def _of_rows(view: QAbstractItemView, where: str) -> Iterator[ShownText]:
    model: QAbstractItemModel | None = view.model()
    if model is None:
        return
    roles = (
        (Kind.TEXT, Qt.ItemDataRole.DisplayRole),
        (Kind.TIP, Qt.ItemDataRole.ToolTipRole),
        (Kind.SPOKEN, Qt.ItemDataRole.AccessibleTextRole),
    )
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount()  # private in a list
    for row in range(min(model.rowCount(), _MOST_ROWS)):
        for column in range(columns):
            for kind, role in roles:
                yield ShownText(kind, where, str(model.index(row, column).data(role) or ""))


def _where(widget: QWidget) -> str:
    names = []
    above: QWidget | None = widget
    while above is not None:
        names.append(above.objectName() or type(above).__name__)
        above = above.parentWidget()
    return "/".join(reversed(names))
