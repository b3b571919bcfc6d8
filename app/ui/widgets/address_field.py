"""The field for a server's address. It also accepts a link, and then shows the link's address."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from app.domain.text import clean_text
from app.errors import AppError

if TYPE_CHECKING:
    from app.services.session_facts import InviteFacts

ReadInvite = Callable[[str], "InviteFacts | None"]


class AddressField(QLineEdit):
    """A field for an address, or for any text with a link in it.

    `invited` carries the InviteFacts of an invite link, `reset_given` those of a link for a new password, and
    `damaged` a sentence about a link that cannot be used, with the QLineEdit in which it was typed or pasted.
    A pasted link is read at once, a typed one when editing has finished.
    """

    invited = Signal(object)
    reset_given = Signal(object)
    damaged = Signal(str, object)

    def __init__(self, name: str, read_invite: ReadInvite) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setPlaceholderText("books.example.com")
        self.setAcceptDrops(False)  # otherwise it would take the path of a dropped file as text
        self._read_invite = read_invite
        self._link = ""
        self._address = ""  # of the link
        self._length = 0
        self.textEdited.connect(self._edited)
        self.textChanged.connect(self._changed)
        self.editingFinished.connect(self.take_link)

    def value(self) -> str:
        """Return the typed address; or the invite link, if the text is still the address of the link."""
        typed = clean_text(self.text())
        return self._link if self._link and typed == self._address else typed

    def take_link(self) -> bool:
        """Read the link in this field. Return whether there was one, usable or not."""
        return self.take_text(self.text())

    def take_text(self, text: str, editor: QLineEdit | None = None) -> bool:
        """Read the link in a text of another field. Return whether there was one, as above."""
        try:
            facts = self._read_invite(text)
        except AppError as error:
            self.damaged.emit(error.fields.get("address", error.message), editor or self)
            return True
        if facts is None:
            return False
        self._link, self._address = "" if facts.sets_password else facts.link, facts.address
        self.setText(facts.address)
        (self.reset_given if facts.sets_password else self.invited).emit(facts)
        return True

    def _edited(self, text: str) -> None:
        if abs(len(text) - self._length) != 1:  # more than one key press: the text was pasted
            self.take_link()

    def _changed(self, text: str) -> None:
        self._length = len(text)
