"""Tokens: what is in them, how they are signed and read. Pure; the clock is an argument.

Compact JWS with EdDSA over Ed25519 (RFC 8037) by PyJWT. Only that algorithm is accepted, whatever a
header says, and only the key that its `kid` names.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.contract import signing

ACCESS_SECONDS: Final = 300
REFRESH_IDLE_SECONDS: Final = 7 * 86_400
REFRESH_ABSOLUTE_SECONDS: Final = 30 * 86_400
ACCESS_AUDIENCE: Final = "bahi"
REFRESH_AUDIENCE: Final = "bahi-refresh"
_ALGORITHM: Final = "EdDSA"


class TokenError(Exception):
    """The token is not ours, not whole, not for this use, or too old."""


def key_id(public: Ed25519PublicKey) -> str:
    """Name a key by its bytes, so that two keys never share a name."""
    return signing.key_id(raw_key(public))


def raw_key(public: Ed25519PublicKey) -> bytes:
    """Return the 32 bytes of a public key."""
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def warm_up() -> None:
    """Import what the first token needs."""
    import jwt  # noqa: F401


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and verifies with one server's key."""

    key: Ed25519PrivateKey
    kid: str = field(init=False)
    public: Ed25519PublicKey = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "public", self.key.public_key())
        object.__setattr__(self, "kid", key_id(self.public))

    @property
    def raw_public(self) -> bytes:
        """The 32 bytes of the public key."""
        return raw_key(self.public)

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the compact JWS of `claims`."""
        import jwt  # 0.1 s, for which no start waits: `warm_up` brings it in beside the first calls

        return jwt.encode(claims, self.key, algorithm=_ALGORITHM, headers={"kid": self.kid})

    def verify(self, token: str, audience: str) -> dict[str, Any]:
        """Return the claims; times are for the caller to judge. Raises TokenError."""
        return verified(token, audience, lambda kid: self.public if kid == self.kid else None)


class TokenKeys(Protocol):
    """Who signs and verifies: one `Signer`, or a whole cluster's keyring."""

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the compact JWS of `claims`."""

    def verify(self, token: str, audience: str) -> dict[str, Any]:
        """Return the claims; times are for the caller to judge. Raises TokenError."""


def verified(token: str, audience: str, key_of: Callable[[str], Ed25519PublicKey | None]) -> dict[str, Any]:
    """Return the claims of a token signed by the key that `key_of` has for its `kid`. Raises TokenError."""
    import jwt

    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = key_of(kid) if isinstance(kid, str) else None
        if key is None:
            raise TokenError("unknown key")
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            audience=audience,
            options={
                "require": ["exp", "aud"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.PyJWTError as error:
        raise TokenError("not a token of ours") from error
    return claims


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls, for which book, on which device, in which session."""

    user_id: UUID
    book_id: UUID
    device_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One generation of one session; `absolute` is the second since 1970 after which it never rotates.

    `password_ver` is the version of the password by which the session began, 0 where there was none;
    `locked_since` and `region_moved_at` are the seconds since which the lock is on `server_id`, and in its
    region (0: never moved).
    """

    identity: Identity
    generation: int
    pin_epoch: int
    server_id: str
    absolute: int
    password_ver: int = 0
    pinned_since: int = 0
    region_moved_at: int = 0


def make_access(
    signer: TokenKeys, issuer: str, identity: Identity, lock_epoch: int, jti: str, now: int, server: str = ""
) -> str:
    """Return an access token for ACCESS_SECONDS at `server` ("": the issuer)."""
    return signer.sign(
        {
            "iss": issuer,
            "aud": ACCESS_AUDIENCE,
            "sub": str(identity.user_id),
            "book": str(identity.book_id),
            "dev": str(identity.device_id),
            "sid": str(identity.session_id),
            "srv": server or issuer,
            "lep": lock_epoch,
            "jti": jti,
            "iat": now,
            "exp": now + ACCESS_SECONDS,
        }
    )


def read_access(claims: dict[str, Any], now: int) -> tuple[Identity, str]:
    """Return who calls and the server that the token is locked to. Raises TokenError."""
    _check_not_expired(claims, now)
    return _identity(claims), str(claims["srv"])


def make_refresh(signer: TokenKeys, token: RefreshToken, now: int, issuer: str = "") -> str:
    """Return the refresh token of one generation by `issuer` ("": the server that it is locked to); idle for
    REFRESH_IDLE_SECONDS it expires.
    """
    identity = token.identity
    return signer.sign(
        {
            "iss": issuer or token.server_id,
            "aud": REFRESH_AUDIENCE,
            "sub": str(identity.user_id),
            "book": str(identity.book_id),
            "dev": str(identity.device_id),
            "sid": str(identity.session_id),
            "gen": token.generation,
            "srv": token.server_id,
            "lep": token.pin_epoch,
            "abs": token.absolute,
            "pwv": token.password_ver,
            "lat": token.pinned_since,
            "rat": token.region_moved_at,
            "iat": now,
            "exp": min(now + REFRESH_IDLE_SECONDS, token.absolute),
        }
    )


def read_refresh(claims: dict[str, Any], now: int) -> RefreshToken:
    """Return what a refresh token says. Raises TokenError."""
    _check_not_expired(claims, now)
    try:
        token = RefreshToken(
            _identity(claims),
            int(claims["gen"]),
            int(claims["lep"]),
            str(claims["srv"]),
            int(claims["abs"]),
            int(claims.get("pwv", 0)),
            int(claims.get("lat", 0)),
            int(claims.get("rat", 0)),
        )
    except (KeyError, ValueError) as error:
        raise TokenError("not a refresh token") from error
    if now >= token.absolute:
        raise TokenError("expired")
    return token


def _check_not_expired(claims: dict[str, Any], now: int) -> None:
    if now >= int(claims["exp"]):
        raise TokenError("expired")


def _identity(claims: dict[str, Any]) -> Identity:
    try:
        return Identity(UUID(claims["sub"]), UUID(claims["book"]), UUID(claims["dev"]), UUID(claims["sid"]))
    except (KeyError, ValueError) as error:
        raise TokenError("names no user") from error
