"""Getting in again after a forgotten password: the recovery code of a local book, an operator's link.

A local book may have a recovery code, which its owner keeps on paper. It is valid once: whoever uses it gets
a new one. Of the code only a hash is stored, with the password, and it goes when the password is removed.
"""

import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID, uuid4

import msgspec

from server.auth import session_store, store
from server.auth.issuer import Issuer, unauthenticated
from server.auth.password_verifier import PasswordVerifier, attempt_on
from server.auth.store import Account, Password, Stamp
from server.config import Config
from server.contract import checks
from server.contract.errors import FieldError
from server.contract.recovery_codes import CODE_BITS, code_hash, code_mistake, make_code, read_code
from server.contract.shapes import (
    Device,
    LocalRecovery,
    PasswordReset,
    RecoveryCode,
    RecoveryCodeRequest,
    SignedIn,
)
from server.db.pool import Pool
from server.errors import InvalidFieldsError, invalid_field
from server.tokens import password_resets
from server.tokens.password_resets import ResetError
from server.tokens.tokens import Identity

_log = logging.getLogger(__name__)
_CONSOLE: Final = UUID(int=0)
_WRONG_CODE: Final = "That is not the recovery code of this book."
_NO_CODE: Final = "This book has no recovery code."
_WRONG_PASSWORD: Final = "Wrong password."  # noqa: S105 - a sentence
_NO_PASSWORD: Final = "Your book has no password, so it needs no recovery code."  # noqa: S105 - a sentence


def new_code() -> tuple[str, str]:
    """Return a new recovery code, as it is shown, and its hash."""
    code = make_code(secrets.randbits(CODE_BITS))
    return code, code_hash(read_code(code))


@dataclass(slots=True)
class RecoveryService:
    """Sets new passwords.

    `sign_in` starts a session of an account on a device; its last argument is the address of the caller.
    """

    config: Config
    pool: Pool
    issuer: Issuer
    verifier: PasswordVerifier
    sign_in: Callable[[Account, Device, str | None], Awaitable[SignedIn]]

    async def replace_code(
        self, identity: Identity, body: RecoveryCodeRequest, host: str | None = None
    ) -> RecoveryCode:
        """Give the book a new recovery code, which makes the one before invalid.

        It needs the password, so that nobody takes a code from a book that was left open. Raises ApiError
        (invalid_fields, too_many_attempts, unauthenticated).
        """
        async with self.pool.connection() as connection:
            ended, _ = await session_store.session_state(connection, identity)
            account = await store.find_by_id(connection, identity.book_id, identity.user_id)
        if ended or account is None:
            raise unauthenticated()
        if not account.password.hash:
            raise invalid_field("password", _NO_PASSWORD)
        attempt = attempt_on(account.user_id, host, identity.device_id)
        forms = (body.password, body.password_as_typed)
        if not await self.verifier.verify(attempt, account.password.hash, *forms):
            raise invalid_field("password", _WRONG_PASSWORD, self.verifier.wait_detail(attempt))
        code, hashed = new_code()
        async with self.pool.connection() as connection:
            device, region = identity.device_id, self.config.region
            if not await store.choose_recovery(connection, account, hashed, device, uuid4(), region):
                raise invalid_field("password", _WRONG_PASSWORD)
        return RecoveryCode(code)

    async def recover(self, body: LocalRecovery, host: str | None = None) -> SignedIn:
        """Set a new password with the recovery code, end all sessions, and log in.

        The answer has a new recovery code. Raises ApiError (invalid_fields, too_many_attempts).
        """
        _check(body.device, body.new_password)
        if mistake := code_mistake(body.recovery_code):
            raise invalid_field("recoveryCode", mistake)
        device_id = UUID(body.device.id)
        async with self.pool.connection() as connection:
            account = await store.only_account(connection, device_id)
        if account is None or not account.password.recovery_hash:
            raise invalid_field("recoveryCode", _NO_CODE)
        attempt = attempt_on(account.user_id, host, device_id)
        self.verifier.admit(attempt)
        given = code_hash(read_code(body.recovery_code))
        if not hmac.compare_digest(given, account.password.recovery_hash):
            raise invalid_field("recoveryCode", _WRONG_CODE, self.verifier.wait_detail(attempt))
        self.verifier.succeeded(attempt)
        code, hashed = new_code()
        opened = await self._choose(account, body.new_password, device_id, 0, hashed)
        if opened is None:
            raise invalid_field("recoveryCode", _WRONG_CODE)
        _log.warning("password set with the recovery code", extra={"user": str(account.user_id)})
        return _with_code(await self.sign_in(opened, body.device, host), code)

    async def reset(self, body: PasswordReset, host: str | None = None) -> SignedIn:
        """Set a new password with an operator's link, end all sessions, and log in.

        Raises ApiError (invalid_fields).
        """
        _check(body.device, body.new_password)
        try:
            found = password_resets.read_reset(self.issuer.keys, body.reset_code, int(self.issuer.clock()))
        except ResetError as error:
            raise invalid_field("resetCode", error.sentence) from error
        async with self.pool.connection() as connection:
            account = await store.find_by_id(connection, found.book_id, found.user_id)
        # A region that does not have the named version of the password yet takes the link too.
        if account is None or account.password.chosen_ver > found.password_ver:
            raise invalid_field("resetCode", password_resets.SPENT)
        opened = await self._choose(account, body.new_password, _CONSOLE, found.password_ver)
        if opened is None:
            raise invalid_field("resetCode", password_resets.SPENT)
        _log.warning("password set with a reset code", extra={"user": str(account.user_id)})
        return await self.sign_in(opened, body.device, host)

    # --- inside ----------------------------------------------------------------------------------

    async def _choose(
        self, account: Account, new: str, device_id: UUID, above: int, recovery_hash: str | None = None
    ) -> Account | None:
        """Set the password with a version higher than `above`, and end all sessions.

        Return the account with it, or None if the password was changed at the same time.
        """
        hashed, now = await self.verifier.passwords.hash(new), self.issuer.clock()
        stamp = Stamp(uuid4(), max(int(now * 1_000_000), above + 1))
        async with self.pool.connection() as connection, connection.transaction():
            chosen = await store.choose_password(
                connection, account, hashed, None, device_id, stamp, self.config.region, recovery_hash
            )
            if chosen is None:
                return None
            ended = await session_store.revoke_others(
                connection, account.book_id, account.user_id, None, "reset", now
            )
        self.issuer.end(ended)
        return replace(account, password=Password(hashed, chosen))


def _with_code(answer: SignedIn, code: str) -> SignedIn:
    return msgspec.structs.replace(answer, recovery_code=code)


def _check(device: Device, new_password: str) -> None:
    errors = checks.check_device(device)
    new = checks.check_new_password(new_password)
    errors += [FieldError("newPassword", error.message) for error in new]
    if errors:
        raise InvalidFieldsError(errors)
