"""Short-lived signed URLs of documents. As with S3's presigned URLs, the URL alone grants the access."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from server.contract import paths
from server.contract.errors import ErrorCode
from server.errors import ApiError
from server.tokens.tokens import TokenError, TokenKeys

LIFE_SECONDS = 300
_AUDIENCE = "bahi-blob"


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """The permission to PUT or GET one document of one book, until it expires."""

    method: Literal["PUT", "GET"]
    book_id: UUID
    sha256: str
    byte_size: int
    media_type: str
    file_name: str = ""


def make_url(signer: TokenKeys, base_url: str, permission: SignedUrl, now: int) -> tuple[str, int]:
    """Return the URL and the second since 1970 at which it expires."""
    expires = now + LIFE_SECONDS
    # The token names no issuer: only the server that signed it accepts it.
    claims = {
        "aud": _AUDIENCE,
        "exp": expires,
        "met": permission.method,
        "book": str(permission.book_id),
        "sha": permission.sha256,
        "len": permission.byte_size,
        "typ": permission.media_type,
        "nam": permission.file_name,
    }
    return base_url + paths.BLOB.format(token=signer.sign(claims)), expires


def read_url(signer: TokenKeys, token: str, method: str, now: int) -> SignedUrl:
    """Return the permission in `token`. `now` is in seconds since 1970.

    Raises ApiError (forbidden, link_expired).
    """
    try:
        claims = signer.verify(token, _AUDIENCE)
    except TokenError as error:
        raise ApiError(ErrorCode.FORBIDDEN, "This link is not valid.") from error
    if claims["met"] != method:
        raise ApiError(ErrorCode.FORBIDDEN, "This link does not allow this method.")
    if now >= int(claims["exp"]):
        raise ApiError(ErrorCode.LINK_EXPIRED, "This link has expired; please ask for a new one.")
    return SignedUrl(
        "PUT" if claims["met"] == "PUT" else "GET",
        UUID(claims["book"]),
        claims["sha"],
        int(claims["len"]),
        claims["typ"],
        claims["nam"],
    )
