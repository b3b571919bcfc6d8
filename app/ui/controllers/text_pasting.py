"""Pasting in a form that takes no bills: a copied file or picture is refused at the field, and not typed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QToolTip, QWidget

from app.ui.controllers.pasting import Pasting
from app.ui.offers import read_offer
from app.ui.widgets.field import Field

if TYPE_CHECKING:
    from app.services import Services

TakeText = Callable[[str, QLineEdit | None], bool]
ONLY_TEXT: Final = "A file or a picture cannot be pasted here. Please paste text."


class TextPasting(Pasting):
    """Reads the clipboard for the text fields that `view` has now.

    `take` gets each text before the field does, and the field; None if no field has the focus. It returns
    whether it has taken the text, so that nothing is typed; for example an invite link, whichever field it is
    pasted into.
    """

    def __init__(
        self, view: QWidget, services: "Services", take: TakeText = lambda _text, _editor: False
    ) -> None:
        super().__init__(view, services, text_first=True)
        self._take = take

    def paste(self, editor: QLineEdit | None = None) -> bool:
        """Offer the text in the clipboard to `take`. Return False if it is for `editor`."""
        data = QGuiApplication.clipboard().mimeData()
        offer = read_offer(data)
        if offer.has_bills and (offer.paths or not offer.text):
            if editor is not None:
                _refuse(editor)
            return True
        # A read-only field takes nothing. Nor does one that is disabled, but it gets no key either.
        if data is None or not data.text() or (editor is not None and editor.isReadOnly()):
            return False
        return self._take(data.text(), editor)


def _refuse(editor: QLineEdit) -> None:
    """Say under the field that it takes only text; or beside it, if there is no place under it."""
    parent = editor.parentWidget()
    while parent is not None and not isinstance(parent, Field):
        parent = parent.parentWidget()
    if isinstance(parent, Field):
        parent.set_error(ONLY_TEXT)
    else:
        QToolTip.showText(editor.mapToGlobal(editor.rect().bottomLeft()), ONLY_TEXT, editor)
