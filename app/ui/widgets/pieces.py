"""The smallest pieces: labels, buttons and frames that carry a role of the style sheet."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QSpacerItem,
    QToolButton,
    QWidget,
)

from app.ui.icons import put_icon


def set_look(widget: QWidget, name: str, value: str) -> None:
    """Set a property that the style sheet selects on, and have the widget drawn by it."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def set_struck(made: QLabel, struck: bool) -> None:
    """Strike a label's text through, or not."""
    set_look(made, "struck", "true" if struck else "")


def label(text: str, role: str, name: str = "", *, wrap: bool = False) -> QLabel:
    """Return a plain-text label in the look of `role`."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    if name:
        made.setObjectName(name)
    return made


def button(text: str, name: str, role: str = "", icon: str = "", tint: str = "text_muted") -> QPushButton:
    """Return a push button; `role` is primary, link, nav, quiet, chip or empty."""
    made = QPushButton(text)
    made.setObjectName(name)
    made.setAccessibleName(text)
    if role:
        made.setProperty("role", role)
    if icon:
        put_icon(made, icon, tint)
    return made


def tool_button(name: str, icon: str, tip: str, *, size: int = 18, tint: str = "text_muted") -> QToolButton:
    """Return a button that shows an icon only; `tip` is its tool tip and accessible name."""
    made = QToolButton()
    made.setObjectName(name)
    made.setToolTip(tip)
    made.setAccessibleName(tip)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    made.setIconSize(QSize(size, size))
    put_icon(made, icon, tint, size=size)
    return made


def word_button(name: str, text: str, tip: str) -> QToolButton:
    """Return a small quiet button of one word."""
    made = QToolButton()
    made.setObjectName(name)
    made.setText(text)
    made.setToolTip(tip)
    made.setAccessibleName(tip)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    made.setProperty("role", "words")
    return made


class HeadRow(QHBoxLayout):
    """The head of a screen: its title, free room, its buttons."""

    def __init__(self, title: QLabel, *buttons: QPushButton) -> None:
        super().__init__()
        self.setSpacing(10)
        self.addWidget(title)
        self._room = QSpacerItem(0, 38, QSizePolicy.Policy.Expanding)
        self.addItem(self._room)
        for each in buttons:
            self.addWidget(each)

    def free_room(self) -> QRect:
        """Return where something may be laid over without hiding anything."""
        return self._room.geometry()


def frame(role: str, layout: QLayout | None = None, name: str = "") -> QFrame:
    """Return a frame in the look of `role` that holds `layout`."""
    made = QFrame()
    made.setProperty("role", role)
    if layout is not None:
        made.setLayout(layout)
    if name:
        made.setObjectName(name)
    return made


class ElidedLabel(QLabel):
    """A label of one line that ends in `…` where there is no room, with the whole text as its tool tip."""

    def __init__(
        self,
        text: str = "",
        role: str = "",
        name: str = "",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._mode = mode
        if role:
            self.setProperty("role", role)
        if name:
            self.setObjectName(name)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw what fits."""
        metrics = self.fontMetrics()
        text = metrics.elidedText(self.text(), self._mode, self.contentsRect().width())
        self.setToolTip(self.text() if text != self.text() else "")
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)
        painter.end()
