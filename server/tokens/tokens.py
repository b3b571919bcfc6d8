"""Access and refresh tokens: their claims, and how they are signed and read. Pure; the clock is an argument.

A token is a compact JWS with EdDSA over Ed25519 (RFC 8037), made by PyJWT. Only this algorithm is accepted,
whatever the header says, and only the key that the header's `kid` names.
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
    """The token is not ours, damaged, meant for another use, or expired."""


def key_id(public: Ed25519PublicKey) -> str:
    """Return the `kid` of a key. It is derived from the key's bytes, so two keys never have the same."""
    return signing.key_id(raw_key(public))


def raw_key(public: Ed25519PublicKey) -> bytes:
    """Return the 32 bytes of a public key."""
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def warm_up() -> None:
    """Import what signing the first token needs."""
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
        # The import takes 0.1 s, so it is not done at the start: `warm_up` does it after the first calls.
        import jwt

        return jwt.encode(claims, self.key, algorithm=_ALGORITHM, headers={"kid": self.kid})

    def verify(self, token: str, audience: str) -> dict[str, Any]:
        """Return the claims. The caller checks the times. Raises TokenError."""
        return verified(token, audience, lambda kid: self.public if kid == self.kid else None)


class TokenKeys(Protocol):
    """Signs and verifies tokens: a single `Signer`, or the `TrustedKeys` of a cluster."""

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the compact JWS of `claims`."""

    def verify(self, token: str, audience: str) -> dict[str, Any]:
        """Return the claims. The caller checks the times. Raises TokenError."""


def verified(token: str, audience: str, key_of: Callable[[str], Ed25519PublicKey | None]) -> dict[str, Any]:
    """Return the claims of a token that is signed by the key of its `kid`, as `key_of` finds it.

    Raises TokenError.
    """
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
            # PyJWT reads the system clock. Here the caller's clock decides, so its checks are switched off.
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
    """The caller: user, book, device and session."""

    user_id: UUID
    book_id: UUID
    device_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """The contents of a refresh token: one generation of one session. Times are in seconds since 1970.

    The session ends at `absolute`, whatever its use. `password_ver` is the version of the password with which
    the session began (0: no password). The session has been pinned to `server_id` since `pinned_since`; it
    last changed its region at `region_moved_at` (0: never). `pin_epoch` rises with each change of the server.
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
    signer: TokenKeys, issuer: str, identity: Identity, pin_epoch: int, jti: str, now: int, server: str = ""
) -> str:
    """Return an access token for `server` ("": the issuer), valid for ACCESS_SECONDS."""
    # The names of claims are part of the protocol: `srv` is the server that accepts the token, `lep` the
    # pin epoch.
    return signer.sign(
        {
            "iss": issuer,
            "aud": ACCESS_AUDIENCE,
            "sub": str(identity.user_id),
            "book": str(identity.book_id),
            "dev": str(identity.device_id),
            "sid": str(identity.session_id),
            "srv": server or issuer,
            "lep": pin_epoch,
            "jti": jti,
            "iat": now,
            "exp": now + ACCESS_SECONDS,
        }
    )


def read_access(claims: dict[str, Any], now: int) -> tuple[Identity, str]:
    """Return the caller, and the id of the server that accepts the token. Raises TokenError."""
    _check_not_expired(claims, now)
    return _identity(claims), str(claims["srv"])


def make_refresh(signer: TokenKeys, token: RefreshToken, now: int, issuer: str = "") -> str:
    """Return the refresh token of one generation, signed by `issuer` ("": the server it is pinned to).

    It expires if it is not used for REFRESH_IDLE_SECONDS.
    """
    # `gen` is the generation, `abs` the end of the session, `pwv` the version of the password, `lat` and
    # `rat` are the times of the last change of the server and of the region.
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
    """Return the contents of a refresh token. Raises TokenError."""
    _check_not_expired(claims, now)
    try:
        token = RefreshToken(
            _identity(claims),
            int(claims["gen"]),
            int(claims["lep"]),
            str(claims["srv"]),
            int(claims["abs"]),
            # Tokens of older servers lack the rest.
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
    # `verified` has made sure that there is an `exp`.
    if now >= int(claims["exp"]):
        raise TokenError("expired")


def _identity(claims: dict[str, Any]) -> Identity:
    try:
        return Identity(UUID(claims["sub"]), UUID(claims["book"]), UUID(claims["dev"]), UUID(claims["sid"]))
    except (KeyError, ValueError) as error:
        raise TokenError("names no user") from error
