"""Asks before a dialog closes with what is typed in it."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtWidgets import QLineEdit

from app.ui.widgets.banner import Banner

_LOSES: Final = "What you typed here is lost when this window closes. Press Esc again to close it."


class TypedLoss:
    """Says in `banner` what closing would lose, if one of the `editors` has a text."""

    def __init__(self, banner: Banner, editors: Sequence[QLineEdit]) -> None:
        self._banner = banner
        self._editors = tuple(editors)
        self._told = False
        for each in self._editors:
            each.textEdited.connect(lambda _text: self._typed())

    def may_close(self) -> bool:
        """Return whether the dialog may close: nothing is typed, or the user was told and wants it again."""
        if self._told or not any(each.text() for each in self._editors):
            return True
        self._told = True
        self._banner.say(_LOSES, "warn")
        return False

    def _typed(self) -> None:
        """Ask again for what is typed after the question, and take the question away."""
        if self._told:
            self._told = False
            self._banner.hide()
