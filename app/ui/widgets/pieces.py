"""Labels, buttons and frames, each with a role that the style sheet selects."""

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
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
    """Set a property that the style sheet selects, and restyle the widget."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    # Qt evaluates the style sheet only when a widget is polished.
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    # Only this event makes buttons and labels forget the size that they needed with the old look.
    QApplication.sendEvent(widget, QEvent(QEvent.Type.StyleChange))


def set_struck(made: QLabel, struck: bool) -> None:
    """Set whether a label's text is struck through."""
    set_look(made, "struck", "true" if struck else "")


def label(text: str, role: str, name: str = "", *, wrap: bool = False) -> QLabel:
    """Return a plain-text label with the role `role`."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)  # a text with `<b>` in it is shown as typed
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    if name:
        made.setObjectName(name)
    return made


def is_enter(event: QKeyEvent) -> bool:
    """Return whether the key is Enter, on the keypad too, without Ctrl, Alt or Shift."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier  # set by Enter on the keypad
    is_key = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
    return is_key and modifiers == Qt.KeyboardModifier.NoModifier


def press_by_key(button: QAbstractButton, event: QKeyEvent) -> bool:
    """Press `button` if the key is Enter. Return whether the key is handled.

    Outside dialogs, Qt presses a button only with Space. A key that is held down presses it once.
    """
    if is_enter(event) and not event.isAutoRepeat():
        button.click()
    return is_enter(event)


class EnterButton(QPushButton):
    """A button that Enter presses, as Space does, when it has the focus."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setAutoDefault(False)  # in a dialog, Enter in a text field would press the first button

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Press the button with Enter."""
        if not press_by_key(self, event):
            super().keyPressEvent(event)


class OneClickButton(EnterButton):
    """A button that acts once for a double click, and once for a key that is held down.

    The first click may have changed what the button is for, for example to the next entry, or may have put
    another button in its place.
    """

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ignore the second click, which would press the button again."""
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ignore a repeated key, which would press the button again."""
        if not event.isAutoRepeat():
            super().keyPressEvent(event)


class EnterToolButton(QToolButton):
    """A button with only an icon, or with a short text, that Enter presses, as Space does."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Press the button with Enter."""
        if not press_by_key(self, event):
            super().keyPressEvent(event)


class OneClickToolButton(EnterToolButton):
    """A button with only an icon that acts once for a double click."""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ignore the second click, which would press the button again."""
        event.accept()


def button(text: str, name: str, role: str = "", icon: str = "", tint: str = "text_muted") -> QPushButton:
    """Return a push button. `role` is primary, link, nav, quiet, chip or ""."""
    made = EnterButton(text) if role == "chip" else OneClickButton(text)  # chips may be toggled quickly
    made.setObjectName(name)
    made.setAccessibleName(text)
    if role:
        made.setProperty("role", role)
    if icon:
        put_icon(made, icon, tint)
    return made


def tool_button(
    name: str, icon: str, tip: str, *, size: int = 18, tint: str = "text_muted", one_click: bool = False
) -> QToolButton:
    """Return a button with only an icon. `tip` is its tool tip and its accessible name.

    `one_click` is for an action that a double click shall do only once.
    """
    made = OneClickToolButton() if one_click else EnterToolButton()
    made.setObjectName(name)
    made.setToolTip(tip)
    made.setAccessibleName(tip)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    made.setIconSize(QSize(size, size))
    put_icon(made, icon, tint, size=size)
    return made


def word_button(name: str, text: str, tip: str) -> QToolButton:
    """Return a small flat button with a short text."""
    made = EnterToolButton()
    made.setObjectName(name)
    made.setText(text)
    made.setToolTip(tip)
    made.setAccessibleName(tip)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    made.setProperty("role", "words")
    return made


class HeadRow(QHBoxLayout):
    """The head of a view: its title, free space, and its buttons."""

    def __init__(self, title: QLabel, *buttons: QPushButton) -> None:
        super().__init__()
        self.setSpacing(10)
        self.addWidget(title)
        self._room = QSpacerItem(0, 38, QSizePolicy.Policy.Expanding)
        self.addItem(self._room)
        for each in buttons:
            self.addWidget(each)

    def free_room(self) -> QRect:
        """Return the free space between title and buttons, where a toast hides nothing."""
        return self._room.geometry()


def frame(role: str, layout: QLayout | None = None, name: str = "") -> QFrame:
    """Return a frame with the role `role` and the layout `layout`."""
    made = QFrame()
    made.setProperty("role", role)
    if layout is not None:
        made.setLayout(layout)
    if name:
        made.setObjectName(name)
    return made


class ElidedLabel(QLabel):
    """A label of one line. A text that is too long is cut with `…`, and the tool tip shows all of it."""

    def __init__(
        self,
        text: str = "",
        role: str = "",
        name: str = "",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        # By its own hint, the label would never be narrower than its text.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._mode = mode
        if role:
            self.setProperty("role", role)
        if name:
            self.setObjectName(name)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the text, cut if necessary."""
        metrics = self.fontMetrics()
        text = metrics.elidedText(self.text(), self._mode, self.contentsRect().width())
        self.setToolTip(self.text() if text != self.text() else "")
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)
        painter.end()
