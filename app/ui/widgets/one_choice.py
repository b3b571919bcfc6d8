"""Buttons of which exactly one is checked."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractButton, QButtonGroup


class OneChoice(QButtonGroup):
    """Lets Tab go to the checked button only, also after code has checked another one.

    Qt lets Tab go to the button that had the focus last.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.buttonToggled.connect(lambda _button, _checked: self._follow())

    def add(self, button: QAbstractButton, number: int = -1) -> None:
        """Add a button; `number` becomes its id."""
        self.addButton(button, number)
        button.installEventFilter(self)
        self._set_policies()

    def _follow(self) -> None:
        self._set_policies()
        checked = self.checkedButton()
        if checked is not None and any(each.hasFocus() for each in self.buttons()):
            checked.setFocus(Qt.FocusReason.OtherFocusReason)

    def _set_policies(self) -> None:
        for each in self.buttons():
            by_tab = each.isChecked() or self.checkedButton() is None
            each.setFocusPolicy(Qt.FocusPolicy.StrongFocus if by_tab else Qt.FocusPolicy.ClickFocus)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Undo what Qt does when a button that is not checked gets the focus."""
        if event.type() is QEvent.Type.FocusOut:
            self._set_policies()
        return super().eventFilter(watched, event)
