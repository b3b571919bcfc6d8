"""Issues access and refresh tokens, and identifies the caller by an access token."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from server.contract.errors import ErrorCode
from server.errors import ApiError
from server.node.pinned_sessions import PinnedSessions
from server.tokens import tokens
from server.tokens.tokens import ACCESS_SECONDS, Identity, RefreshToken, TokenError, TokenKeys

_CACHED_TOKENS: Final = 4_096


@dataclass(slots=True)
class Issuer:
    """Issues and verifies the tokens of this server, whose id is `server_id`.

    `clock` returns seconds since 1970. `pinned` keeps the sessions that have a token for this server.
    """

    server_id: str
    keys: TokenKeys
    clock: Callable[[], float]
    pinned: PinnedSessions = field(default_factory=PinnedSessions)
    _verified: dict[str, tuple[Identity, float]] = field(default_factory=dict)
    _ended: dict[UUID, float] = field(default_factory=dict)

    def access(self, identity: Identity, server: str, pin_epoch: int) -> str:
        """Return an access token for `server`."""
        jti, now = secrets.token_urlsafe(9), int(self.clock())
        note = self.pinned.issued if server == self.server_id else self.pinned.left
        note(identity.session_id, now + ACCESS_SECONDS)
        return tokens.make_access(self.keys, self.server_id, identity, pin_epoch, jti, now, server)

    def first_refresh(self, identity: Identity, server: str, password_ver: int) -> str:
        """Return the first refresh token of a session that is pinned to `server`."""
        now = int(self.clock())
        absolute = now + tokens.REFRESH_ABSOLUTE_SECONDS
        first = RefreshToken(identity, 0, 0, server, absolute, password_ver, pinned_since=now)
        return tokens.make_refresh(self.keys, first, now, self.server_id)

    def next_refresh(self, token: RefreshToken) -> str:
        """Return the refresh token of the next generation."""
        moved = replace(token, generation=token.generation + 1)
        return tokens.make_refresh(self.keys, moved, int(self.clock()), self.server_id)

    def read_refresh(self, text: str, *, expired_too: bool = False) -> RefreshToken:
        """Return the contents of a refresh token. Raises ApiError (unauthenticated)."""
        now = 0 if expired_too else int(self.clock())  # at time 0 nothing has expired
        try:
            return tokens.read_refresh(self.keys.verify(text, tokens.REFRESH_AUDIENCE), now)
        except TokenError as error:
            raise unauthenticated() from error

    def caller(self, token: str) -> Identity:
        """Return the caller. Raises ApiError (unauthenticated, wrong_server)."""
        # A client sends the same token with every call for five minutes, so a verified one is cached.
        now = self.clock()
        found = self._verified.get(token)
        if found is None or now >= found[1]:
            found = self._verify(token, int(now))
            if len(self._verified) >= _CACHED_TOKENS:
                self._verified.pop(next(iter(self._verified)))  # the oldest: a dict keeps insertion order
            self._verified[token] = found
        if found[0].session_id in self._ended:
            raise unauthenticated()
        return found[0]

    def end(self, families: Iterable[UUID]) -> None:
        """Refuse the access tokens of these sessions from now on.

        Other servers poll for ended sessions and refuse them some seconds later.
        """
        # An entry can be dropped once the last access token of its session has expired.
        now, families = self.clock(), list(families)
        self._ended = {family: until for family, until in self._ended.items() if now < until}
        self._ended.update(dict.fromkeys(families, now + ACCESS_SECONDS))
        for family in families:
            self.pinned.left(family, now + ACCESS_SECONDS)

    def clear_cache(self) -> None:
        """Verify every token again, because a new roster may trust other keys."""
        self._verified.clear()

    def _verify(self, token: str, now: int) -> tuple[Identity, float]:
        try:
            claims = self.keys.verify(token, tokens.ACCESS_AUDIENCE)
            identity, server = tokens.read_access(claims, now)
        except TokenError as error:
            raise unauthenticated() from error
        if server != self.server_id:
            raise ApiError(
                ErrorCode.WRONG_SERVER, "This session is pinned to another server.", {"serverId": server}
            )
        self.pinned.seen(identity.session_id, float(claims["exp"]))
        return identity, float(claims["exp"])


def unauthenticated(ended: str = "") -> ApiError:
    """Return the error after which a client must log in again. `ended` is why its session ended, if known."""
    return ApiError(ErrorCode.UNAUTHENTICATED, "Please sign in again.", {"ended": ended} if ended else None)
