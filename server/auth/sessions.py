"""Sessions after the log-in: token refresh, list of sessions, logout, and password change."""

import hashlib
import logging
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from server.auth import session_store, store
from server.auth.issuer import Issuer, unauthenticated
from server.auth.password_verifier import PasswordVerifier, attempt_on
from server.auth.recovery import new_code
from server.auth.session_store import KnownSession
from server.auth.store import Account, Password, Stamp
from server.config import Config
from server.contract import checks
from server.contract.errors import FieldError
from server.contract.instants import instant
from server.contract.shapes import (
    LogoutRequest,
    PasswordChange,
    Refreshed,
    RefreshRequest,
    Session,
    Sessions,
    SessionsEnded,
)
from server.db.pool import Connection, Pool
from server.errors import ApiError, InvalidFieldsError, invalid_field, not_found
from server.pinning.placement import Placement
from server.pinning.rules import Standing
from server.tokens import tokens
from server.tokens.tokens import Identity, RefreshToken

_log = logging.getLogger(__name__)
# A retry of a refresh is not recorded, but returns a token with the full idle time. So a session may live for
# two idle times after its last recorded use, and must be listed until then.
_LISTED_SECONDS: Final = 2 * tokens.REFRESH_IDLE_SECONDS
_WRONG_OLD: Final = "That is not the current password."


def is_cut_off(password: Password, session: UUID, password_ver: int) -> bool:
    """Return whether a password change ended this session.

    A password change ends every session that began with an older password, except the one that made it.
    """
    # Versions of the password are compared, not times. A region that does not have the new password yet sees
    # a session that began with it as newer, and does not end it.
    return password.chosen_ver > password_ver and password.kept_family != str(session)


@dataclass(frozen=True, slots=True)
class SpentToken:
    """A refresh token after its check. `token` is None if it is none of ours, or has expired.

    `user_name` is that of `name_if_taken`. `ended` is why the session has ended, "" if it goes on.
    """

    token: RefreshToken | None
    standing: Standing = "good"
    user_name: str = ""
    ended: str = ""


@dataclass(slots=True)
class SessionService:
    """Refreshes, lists and ends sessions, and changes passwords."""

    config: Config
    pool: Pool
    issuer: Issuer
    verifier: PasswordVerifier
    placement: Placement

    async def refresh(self, body: RefreshRequest) -> Refreshed:
        """Rotate the refresh token, and pin the session to a server as `server.pinning.rules` decides.

        A retry (the same generation with the same refresh id) returns the same next generation. A used
        generation with another refresh id means that the token was copied: that ends the session. Raises
        ApiError (unauthenticated).
        """
        spent = await self._spend(body)
        token = spent.token
        decision = await self.placement.at_refresh(token, spent.standing, body)
        if token is None or not decision.server_id:
            raise unauthenticated(spent.ended)
        primary = self.placement.primary(decision.server_id)
        moved = self.placement.moved(token, decision.server_id)
        return Refreshed(
            access_token=self.issuer.access(token.identity, primary.server_id, moved.pin_epoch),
            expires_in=tokens.ACCESS_SECONDS,
            refresh_token=self.issuer.next_refresh(moved),
            primary=primary,
            changed=moved.server_id != token.server_id,
            reason=decision.rule,
            lock_epoch=moved.pin_epoch,
            server_time=instant(self.issuer.clock()),
            roster_version=self.placement.roster_version,
            user_name=spent.user_name,
        )

    async def logout(self, body: LogoutRequest) -> SessionsEnded:
        """End the session of a refresh token, which may have expired. Raises ApiError (unauthenticated)."""
        identity = self.issuer.read_refresh(body.refresh_token, expired_too=True).identity
        async with self.pool.connection() as connection:
            await session_store.revoke(connection, identity.book_id, identity.session_id, "logout")
        self.issuer.end([identity.session_id])
        return SessionsEnded(1)

    async def sessions(self, identity: Identity) -> Sessions:
        """Return the caller's sessions. Raises ApiError (unauthenticated)."""
        now = self.issuer.clock()
        async with self.pool.connection() as connection:
            password = await self._require_going_on(connection, identity)
            known = await session_store.sessions_of(connection, identity, now)
        region_of = self.placement.membership.roster.region_of
        return Sessions(
            [
                _listed(s, identity, region_of(s.server))
                for s in known
                if _may_go_on(s, identity, password, now)
            ]
        )

    async def end(self, identity: Identity, family: str) -> SessionsEnded:
        """End one of the caller's sessions. Raises ApiError (unauthenticated, not_found)."""
        if not checks.is_uuid(family):
            raise not_found("session")
        ended = UUID(family)
        async with self.pool.connection() as connection:
            await self._require_going_on(connection, identity)
            if not await session_store.is_session(connection, identity, ended):
                raise not_found("session")
            await session_store.revoke(connection, identity.book_id, ended, "ended")
        self.issuer.end([ended])
        return SessionsEnded(1)

    async def change_password(
        self, identity: Identity, body: PasswordChange, host: str | None = None
    ) -> SessionsEnded:
        """Set a new password, and end all sessions of the user except the caller's.

        Raises ApiError (unauthenticated, invalid_fields, too_many_attempts).
        """
        self._check_new(body.new_password)
        account = await self._account(identity)
        if account.password.hash:
            attempt = attempt_on(account.user_id, host, identity.device_id)
            # Elsewhere, a second form would be a second guess for one counted attempt.
            forms = (body.old_password, body.old_as_typed if self.config.local else "")
            if not await self.verifier.verify(attempt, account.password.hash, *forms):
                raise invalid_field("oldPassword", _WRONG_OLD, self.verifier.wait_detail(attempt))
        new_hash = await self.verifier.passwords.hash(body.new_password) if body.new_password else ""
        # A code that the owner has on paper stays valid; the first password comes with the first code.
        needs_code = self.config.local and bool(new_hash) and not account.password.recovery_hash
        code, hashed = new_code() if needs_code else ("", None)
        ended = await self._choose(account, identity, new_hash, hashed)
        self.issuer.end(ended)
        return SessionsEnded(len(ended), code)

    # --- inside ----------------------------------------------------------------------------------

    async def _spend(self, body: RefreshRequest) -> SpentToken:
        """Use up the generation of a refresh token."""
        try:
            token = self.issuer.read_refresh(body.refresh_token)
        except ApiError:
            return SpentToken(None, "invalid")
        rid_hash = hashlib.sha256(body.refresh_id.encode()).hexdigest()
        identity, family = token.identity, token.identity.session_id
        async with self.pool.connection() as connection:
            ended, password = await session_store.session_state(connection, identity)
            if ended or is_cut_off(password, family, token.password_ver):
                return SpentToken(token, "invalid", ended=ended or "password")
            reused = await session_store.use_generation(
                connection, identity, token.generation, rid_hash, self.config.server_id, self.issuer.clock()
            )
            if reused:
                await session_store.revoke(connection, identity.book_id, family, "reused")
            user_name = await store.name_if_taken(connection, identity.book_id, identity.user_id)
        if reused:
            self.issuer.end([family])
            _log.warning("refresh token reused; session ended", extra={"session": str(family)})
            return SpentToken(token, "reused", ended="reused")
        return SpentToken(token, "good", user_name)

    async def _require_going_on(self, connection: Connection, identity: Identity) -> Password:
        ended, password = await session_store.session_state(connection, identity)
        if ended:
            raise unauthenticated()
        return password

    def _check_new(self, password: str) -> None:
        # A local book may have no password: only the program that started this server can call it.
        if self.config.local and not password:
            return
        errors = checks.check_new_password(password)
        if errors:
            raise InvalidFieldsError([FieldError("newPassword", error.message) for error in errors])

    async def _account(self, identity: Identity) -> Account:
        async with self.pool.connection() as connection:
            await self._require_going_on(connection, identity)
            account = await store.find_by_id(connection, identity.book_id, identity.user_id)
        if account is None:
            raise unauthenticated()
        return account

    async def _choose(
        self, account: Account, identity: Identity, new_hash: str, recovery_hash: str | None
    ) -> list[UUID]:
        now = self.issuer.clock()
        stamp = Stamp(uuid4(), int(now * 1_000_000))
        kept, region = identity.session_id, self.config.region
        async with self.pool.connection() as connection, connection.transaction():
            chosen = await store.choose_password(
                connection, account, new_hash, kept, identity.device_id, stamp, region, recovery_hash
            )
            if chosen is None:
                raise invalid_field("oldPassword", _WRONG_OLD)
            return await session_store.revoke_others(
                connection, account.book_id, account.user_id, kept, "password", now
            )


def _may_go_on(session: KnownSession, identity: Identity, password: Password, now: float) -> bool:
    if session.family == identity.session_id:
        return True
    recent = now - session.last_used < _LISTED_SECONDS
    return recent and not is_cut_off(password, session.family, session.password_ver)


def _listed(session: KnownSession, identity: Identity, region: str) -> Session:
    return Session(
        family=str(session.family),
        device_name=session.device_name,
        created_at=instant(session.began),
        last_used_at=instant(session.last_used),
        current=session.family == identity.session_id,
        address=session.address,
        region=region,
    )
