"""Registering and logging in."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID, uuid4

import msgspec

from server.auth import session_store, store
from server.auth.issuer import Issuer
from server.auth.local_throttle import LocalThrottle
from server.auth.names import check_name, check_new_name, guess_key, name_key, sign_in_keys, tidy_name
from server.auth.password_verifier import PasswordVerifier, attempt_at_name, attempt_on
from server.auth.recovery import RecoveryService, new_code
from server.auth.sessions import SessionService
from server.auth.store import Account, Claim, Password, Stamp
from server.auth.throttle import Attempt, Throttle
from server.config import Config
from server.contract import checks
from server.contract.cluster import is_loopback
from server.contract.errors import ErrorCode, FieldError
from server.contract.instants import instant
from server.contract.shapes import (
    Credentials,
    Device,
    LocalBook,
    LocalSignIn,
    Registration,
    SignedIn,
)
from server.db.pool import Pool
from server.errors import ApiError, InvalidFieldsError
from server.pinning.placement import Placement
from server.tokens import invites
from server.tokens.invites import InviteError
from server.tokens.tokens import ACCESS_SECONDS, Identity

_WRONG: Final = "Wrong user name or password."
_WRONG_LOCAL: Final = "Wrong password."
_CLOSED: Final = "Registration is closed on this server; ask its operator for an account."
_TAKEN: Final = "This user name is already taken."


@dataclass(slots=True)
class AuthService:
    """Registers users and logs them in. `clock` returns seconds since 1970.

    The argument `host` of the methods is the address of the caller.
    """

    config: Config
    pool: Pool
    issuer: Issuer
    placement: Placement
    clock: Callable[[], float]
    verifier: PasswordVerifier = field(init=False)
    sessions: SessionService = field(init=False)
    recovery: RecoveryService = field(init=False)
    _creating: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        throttle = LocalThrottle() if self.config.local else Throttle(self._servers())
        self.verifier = PasswordVerifier(throttle, self.clock)
        self.sessions = SessionService(self.config, self.pool, self.issuer, self.verifier, self.placement)
        self.recovery = RecoveryService(self.config, self.pool, self.issuer, self.verifier, self._signed_in)

    def roster_changed(self) -> None:
        """Verify tokens with the keys of the new roster, and divide the limits by its number of servers."""
        self.issuer.clear_cache()
        self.verifier.throttle.share_by(self._servers())

    def caller(self, token: str) -> Identity:
        """Return the caller. Raises ApiError (unauthenticated, wrong_server)."""
        return self.issuer.caller(token)

    async def register(self, body: Registration, host: str | None = None) -> SignedIn:
        """Create an account and its book.

        Raises ApiError (registration_closed, invite_refused, invalid_fields, user_name_taken).
        """
        invite = self._may_register(body.invite_code)
        _refuse(check_new_name(body.user_name) or checks.check_registration(body))
        account = await self._create(body.user_name, body.password, body.device, invite)
        return await self._signed_in(account, body.device, host)

    async def login(self, body: Credentials, host: str | None = None) -> SignedIn:
        """Log in with name and password. Raises ApiError (wrong_credentials, too_many_attempts)."""
        _refuse(checks.check_device(body.device))
        account = await self._find(body.user_name, UUID(body.device.id))
        attempt = _attempt(account, body, host)
        account = await self._open(account, attempt, _WRONG, body.password)
        return await self._signed_in(await self._rehashed(account, body), body.device, host)

    async def local_book(self) -> LocalBook:
        """Return what is known of the book on this computer. Raises ApiError (not_found)."""
        self.require_local()
        account = await self._only_account()
        if account is None:
            return LocalBook(exists=False)
        password = account.password
        return LocalBook(True, account.user_name, bool(password.hash), bool(password.recovery_hash))

    async def local_sign_in(self, body: LocalSignIn, host: str | None = None) -> SignedIn:
        """Log in to the book on this computer; create the book if there is none.

        Raises ApiError (not_found, invalid_fields, wrong_credentials, too_many_attempts).
        """
        # A book without a password needs none: the middleware lets only the program that started this
        # server call it.
        self.require_local()
        _refuse(checks.check_device(body.device))
        async with self._creating:  # two first log-ins at once must not create two books
            account = await self._only_account(UUID(body.device.id))
            if account is None:
                return await self._create_local(body)
        if account.password.hash:
            attempt = _attempt(account, body, host)
            forms = (body.password, body.password_as_typed)
            account = await self._open(account, attempt, _WRONG_LOCAL, *forms)
        return await self._signed_in(account, body.device, host)

    def require_local(self) -> None:
        """Raise ApiError (not_found) unless this server serves a local book."""
        if not self.config.local:
            raise ApiError(ErrorCode.NOT_FOUND, "This server does not serve a local book.")

    # --- inside ----------------------------------------------------------------------------------

    def _servers(self) -> int:
        return len(self.placement.membership.roster.servers) if self.config.roster else self.config.servers

    def _may_register(self, code: str) -> UUID | None:
        """Return the id of the invitation in `code`, or None if this server needs none. Raises ApiError."""
        if self.config.local or self.config.registration == "closed":
            raise ApiError(ErrorCode.REGISTRATION_CLOSED, _CLOSED)
        if self.config.registration == "open":
            return None
        try:
            return invites.read_invite(self.issuer.keys, code, int(self.clock())).jti
        except InviteError as error:
            raise _invite_refused(error.reason, error.sentence) from error

    async def _only_account(self, device_id: UUID | None = None) -> Account | None:
        async with self.pool.connection() as connection:
            return await store.only_account(connection, *([device_id] if device_id else []))

    async def _create_local(self, body: LocalSignIn) -> SignedIn:
        _refuse(check_name(body.user_name))
        code, hashed = "", ""
        if body.password:
            _refuse(checks.check_new_password(body.password))
            code, hashed = new_code()
        account = await self._create(body.user_name, body.password, body.device, None, hashed)
        return msgspec.structs.replace(await self._signed_in(account, body.device), recovery_code=code)

    async def _find(self, user_name: str, device_id: UUID) -> Account | None:
        # sign_in_keys() drops what nobody can have as a name: PostgreSQL would refuse some of it, like NUL.
        async with self.pool.connection() as connection:
            return await store.find_by_name(connection, sign_in_keys(user_name), device_id)

    async def _open(self, account: Account | None, attempt: Attempt, wrong: str, *forms: str) -> Account:
        opened = await self.verifier.verify(attempt, account.password.hash if account else None, *forms)
        if account is None or not opened:
            raise ApiError(ErrorCode.WRONG_CREDENTIALS, wrong, self.verifier.wait_detail(attempt))
        return account

    async def _create(
        self, user_name: str, password: str, device: Device, invite: UUID | None, recovery_hash: str = ""
    ) -> Account:
        stamp, chosen = self._stamp(), Password()
        if password:
            hashed = await self.verifier.passwords.hash(password)
            chosen = Password(hashed, stamp.ver, recovery_hash=recovery_hash)
        account = Account(uuid4(), uuid4(), user_name, chosen)
        key, device_id = name_key(user_name), UUID(device.id)
        async with self.pool.connection() as connection:
            outcome = await store.create_account(
                connection, account, key, device_id, stamp, self.config.region, invite
            )
        if outcome == "invite_spent":
            raise _invite_refused("spent", invites.SPENT)
        if outcome == "name_taken":
            raise ApiError(ErrorCode.USER_NAME_TAKEN, _TAKEN)
        return account

    async def _rehashed(self, account: Account, body: Credentials) -> Account:
        # Only at a login the password is known, so only here its hash can be replaced by a stronger one.
        if not self.verifier.passwords.needs_rehash(account.password.hash):
            return account
        hashed = await self.verifier.passwords.hash(body.password)
        async with self.pool.connection() as connection:
            await store.rehash(connection, account, hashed, UUID(body.device.id), uuid4(), self.config.region)
        return replace(account, password=replace(account.password, hash=hashed))

    async def _signed_in(self, account: Account, device: Device, host: str | None = None) -> SignedIn:
        identity = Identity(account.user_id, account.book_id, UUID(device.id), uuid4())
        claim = Claim(
            identity.device_id, tidy_name(device.name), _secret_hash(device.secret) if device.secret else ""
        )
        letter, region = self.config.region_letter, self.config.region
        primary = self.placement.primary(self.placement.at_login())
        async with self.pool.connection() as connection:
            prefix = await store.enroll_device(connection, account, claim, letter, self._stamp(), region)
            await session_store.start_session(
                connection, account, identity, self._stamp(), region, _address(host)
            )
            counter = await store.last_counter(connection, account.book_id, prefix)
        return SignedIn(
            access_token=self.issuer.access(identity, primary.server_id, 0),
            expires_in=ACCESS_SECONDS,
            refresh_token=self.issuer.first_refresh(identity, primary.server_id, account.password.chosen_ver),
            primary=primary,
            user_name=account.user_name,
            book_id=str(account.book_id),
            code_prefix=prefix,
            last_counter=counter,
            server_time=instant(self.clock()),
            roster_version=self.placement.roster_version,
            name_taken=account.name_taken,
        )

    def _stamp(self) -> Stamp:
        return Stamp(uuid4(), int(self.clock() * 1_000_000))


def _attempt(account: Account | None, body: Credentials | LocalSignIn, host: str | None) -> Attempt:
    """Return the attempt. The device is known if it has the secret of an earlier log-in to this account."""
    # Normalise and compare for every name, so that the time does not show which names exist.
    key, device = guess_key(body.user_name), body.device
    stored = account.device_hash if account else ""
    known = hmac.compare_digest(_secret_hash(device.secret), stored or "-" * 64) and bool(device.secret)
    if account is None:
        return attempt_at_name(key, host)
    return attempt_on(account.user_id, host, UUID(device.id) if known else None)


def _address(host: str | None) -> str:
    """Return the address as the list of sessions shows it: nothing for a program on the server's computer."""
    return "" if host is None or is_loopback(host) else host


def _secret_hash(secret: str) -> str:
    # The secret is as random as a key, so it needs no slow password hash.
    return hashlib.sha256(secret.encode()).hexdigest()


def _invite_refused(reason: str, sentence: str) -> ApiError:
    fields = [{"field": "inviteCode", "message": sentence}]
    return ApiError(ErrorCode.INVITE_REFUSED, sentence, {"reason": reason, "fields": fields})


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise InvalidFieldsError(errors)
