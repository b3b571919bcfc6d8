"""Signing in, in memory: the checks and sentences are those of the program and of the server."""

import math
import time
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from app.domain.stream import Stream
from app.domain.sync_events import SessionChange
from app.domain.text import clean_text
from app.domain.wording import Words, words_of
from app.errors import InputError, OfflineError, SignInError
from app.remote.auth import signed_out
from app.remote.cluster import _NOT_OF_THE_LINK
from app.remote.critical import CriticalTasks
from app.remote.trouble import ConnectionTrouble, sentence_of
from app.services.accounts import _WRONG_PASSWORD, BookSession, LocalBookFacts, OpenSession
from app.services.login import (
    LoginRequest,
    at_address,
    first_accepted,
    missing,
    read_invite,
    read_request,
    refuse_typed,
)
from app.services.session_facts import BookFacts, InviteFacts, facts_of
from app.services.this_computer import this_device
from app.store.outbox import Outbox
from app.store.settings import Settings
from server.auth.local_throttle import LocalThrottle
from server.auth.names import check_name, check_new_name, guess_key, name_key
from server.auth.password_verifier import attempt_at_name, attempt_on, too_many_attempts
from server.auth.service import _CLOSED, _TAKEN, _WRONG, _WRONG_LOCAL, _invite_refused
from server.auth.sessions import _WRONG_OLD
from server.contract import checks
from server.contract.errors import ErrorCode, FieldError
from server.contract.passwords import password_forms, prepare_password
from server.errors import ApiError, InvalidFieldsError, not_found
from server.tokens import invites
from tests.support.fakes.api import Caller, FakeApi, app_error
from tests.support.fakes.book import FINGERPRINT, SERVER_ID, Account, Book, give_code
from tests.support.fakes.shop import HOME

AT_SERVER: Final = f"{SERVER_ID} · {HOME}"
_NOW: Final = 0.0
"""No time passes for who tried too many passwords."""
_OWNER: Final = attempt_on(UUID(int=0), None)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A session that goes on at the next start; `address` is "" for the book of this computer."""

    session: BookSession
    address: str
    account: Account
    family: str


@dataclass
class Computer:
    """What outlasts the program: whose book is on the computer, and what its key store remembers."""

    own: Account | None = None
    remembered: Remembered | None = None
    store: str = "keyring"


@dataclass(frozen=True, slots=True)
class FakeRunner:
    """A session that is pinned to one server for good."""

    epoch: int = 1
    tasks: CriticalTasks = field(default_factory=CriticalTasks)


@dataclass(frozen=True, slots=True)
class FakeRemote:
    """The network."""

    api: FakeApi
    runner: FakeRunner = field(default_factory=FakeRunner)


class FakeAccounts:
    """One book, whoever opens it: `asha` with `correct horse` at the server, or the owner of the computer."""

    regions = 1
    offset_us = 0

    def __init__(self, book: Book, settings: Settings, outbox: Outbox, computer: Computer) -> None:
        self._book = book
        self._settings = settings
        self._outbox = outbox
        self._account: Account | None = None
        self._address = self._family = ""
        self.computer = computer
        self.changes: Stream[SessionChange] = Stream()
        self.clock = 1_000.0
        """The seconds that the countdown runs by."""
        self.session: BookSession | None = None
        self.asked_at = self.new_code = ""
        self.throttle = LocalThrottle()
        self.remote = FakeRemote(FakeApi(book, self._caller, lambda: self.words))

    # --- signing in ------------------------------------------------------------------------------

    def local_book(self) -> LocalBookFacts:
        """Return what is on this computer."""
        self._book.step("local_book")
        self.need_server()
        own = self.computer.own
        if own is None:
            return LocalBookFacts(False, "", False)
        return LocalBookFacts(True, own.user_name, bool(own.password), bool(own.recovery_code))

    def sign_in_local(self, user_name: str, password: str, remember: bool = False) -> BookSession:
        """Open the book, or make it."""
        self._book.step("sign_in_local")
        self.need_server()
        own, code = self.computer.own, ""
        if own is None:
            refuse_typed(password)
            try:
                own = self.computer.own = _own_account(clean_text(user_name), prepare_password(password))
            except ApiError as error:
                raise app_error(error) from error
            code = give_code(own) if password else ""
        elif own.password:
            self._verify_own(own, password)
        return self.open_account("", own, remember, code=code)

    def sign_in_remote(
        self,
        address: str,
        user_name: str,
        password: str,
        create: bool = False,
        remember: bool = False,
        invite_code: str = "",
    ) -> BookSession:
        """Sign in at the server, or make an account there first."""
        self._book.step("create_account" if create else "sign_in_remote")
        self.asked_at = address
        bare, account = self.log_in(LoginRequest(address, user_name, password, create, invite_code))
        return self.open_account(bare, account, remember)

    def log_in(self, request: LoginRequest) -> tuple[str, Account]:
        """Return the bare address and the account of a request. Raises AppError."""
        read, fingerprint = read_request(request)
        self.need_server(read.address, typed=True)
        if fingerprint not in {"", FINGERPRINT}:
            raise InputError(_NOT_OF_THE_LINK, fields={"address": _NOT_OF_THE_LINK})
        if not read.create:
            return read.address, first_accepted(read.forms(), lambda form: self._known(*form))
        try:
            return read.address, self._registered(read)
        except ApiError as error:
            raise app_error(error) from error

    def read_invite(self, text: str) -> InviteFacts | None:
        """Return what an invite link says."""
        return read_invite(text)

    def resume(self) -> BookSession | None:
        """Go on with a remembered session."""
        self._book.step("resume")
        known = self.computer.remembered
        if known is None or known.family not in self._book.sessions:
            self.computer.remembered = None
            return None
        self._address, self._account, self._family = known.address, known.account, known.family
        self.session = known.session
        return self.session

    def sign_in_again(self, password: str) -> BookSession:
        """Sign in as the same user."""
        self._book.step("sign_in_again")
        session, account = self.require_session(), self._account
        assert account is not None
        if self._address and not password:
            raise missing("password", "Please enter your password.")
        self.need_server(self._address)
        try:
            if account.password and self._address:
                self._verify_forms(account, password)
            elif account.password:
                self._verify_own(account, password)
        except SignInError as error:
            if error.code != ErrorCode.WRONG_CREDENTIALS:
                raise
            fields = {"password": _WRONG_PASSWORD}
            raise SignInError(_WRONG_PASSWORD, fields=fields, code=error.code, detail=error.detail) from error
        return self.open_account(
            self._address, account, remember=self.computer.remembered is not None, as_=session
        )

    def sign_out(self) -> None:
        """Forget the session."""
        self._book.step("sign_out")
        if not self._book.offline:
            self._book.sessions.pop(self._family, None)
        self.session = self.computer.remembered = None

    def remembers(self) -> str:
        """Return where a session would be kept."""
        return self.computer.store

    # --- the account -----------------------------------------------------------------------------

    def sessions(self) -> list[OpenSession]:
        """Return where the user is signed in, the newest first."""
        self._book.step("sessions")
        account = self.signed_in()
        mine = [session for whose, session in self._book.sessions.values() if whose is account]
        return [replace(each, this_one=each.family == self._family) for each in reversed(mine)]

    def end_session(self, family: str) -> None:
        """End one."""
        self._book.step("end_session")
        self.signed_in()
        if self._book.sessions.pop(family, None) is None:
            raise app_error(not_found("session"))

    def end_other_sessions(self) -> int:
        """End all but this one."""
        others = [each.family for each in self.sessions() if not each.this_one]
        for family in others:
            self.end_session(family)
        return len(others)

    def change_password(self, old: str, new: str) -> int:
        """Change it; return how many other sessions that ended."""
        self._book.step("change_password")
        account = self.signed_in()
        refuse_typed(new, "newPassword")
        prepared = prepare_password(new)
        wrong = checks.check_new_password(prepared) if new or self._address else []
        errors = [FieldError("newPassword", error.message) for error in wrong]
        if not errors and account.password and account.password not in password_forms(old):
            errors = [FieldError("oldPassword", _WRONG_OLD)]
        if errors:
            raise app_error(InvalidFieldsError(errors))
        account.password = prepared
        if not self._address and not new:
            account.recovery_code = ""
        self.new_code = "" if self._address or not new or account.recovery_code else give_code(account)
        others = [each.family for each in self.sessions() if not each.this_one]
        for family in others:
            del self._book.sessions[family]
        return len(others)

    # --- the server ------------------------------------------------------------------------------

    def is_online(self) -> bool:
        """Return whether the server can take a save now."""
        return self._caller() is not None and not self._book.offline

    @property
    def words(self) -> Words:
        """The words for the place of the open book."""
        return words_of(is_local=not self.is_remote)

    def book_facts(self) -> BookFacts:
        """Return the facts about the open book. Raises SignInError if none is open."""
        return facts_of(self._address, self.require_session(), self._settings.folder)

    @property
    def is_remote(self) -> bool:
        """Whether the open book is at a server."""
        return bool(self._address)

    def require_session(self) -> BookSession:
        """Return the session. Raises SignInError."""
        if self.session is None:
            raise signed_out()
        return self.session

    def try_now(self) -> None:
        """Note that the person does not want to wait."""
        self._book.step("try_now")

    def connection_clock(self) -> float:
        """Return the seconds that the countdown runs by."""
        return self.clock

    def move_to(self, address: str, account: Account, book_id: str) -> BookSession:
        """Go on at a server with a book that was moved there, remembered as the one before was."""
        remember = self.computer.remembered is not None
        return self.open_account(address, account, remember=remember, book_id=book_id)

    # --- inside ----------------------------------------------------------------------------------

    def need_server(self, address: str = "", *, typed: bool = False) -> None:
        if not self._book.offline:
            return
        if not address:
            raise OfflineError(self.words.unreachable)
        error = OfflineError(sentence_of(ConnectionTrouble.REFUSED, address), code=ConnectionTrouble.REFUSED)
        raise at_address(error) if typed else error

    def _caller(self) -> Caller | None:
        known = self._book.sessions.get(self._family)
        if self.session is None or known is None:
            return None
        account, open_session = known
        return account.user_name, open_session.device_name

    def signed_in(self) -> Account:
        """Return who is signed in, if the server answers. Raises AppError."""
        if self._caller() is None:
            raise signed_out()
        self.need_server()
        assert self._account is not None
        return self._account

    def _known(self, user_name: str, password: str) -> Account:
        account = self._book.accounts.get(name_key(user_name))
        self._verify(account, user_name, password)
        assert account is not None
        return account

    def _verify_own(self, own: Account, password: str) -> None:
        """Compare a password with that of the owner of this computer. Raises AppError."""
        if wait := self.throttle.admit(_OWNER, self.now()):
            raise app_error(too_many_attempts(wait))
        if own.password not in password_forms(password):
            raise app_error(ApiError(ErrorCode.WRONG_CREDENTIALS, _WRONG_LOCAL, self.wait_detail()))
        self.throttle.succeeded(_OWNER, self.now())

    def wait_detail(self) -> dict[str, object]:
        """Return how long the next attempt on the book of this computer must wait."""
        wait = math.ceil(self.throttle.wait(_OWNER, self.now()))
        return {"retryAfter": wait} if wait else {}

    def now(self) -> float:
        """Return the seconds that a wrong password costs by."""
        return time.monotonic()

    def _verify_forms(self, account: Account, password: str) -> None:
        first_accepted(password_forms(password), lambda form: self._verify(account, account.user_name, form))

    def _registered(self, request: LoginRequest) -> Account:
        invite = self._invite(request.invite_code)
        errors = check_new_name(request.user_name) or checks.check_new_password(request.password)
        if errors:
            raise InvalidFieldsError(errors)
        if invite in self._book.spent:
            raise _invite_refused("spent", invites.SPENT)
        if name_key(request.user_name) in self._book.accounts:
            raise ApiError(ErrorCode.USER_NAME_TAKEN, _TAKEN)
        self._book.spent.add(invite)
        return self._book.add_account(request.user_name, request.password)

    def _invite(self, code: str) -> str:
        """Return the invitation to be spent. Raises ApiError."""
        if self._book.registration == "closed":
            raise ApiError(ErrorCode.REGISTRATION_CLOSED, _CLOSED)
        if self._book.registration == "open":
            return f"none needed {len(self._book.accounts)}"
        if not code:
            raise _invite_refused("missing", invites.MISSING)
        if code not in self._book.invites:
            raise _invite_refused("wrong", invites.WRONG)
        return code

    def _verify(self, account: Account | None, name: str, password: str) -> None:
        """Compare a password with that of an account. Raises AppError."""
        device = self._settings.device_id()
        known = UUID(device) if account and device in account.devices else None
        attempt = (
            attempt_on(account.user_id, None, known) if account else attempt_at_name(guess_key(name), None)
        )
        if wait := self._book.throttle.admit(attempt, _NOW):
            raise app_error(too_many_attempts(wait))
        if account is None or password != account.password:
            raise app_error(ApiError(ErrorCode.WRONG_CREDENTIALS, _WRONG))
        self._book.throttle.succeeded(attempt, _NOW)

    def open_account(
        self,
        address: str,
        account: Account,
        remember: bool,
        as_: BookSession | None = None,
        book_id: str = "book-1",
        code: str = "",
    ) -> BookSession:
        """Open a session of an account; `code` is a new recovery code."""
        self.new_code = code
        device = self._settings.device_id()
        account.devices.add(device)
        prefix = self._book.prefix_of(device)
        server, region = (SERVER_ID, HOME) if address else ("local", "local")
        label = AT_SERVER if address else "This computer"
        made = as_ or BookSession(account.user_name, book_id, prefix, server, region, label)
        self._outbox.raise_counter(made.book_id, prefix, self._book.last_counter(prefix))
        self._family = self._book.begin_session(account, this_device())
        self._address, self._account, self.session = address, account, made
        is_kept = remember and self.computer.store == "keyring"
        self.computer.remembered = Remembered(made, address, account, self._family) if is_kept else None
        return made


def _own_account(user_name: str, password: str) -> Account:
    """Return the account of a computer's owner. Raises ApiError."""
    errors = check_name(user_name) or (checks.check_new_password(password) if password else [])
    if errors:
        raise InvalidFieldsError(errors)
    return Account(user_name, password)
