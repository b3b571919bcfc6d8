"""Signed messages: compact JWS (RFC 7515) with EdDSA over Ed25519 (RFC 8037), made and read in one place.

The payload is a Struct as JSON; the header's `typ` says which one, so that a signature over one kind of
message is never taken for another. Only EdDSA is accepted, whatever a header says, and only a key that the
caller holds under the header's `kid`. Pure: whether a message is still good is for the caller to judge.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import msgspec

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from jwt.algorithms import OKPAlgorithm

S = TypeVar("S", bound=msgspec.Struct)
ALGORITHM: Final = "EdDSA"
_KEY_BYTES: Final = 32
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")

Reason = Literal["unsigned", "kind", "algorithm", "unknown_key", "signature", "damaged"]


class SignatureError(Exception):
    """The text is no message of that kind signed by one of these keys; the message says why, for a log, and
    `reason` in a word."""

    def __init__(self, message: str, reason: Reason = "damaged") -> None:
        super().__init__(message)
        self.reason = reason


class _Header(msgspec.Struct, frozen=True):
    alg: str = ""
    typ: str = ""
    kid: str = ""
    crit: list[str] | None = None


def fingerprint(public_key: bytes) -> str:
    """Return SHA-256 of a raw public key (32 bytes) as 64 hexadecimal digits: what a person compares."""
    return hashlib.sha256(public_key).hexdigest()


def key_id(public_key: bytes) -> str:
    """Return the `kid` of a raw public key: the beginning of its fingerprint."""
    return fingerprint(public_key)[:16]


def encode_key(public_key: bytes) -> str:
    """Return a raw public key as base64url without padding, as it stands in a roster."""
    return base64.urlsafe_b64encode(public_key).rstrip(b"=").decode()


def decode_key(text: str) -> bytes:
    """Return the raw public key. Raises SignatureError for what is none."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise SignatureError("not a key") from error
    if len(raw) != _KEY_BYTES or encode_key(raw) != text:
        raise SignatureError("not a key")
    return raw


@lru_cache(maxsize=1_024)
def load_key(public_key: bytes) -> "Ed25519PublicKey":
    """Return the key object of a raw public key. Raises SignatureError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        return Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError as error:
        raise SignatureError("not a key") from error


def sign(key: "Ed25519PrivateKey", kid: str, kind: str, payload: msgspec.Struct) -> str:
    """Return the compact JWS of `payload`."""
    import jwt

    body = msgspec.json.encode(payload)
    return jwt.PyJWS().encode(body, key, algorithm=ALGORITHM, headers={"kid": kid, "typ": kind})


def read(text: str, keys: Mapping[str, bytes], kind: str, shape: type[S]) -> tuple[str, S]:
    """Return `kid` and payload of a message signed by one of `keys` (raw public keys by kid).

    Raises SignatureError.
    """
    header = _header(text)
    if header.crit is not None:  # RFC 7515 §4.1.11: what must be understood, and is not
        raise SignatureError("not a signed message", "unsigned")
    if header.alg != ALGORITHM:
        raise SignatureError("another algorithm", "algorithm")
    if header.typ != kind:
        raise SignatureError("another kind of message", "kind")
    if header.kid not in keys:
        raise SignatureError("unknown key", "unknown_key")
    return header.kid, _decode(_verified(text, keys[header.kid]), shape)


def peek(text: str, kind: str, shape: type[S]) -> S:
    """Return what a message claims, unverified: only to find out by which key it is to be read.

    Raises SignatureError.
    """
    if _header(text).typ != kind:
        raise SignatureError("another kind of message", "kind")
    return _decode(_bytes(_segments(text)[1]), shape)


def _segments(text: str) -> tuple[str, str, str]:
    """Split the compact serialization (RFC 7515 §3.1). By one expression: PyJWT looks at each character in
    Python, which takes as long as the signature itself."""
    found = _COMPACT.fullmatch(text)
    if found is None:
        raise SignatureError("not a signed message", "unsigned")
    return found[1], found[2], found[3]


def _bytes(segment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError as error:
        raise SignatureError("not a signed message", "unsigned") from error


def _header(text: str) -> _Header:
    """Return what stands in front; by its `kid` the key is found that then covers every byte of it."""
    try:
        return msgspec.json.decode(_bytes(_segments(text)[0]), type=_Header)
    except msgspec.MsgspecError as error:
        raise SignatureError("not a signed message", "unsigned") from error


def _verified(text: str, public_key: bytes) -> bytes:
    head, body, signature = _segments(text)
    if not _algorithm().verify(f"{head}.{body}".encode(), load_key(public_key), _bytes(signature)):
        raise SignatureError("the signature does not hold", "signature")
    return _bytes(body)


@lru_cache(maxsize=1)
def _algorithm() -> "OKPAlgorithm":
    from jwt.algorithms import OKPAlgorithm

    return OKPAlgorithm()


def _decode(body: bytes, shape: type[S]) -> S:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SignatureError("the signed text does not fit") from error
