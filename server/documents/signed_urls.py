"""Short-lived signed addresses of bytes. As with a presigned URL, the token is the whole authority."""

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
    """May PUT or GET the bytes `sha256` of `book_id`, until it expires."""

    method: Literal["PUT", "GET"]
    book_id: UUID
    sha256: str
    byte_size: int
    media_type: str
    file_name: str = ""


def make_url(signer: TokenKeys, base_url: str, link: SignedUrl, now: int) -> tuple[str, int]:
    """Return the URL and the second since 1970 at which it expires."""
    expires = now + LIFE_SECONDS
    claims = {
        "aud": _AUDIENCE,
        "exp": expires,
        "met": link.method,
        "book": str(link.book_id),
        "sha": link.sha256,
        "len": link.byte_size,
        "typ": link.media_type,
        "nam": link.file_name,
    }
    return base_url + paths.BLOB.format(token=signer.sign(claims)), expires


def read_url(signer: TokenKeys, token: str, method: str, now: int) -> SignedUrl:
    """Return what `token` allows. Raises ApiError (forbidden, link_expired)."""
    try:
        claims = signer.verify(token, _AUDIENCE)
    except TokenError as error:
        raise ApiError(ErrorCode.FORBIDDEN, "This link is not one of ours.") from error
    if claims["met"] != method:
        raise ApiError(ErrorCode.FORBIDDEN, "This link is for something else.")
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
