"""Pasting in a view: files and pictures are attached from any field, and text is pasted as ever."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QWidget

from app.ui.offers import NOTHING_COPIED, Bills, Offer, read_offer, take_bills

if TYPE_CHECKING:
    from app.services import Services

PASTE_KEYS: Final = ("Ctrl+V", "Shift+Ins")


class _Paste(Enum):
    TEXT = auto()
    BILLS = auto()
    CHOICE = auto()
    REFUSAL = auto()


@dataclass(frozen=True, slots=True)
class PasteChoice:
    """A text and a picture that were copied together, and the field that had the focus."""

    editor: QLineEdit
    text: str
    bills: Bills

    def paste_text(self) -> None:
        """Insert the text in the field."""
        self.editor.insert(self.text)


class Pasting(QObject):
    """Reads the clipboard for `view`.

    `pasted` carries the Bills, `refused` a sentence, and `choice_wanted` the PasteChoice if there are a text
    and a picture while the focus is in a text field. With `text_first`, such a field takes the text.
    """

    pasted = Signal(object)
    refused = Signal(str)
    choice_wanted = Signal(object)

    def __init__(self, view: QWidget, services: "Services", *, text_first: bool = False) -> None:
        super().__init__(view)
        self._services = services
        self._text_first = text_first
        for editor in view.findChildren(QLineEdit):
            editor.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle the paste keys and the context menu of a text field."""
        if isinstance(watched, QLineEdit):
            if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and _is_paste(event):
                return self.paste(watched)
            if isinstance(event, QContextMenuEvent):
                self._show_menu(watched, event)
                return True
        return super().eventFilter(watched, event)

    def paste(self, editor: QLineEdit | None = None) -> bool:
        """Attach what is in the clipboard. Return False if it is text for `editor`, which has the focus."""
        data = QGuiApplication.clipboard().mimeData()
        offer = read_offer(data)
        what = _decided(offer, in_text=editor is not None, text_first=self._text_first)
        if what is _Paste.TEXT:
            return False
        if what is _Paste.REFUSAL:
            self.refused.emit(NOTHING_COPIED if offer.empty or offer.text else offer.refusal())
            return True
        bills = take_bills(self._services, data, offer)
        if what is _Paste.CHOICE and editor is not None and not bills.empty and (text := _text(data)):
            self.choice_wanted.emit(PasteChoice(editor, text, bills))
        elif bills.empty:
            self.refused.emit("\n".join(bills.refusals))
        else:
            self.pasted.emit(bills)
        return True

    def _show_menu(self, editor: QLineEdit, event: QContextMenuEvent) -> None:
        """Show the menu of the field, in which Paste does what the keys do."""
        menu = editor.createStandardContextMenu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        theirs = menu.findChild(QAction, "edit-paste")
        if theirs is not None:
            ours = QAction(theirs.icon(), theirs.text(), menu)
            ours.setObjectName("paste_action")
            offer = read_offer(QGuiApplication.clipboard().mimeData())
            ours.setEnabled(theirs.isEnabled() or offer.has_bills)
            ours.triggered.connect(lambda: self._paste_from_menu(editor))
            menu.insertAction(theirs, ours)
            theirs.setVisible(False)
        menu.popup(event.globalPos())

    def _paste_from_menu(self, editor: QLineEdit) -> None:
        if not self.paste(editor):
            editor.paste()


def _decided(offer: Offer, *, in_text: bool, text_first: bool) -> _Paste:
    if offer.paths:
        return _Paste.BILLS
    if offer.picture:
        if not (in_text and offer.text):
            return _Paste.BILLS
        return _Paste.TEXT if text_first else _Paste.CHOICE
    # The address of a web page is text, also if the browser copies it as an address.
    return _Paste.TEXT if in_text and offer.only_web_text else _Paste.REFUSAL


def _text(data: QMimeData | None) -> str:
    return data.text() if data is not None and data.text().strip() else ""


def _is_paste(event: QKeyEvent) -> bool:
    pressed = QKeySequence(event.keyCombination())
    return event.matches(QKeySequence.StandardKey.Paste) or pressed in map(QKeySequence, PASTE_KEYS)
