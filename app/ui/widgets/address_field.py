"""The field for a server's address. It also accepts a link, and then shows the link's address."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from app.domain.hosts import ascii_address, host_of
from app.domain.text import clean_text
from app.errors import AppError

if TYPE_CHECKING:
    from app.services.session_facts import InviteFacts

_AS_CALLED: Final = (
    "The exact name of this server is {host}: the one before had letters that can look like others. Go on "
    "only if you know this name."
)
ReadInvite = Callable[[str], "InviteFacts | None"]


class AddressField(QLineEdit):
    """A field for an address, or for any text with a link in it.

    `invited` carries the InviteFacts of an invite link, `reset_given` those of a link for a new password, and
    `damaged` a sentence about a link that cannot be used, with the QLineEdit in which it was typed or pasted.
    A pasted link is read at once, a typed one when editing has finished. `replaced` is the text that was
    there before the last link. The address of a link for a new password does not replace it: whoever asks for
    the password compares the two.
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
        self._typing = False
        self._settled = ""  # the text before somebody began to type
        self.replaced = ""
        self.textEdited.connect(self._edited)
        self.textChanged.connect(self._changed)
        self.editingFinished.connect(self.take_link)

    def value(self) -> str:
        """Return the typed address; or the invite link, if the text is still the address of the link."""
        typed = clean_text(self.text())
        return self._link if self._link and typed == self._address else typed

    def take_link(self) -> bool:
        """Read the link in this field. Return whether there was one, usable or not.

        An address with letters of other scripts is shown as it is called, and counts as one that is damaged.
        """
        if self.take_text(self.text()) or self._show_as_called():
            return True
        self._settled = self.text()
        return False

    def _show_as_called(self) -> bool:
        typed = clean_text(self.text())
        if typed.isascii():
            return False
        try:
            called = ascii_address(typed if "://" in typed else f"https://{typed}")
        except ValueError:
            return False  # the log-in says what is wrong
        self.setText(called)
        self.damaged.emit(_AS_CALLED.format(host=host_of(called)), self)
        return True

    def take_text(self, text: str, editor: QLineEdit | None = None) -> bool:
        """Read the link in a text of another field. Return whether there was one, as above."""
        try:
            facts = self._read_invite(text)
        except AppError as error:
            self.damaged.emit(error.fields.get("address", error.message), editor or self)
            return True
        if facts is None:
            return False
        self.replaced = self._settled
        if facts.sets_password:
            self.setText(self.replaced or facts.address)
            self.reset_given.emit(facts)
            return True
        self._link, self._address = facts.link, facts.address
        self.setText(facts.address)
        self.invited.emit(facts)
        return True

    def _edited(self, text: str) -> None:
        self._typing = True
        if abs(len(text) - self._length) != 1:  # more than one key press: the text was pasted
            self.take_link()

    def _changed(self, text: str) -> None:
        self._length = len(text)
        if not self._typing:
            self._settled = text
        self._typing = False
