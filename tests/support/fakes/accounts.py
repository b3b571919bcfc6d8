"""Signing in, in memory."""

from datetime import timedelta

from app.domain.stream import Stream
from app.domain.sync_events import SessionChange
from app.errors import InputError, SignInError
from app.services.accounts import BookSession, LocalBookFacts, OpenSession
from app.services.session_facts import InviteFacts
from server.contract import join
from tests.support.fakes.book import Book
from tests.support.fakes.shop import BEGAN

DAMAGED_LINK = "This invite link is damaged. Copy the whole link and paste it again."


class FakeAccounts:
    """One book here, one account (`asha`, `correct horse`) on the server."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.changes: Stream[SessionChange] = Stream()
        self.clock = 1_000.0
        """The seconds that the countdown runs by."""
        self.session: BookSession | None = None
        self.local = LocalBookFacts(exists=False, user_name="", has_password=False)
        self.local_password = ""
        self.remembered: BookSession | None = None
        self.store = "keyring"
        self.asked_at = ""
        self.open_sessions = [
            OpenSession("f1", "asha-laptop", BEGAN, BEGAN + timedelta(days=2), True),
            OpenSession("f2", "shop counter", BEGAN - timedelta(days=40), BEGAN - timedelta(days=3), False),
        ]

    def local_book(self) -> LocalBookFacts:
        """Return what is on this computer."""
        self._book.step("local_book")
        return self.local

    def try_now(self) -> None:
        """Note that the person does not want to wait."""
        self._book.step("try_now")

    def connection_clock(self) -> float:
        """Return the seconds that the countdown runs by."""
        return self.clock

    def resume(self) -> BookSession | None:
        """Go on with a remembered session."""
        self._book.step("resume")
        if self.remembered:
            self.session = self.remembered
        return self.remembered

    def sign_in_local(self, user_name: str, password: str, remember: bool = False) -> BookSession:
        """Open the book, or make it."""
        self._book.step("sign_in_local")
        if self.local.has_password and password != self.local_password:
            sentence = "That is not the password of this book."
            raise InputError(sentence, fields={"password": sentence})
        self.local = LocalBookFacts(True, user_name, bool(password))
        self.local_password = password
        return self._begin(user_name, "This computer", remember)

    def sign_in_remote(
        self,
        address: str,
        user_name: str,
        password: str,
        create: bool = False,
        remember: bool = False,
        invite_code: str = "",
    ) -> BookSession:
        """Sign in on the server."""
        self._book.step("create_account" if create else "sign_in_remote")
        self.asked_at = address
        self._book.need_server()
        if " " in address:
            raise InputError("Bad address.", fields={"address": "This is not a server's address."})
        if create and len(password) < 8:
            raise InputError("Too short.", fields={"password": "A password has at least 8 characters."})
        if not create and (user_name, password) != ("asha", "correct horse"):
            raise InputError("Wrong user name or password.")
        return self._begin(user_name, "in-mum-1 · ap-south-1", remember)

    def read_invite(self, text: str) -> InviteFacts | None:
        """Return what an invite link says."""
        if not join.is_link(text):
            return None
        link = join.read_link(text)
        if link is None:
            raise InputError("Damaged.", fields={"address": DAMAGED_LINK})
        return InviteFacts(link.address, link.code)

    def _begin(self, user_name: str, label: str, remember: bool) -> BookSession:
        self.session = BookSession(user_name, "book-1", "0K7", "in-mum-1", "ap-south-1", label)
        self.remembered = self.session if remember else None
        return self.session

    def sign_in_again(self, password: str) -> BookSession:
        """Sign in as the same user; the password is `correct horse`."""
        self._book.step("sign_in_again")
        if password != "correct horse":
            sentence = "Wrong password."
            raise SignInError(sentence, fields={"password": sentence})
        self._book.signed_out = False
        assert self.session is not None
        return self.session

    def sessions(self) -> list[OpenSession]:
        """Return where the user is signed in."""
        self._book.step("sessions")
        self._book.need_server()
        return list(self.open_sessions)

    def end_session(self, family: str) -> None:
        """End one."""
        self._book.step("end_session")
        self.open_sessions = [each for each in self.open_sessions if each.family != family]

    def change_password(self, old: str, new: str) -> int:
        """Change it; the old one is `correct horse`."""
        self._book.step("change_password")
        if old != "correct horse":
            raise InputError("No.", fields={"oldPassword": "Wrong password."})
        if len(new) < 8:
            raise InputError("No.", fields={"newPassword": "A password has at least 8 characters."})
        ended = len(self.open_sessions) - 1
        self.open_sessions = [each for each in self.open_sessions if each.this_one]
        return ended

    def remembers(self) -> str:
        """Say where a session would be kept."""
        return self.store

    def sign_out(self) -> None:
        """Forget the session."""
        self._book.step("sign_out")
        self.session = self.remembered = None

    def is_online(self) -> bool:
        """Say whether a server answers."""
        return not self._book.offline
