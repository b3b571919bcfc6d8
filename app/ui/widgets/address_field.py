"""The field for a server's address, which also takes an invite link: it shows the address of the link."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from app.errors import AppError
from app.ui.bounds import LONGEST_LINK

if TYPE_CHECKING:
    from app.services.session_facts import InviteFacts

ReadInvite = Callable[[str], "InviteFacts | None"]


class AddressField(QLineEdit):
    """`invited` carries the InviteFacts of a link that was just put in, `damaged` the sentence about one that
    is no whole link. A pasted link is read at once, a typed one when it is finished."""

    invited = Signal(object)
    damaged = Signal(str)

    def __init__(self, name: str, read_invite: ReadInvite) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setMaxLength(LONGEST_LINK)
        self.setPlaceholderText("books.example.com")
        self.setAcceptDrops(False)
        self._read_invite = read_invite
        self._link = ""
        self._address = ""  # of the link
        self._length = 0
        self.textEdited.connect(self._edited)
        self.textChanged.connect(self._changed)
        self.editingFinished.connect(self.take_link)

    def value(self) -> str:
        """Return where to sign in: the link itself, as long as its address stands here unchanged."""
        typed = self.text().strip()
        return self._link if self._link and typed == self._address else typed

    def take_link(self) -> bool:
        """Read the link that stands here, if one does; say whether that needs the person's attention."""
        text = self.text()
        try:
            facts = self._read_invite(text)
        except AppError as error:
            self.damaged.emit(error.fields.get("address", error.message))
            return True
        if facts is None:
            return False
        self._link, self._address = text, facts.address
        self.setText(facts.address)
        self.invited.emit(facts)
        return True

    def _edited(self, text: str) -> None:
        if abs(len(text) - self._length) != 1:  # not a key pressed: pasted
            self.take_link()

    def _changed(self, text: str) -> None:
        self._length = len(text)
