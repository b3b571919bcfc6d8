"""Signing in, registering, and the rotation of refresh tokens."""

import hashlib
import logging
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from server.auth import store, tokens
from server.auth.passwords import Passwords
from server.auth.store import Account, Stamp
from server.auth.tokens import Identity, RefreshToken, Signer, TokenError
from server.config import Config
from server.contract import checks, limits
from server.contract.errors import ErrorCode, FieldError
from server.contract.shapes import (
    Credentials,
    Device,
    LocalBook,
    LocalSignIn,
    Primary,
    Refreshed,
    RefreshRequest,
    SignedIn,
)
from server.db.pool import Pool
from server.errors import InvalidFieldsError, ServerError

_log = logging.getLogger(__name__)
_CACHED_TOKENS: Final = 4_096
_WRONG: Final = "The user name or the password is not right."


def name_key(name: str) -> str:
    """Return what two spellings of one name have in common (NFKC, caseless)."""
    return unicodedata.normalize("NFKC", name).casefold()


@dataclass(slots=True)
class AuthService:
    """`clock` gives seconds since 1970; `public_url` is known once the server listens."""

    config: Config
    pool: Pool
    signer: Signer
    clock: Callable[[], float]
    public_url: str = ""
    passwords: Passwords = field(default_factory=Passwords)
    _verified: dict[str, tuple[Identity, float]] = field(default_factory=dict)

    # --- signing in ------------------------------------------------------------------------------

    async def register(self, body: Credentials) -> SignedIn:
        """Make an account and its book. Raises ServerError (registration_closed, user_name_taken)."""
        if self.config.local or self.config.registration != "open":
            raise ServerError(
                ErrorCode.REGISTRATION_CLOSED,
                "This server does not take new accounts; ask who runs it for one.",
            )
        _refuse(checks.check_registration(body))
        account = await self._create(body.user_name, body.password, body.device)
        return await self._signed_in(account, body.device)

    async def login(self, body: Credentials) -> SignedIn:
        """Sign in by name and password. Raises ServerError (wrong_credentials)."""
        _refuse(checks.check_device(body.device))
        async with self.pool.connection() as connection:
            account = await store.find_by_name(connection, name_key(body.user_name))
        await self._check_password(account, body.password)
        assert account is not None
        return await self._signed_in(await self._rehashed(account, body), body.device)

    async def local_book(self) -> LocalBook:
        """Say what is on this computer."""
        self._require_local()
        async with self.pool.connection() as connection:
            account = await store.only_account(connection)
        if account is None:
            return LocalBook(exists=False)
        return LocalBook(exists=True, user_name=account.user_name, has_password=bool(account.password_hash))

    async def local_sign_in(self, body: LocalSignIn) -> SignedIn:
        """Open this computer's book, or make it. A book without a password opens for whoever has the secret
        of this server, which is the program that started it."""
        self._require_local()
        _refuse(checks.check_device(body.device))
        async with self.pool.connection() as connection:
            account = await store.only_account(connection)
        if account is None:
            _refuse(checks.check_user_name(body.user_name))
            if body.password:
                _refuse(checks.check_new_password(body.password))
            account = await self._create(body.user_name, body.password, body.device)
        elif account.password_hash:
            await self._check_password(account, body.password)
        return await self._signed_in(account, body.device)

    # --- tokens ----------------------------------------------------------------------------------

    async def refresh(self, body: RefreshRequest) -> Refreshed:
        """Rotate: the same generation with the same refreshId gives the same next generation, however often.

        Raises ServerError (unauthenticated); another refreshId for a spent generation ends the session.
        """
        now = int(self.clock())
        try:
            token = tokens.read_refresh(self.signer.verify(body.refresh_token, tokens.REFRESH_AUDIENCE), now)
        except TokenError as error:
            raise _unauthenticated() from error
        await self._spend(token, body.refresh_id)
        following = replace(token, generation=token.generation + 1)
        return Refreshed(
            access_token=self._access(token.identity, token.lock_epoch, now),
            expires_in=tokens.ACCESS_SECONDS,
            refresh_token=tokens.make_refresh(self.signer, following, now),
            primary=self.primary(),
            changed=False,
            reason="same_server",
            lock_epoch=token.lock_epoch,
            server_time=instant(self.clock()),
        )

    def identify(self, token: str) -> Identity:
        """Return who calls. Raises ServerError (unauthenticated, wrong_server)."""
        now = self.clock()
        found = self._verified.get(token)
        if found is not None and now < found[1]:
            return found[0]
        try:
            claims = self.signer.verify(token, tokens.ACCESS_AUDIENCE)
            identity, server = tokens.read_access(claims, int(now))
        except TokenError as error:
            raise _unauthenticated() from error
        if server != self.config.server_id:
            raise ServerError(
                ErrorCode.WRONG_SERVER, "This session belongs to another server.", {"serverId": server}
            )
        if len(self._verified) >= _CACHED_TOKENS:
            self._verified.pop(next(iter(self._verified)))  # the oldest: dicts keep their order
        self._verified[token] = (identity, float(claims["exp"]))
        return identity

    def primary(self) -> Primary:
        """Return this server, as a client is told of it."""
        return Primary(self.config.server_id, self.config.region, self.public_url)

    # --- inside ----------------------------------------------------------------------------------

    def _require_local(self) -> None:
        if not self.config.local:
            raise ServerError(ErrorCode.NOT_FOUND, "This server is not a computer's own.")

    async def _check_password(self, account: Account | None, password: str) -> None:
        stored = account.password_hash if account else None
        if not await self.passwords.verify(stored, password[: limits.MAX_PASSWORD + 1]):
            raise ServerError(ErrorCode.WRONG_CREDENTIALS, _WRONG)

    async def _create(self, user_name: str, password: str, device: Device) -> Account:
        hashed = await self.passwords.hash(password) if password else ""
        account = Account(uuid4(), uuid4(), user_name, hashed)
        async with self.pool.connection() as connection:
            made = await store.create_account(
                connection, account, name_key(user_name), UUID(device.id), self._stamp(), self.config.region
            )
        if not made:
            raise ServerError(ErrorCode.USER_NAME_TAKEN, "Somebody has this user name already.")
        return account

    async def _rehashed(self, account: Account, body: Credentials) -> Account:
        if not self.passwords.needs_rehash(account.password_hash):
            return account
        hashed = await self.passwords.hash(body.password)
        async with self.pool.connection() as connection:
            await store.set_password_hash(
                connection, account, hashed, UUID(body.device.id), self._stamp(), self.config.region
            )
        return replace(account, password_hash=hashed)

    async def _signed_in(self, account: Account, device: Device) -> SignedIn:
        device_id = UUID(device.id)
        async with self.pool.connection() as connection:
            prefix = await store.claim_prefix(
                connection,
                account,
                device_id,
                device.name,
                self.config.region_letter,
                self._stamp(),
                self.config.region,
            )
            counter = await store.last_counter(connection, account.book_id, prefix)
        now = int(self.clock())
        identity = Identity(account.user_id, account.book_id, device_id, uuid4())
        first = RefreshToken(identity, 0, 0, self.config.server_id, now + tokens.REFRESH_ABSOLUTE_SECONDS)
        return SignedIn(
            access_token=self._access(identity, 0, now),
            expires_in=tokens.ACCESS_SECONDS,
            refresh_token=tokens.make_refresh(self.signer, first, now),
            primary=self.primary(),
            user_name=account.user_name,
            book_id=str(account.book_id),
            code_prefix=prefix,
            last_counter=counter,
            server_time=instant(self.clock()),
        )

    async def _spend(self, token: RefreshToken, refresh_id: str) -> None:
        identity = token.identity
        rid_hash = hashlib.sha256(refresh_id.encode()).hexdigest()
        async with self.pool.connection() as connection:
            if await store.is_revoked(connection, identity.book_id, identity.user_id, identity.session_id):
                raise _unauthenticated()
            reused = await store.use_generation(
                connection,
                identity.book_id,
                identity.session_id,
                token.generation,
                rid_hash,
                self.config.server_id,
            )
            if reused:
                await store.revoke(connection, identity.book_id, identity.session_id, "reused")
        if reused:
            _log.warning("refresh token reused, session ended", extra={"session": str(identity.session_id)})
            raise _unauthenticated()

    def _access(self, identity: Identity, lock_epoch: int, now: int) -> str:
        jti = secrets.token_urlsafe(9)
        return tokens.make_access(self.signer, self.config.server_id, identity, lock_epoch, jti, now)

    def _stamp(self) -> Stamp:
        return Stamp(uuid4(), int(self.clock() * 1_000_000))


def instant(seconds: float) -> str:
    """Return RFC 3339 UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unauthenticated() -> ServerError:
    return ServerError(ErrorCode.UNAUTHENTICATED, "Please sign in again.")


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise InvalidFieldsError(errors)
