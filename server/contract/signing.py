"""Signed messages: compact JWS (RFC 7515) with EdDSA over Ed25519 (RFC 8037).

The payload is a Struct as JSON. The header's `typ` names the kind of message, so that a signature on one
kind is not valid for another. Only EdDSA is accepted, whatever the header says, and only a key that the
caller passes for the header's `kid`. Pure: the caller decides whether a message has expired.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import msgspec

from server.contract.decoding import decode_json

# cryptography and jwt take a tenth of a second to import. The program imports this module when it starts,
# so they are imported only when a message is signed or read.
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from jwt.algorithms import OKPAlgorithm

S = TypeVar("S", bound=msgspec.Struct)
ALGORITHM: Final = "EdDSA"
_KEY_BYTES: Final = 32
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")

Reason = Literal["unsigned", "kind", "algorithm", "unknown_key", "signature", "damaged"]


class SignatureError(Exception):
    """The text is not a message of the expected kind, signed by one of the given keys.

    The exception's text says why, for a log; `reason` says it in one word.
    """

    def __init__(self, message: str, reason: Reason = "damaged") -> None:
        super().__init__(message)
        self.reason = reason


class _Header(msgspec.Struct, frozen=True):
    alg: str = ""
    typ: str = ""
    kid: str = ""
    crit: list[str] | None = None


def fingerprint(public_key: bytes) -> str:
    """Return the SHA-256 of a raw public key (32 bytes) as 64 hexadecimal digits, for a person to compare."""
    return hashlib.sha256(public_key).hexdigest()


def key_id(public_key: bytes) -> str:
    """Return the `kid` of a raw public key: the beginning of its fingerprint."""
    return fingerprint(public_key)[:16]


def encode_key(public_key: bytes) -> str:
    """Return a raw public key as base64url without padding, the form used in a roster."""
    return base64.urlsafe_b64encode(public_key).rstrip(b"=").decode()


def decode_key(text: str) -> bytes:
    """Return the raw public key. Raises SignatureError if `text` is not a key."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise SignatureError("not a key") from error
    # Base64 has several spellings of the same bytes. Only one is accepted, because keys are compared as text.
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
    """Return the `kid` and the payload of a message signed by one of `keys` (raw public keys by kid).

    Raises SignatureError.
    """
    header = _header(text)
    # `crit` lists extensions that a reader must understand (RFC 7515, 4.1.11). We understand none.
    if header.crit is not None:
        raise SignatureError("not a signed message", "unsigned")
    if header.alg != ALGORITHM:
        raise SignatureError("another algorithm", "algorithm")
    if header.typ != kind:
        raise SignatureError("another kind of message", "kind")
    if header.kid not in keys:
        raise SignatureError("unknown key", "unknown_key")
    return header.kid, _decode(_verified(text, keys[header.kid]), shape)


def peek(text: str, kind: str, shape: type[S]) -> S:
    """Return the payload without verifying it. Use it only to find the key with which to verify.

    Raises SignatureError.
    """
    if _header(text).typ != kind:
        raise SignatureError("another kind of message", "kind")
    return _decode(_bytes(_segments(text)[1]), shape)


def _segments(text: str) -> tuple[str, str, str]:
    """Split the compact serialization (RFC 7515, 3.1)."""
    # PyJWT checks each character in Python, which takes as long as verifying the signature.
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
    """Return the header. It can be trusted once the signature by the key of its `kid` is verified."""
    try:
        return decode_json(_bytes(_segments(text)[0]), _Header)
    except msgspec.MsgspecError as error:
        raise SignatureError("not a signed message", "unsigned") from error


def _verified(text: str, public_key: bytes) -> bytes:
    head, body, signature = _segments(text)
    if not _algorithm().verify(f"{head}.{body}".encode(), load_key(public_key), _bytes(signature)):
        raise SignatureError("invalid signature", "signature")
    return _bytes(body)


@lru_cache(maxsize=1)
def _algorithm() -> "OKPAlgorithm":
    from jwt.algorithms import OKPAlgorithm

    return OKPAlgorithm()


def _decode(body: bytes, shape: type[S]) -> S:
    try:
        return decode_json(body, shape)
    except msgspec.MsgspecError as error:
        raise SignatureError("the payload does not have the expected shape") from error
