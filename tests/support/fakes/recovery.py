"""Getting in again, in memory: with the code of the computer's owner, or with a link of the server."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from app.services.accounts import BookSession
from app.services.login import refuse_typed
from app.services.recovery import ResetTarget, check_agreed, check_code, read_reset, save_code, target_of
from server.auth.password_verifier import attempt_on, too_many_attempts
from server.auth.recovery import _NO_CODE, _WRONG_CODE, _WRONG_PASSWORD
from server.contract import checks
from server.contract.passwords import password_forms, prepare_password
from server.contract.recovery_codes import read_code
from server.errors import invalid_field
from server.tokens import password_resets
from tests.support.fakes.accounts import FakeAccounts
from tests.support.fakes.api import app_error
from tests.support.fakes.book import FINGERPRINT, Account, Book, give_code

_OWNER: Final = attempt_on(UUID(int=0), None)


@dataclass(frozen=True, slots=True)
class FakeRecovery:
    """The same sentences as over a server. A link of the server is made with `Book.make_reset`."""

    book: Book
    accounts: FakeAccounts

    def with_code(self, code: str, new: str, remember: bool = False) -> BookSession:
        """Set a new password for the book on this computer."""
        self.book.step("recover")
        check_code(code)
        self._check_new(new)
        self.accounts.need_server()
        own, throttle, now = self.accounts.computer.own, self.accounts.throttle, self.accounts.now()
        if own is None or not own.recovery_code:
            raise app_error(invalid_field("recoveryCode", _NO_CODE))
        if wait := throttle.admit(_OWNER, now):
            raise app_error(too_many_attempts(wait))
        if read_code(code) != own.recovery_code:
            raise app_error(invalid_field("recoveryCode", _WRONG_CODE, self.accounts.wait_detail()))
        throttle.succeeded(_OWNER, now)
        own.password = prepare_password(new)
        self._end_sessions(own)
        return self.accounts.open_account("", own, remember, code=give_code(own))

    def target(self, link: str, address: str) -> ResetTarget:
        """Return where a new password would be sent."""
        return target_of(read_reset(link), address, _is_known)

    def with_link(
        self, link: str, address: str, new: str, remember: bool = False, agreed: str = ""
    ) -> BookSession:
        """Set a new password at the server."""
        found = read_reset(link)
        self._check_new(new)
        where = check_agreed(self.target(link, address), agreed)
        self.book.step("reset")
        self.accounts.need_server(where, typed=True)
        account = self.book.resets.pop(found.code, None)
        if account is None:
            raise app_error(invalid_field("resetCode", password_resets.SPENT))
        account.password = prepare_password(new)
        self._end_sessions(account)
        return self.accounts.open_account(where, account, remember)

    def contact(self, address: str) -> str:
        """Return whom to ask."""
        self.book.step("contact")
        self.accounts.need_server(address, typed=True)
        return self.book.contact

    def replace_code(self, password: str) -> None:
        """Make a new code."""
        self.book.step("replace_code")
        own = self.accounts.signed_in()
        if own.password not in password_forms(password):
            raise app_error(invalid_field("password", _WRONG_PASSWORD))
        self.accounts.new_code = give_code(own)

    def take_code(self) -> str:
        """Return a code once."""
        code, self.accounts.new_code = self.accounts.new_code, ""
        return code

    def save_code(self, code: str, file: Path) -> None:
        """Write a file."""
        self.book.step("save_code")
        save_code(code, file)

    def command(self, user_name: str) -> str:
        """Return a command line."""
        return f"bahi --server user reset --data /home/asha/Bahi/server -- {user_name}"

    def _check_new(self, new: str) -> None:
        refuse_typed(new, "newPassword")
        wrong = checks.check_new_password(prepare_password(new))
        if wrong:
            raise app_error(invalid_field("newPassword", wrong[0].message))

    def _end_sessions(self, account: Account) -> None:
        for family in [f for f, (whose, _) in self.book.sessions.items() if whose is account]:
            del self.book.sessions[family]


def _is_known(address: str, other: str, fingerprint: str) -> bool:
    return address == other and fingerprint == FINGERPRINT
