"""Codes with which a user who forgot the password sets a new one, signed by a server. Pure.

A code names the version of the password that it replaces. So it is valid once: the new password has a higher
version, in every region as soon as it arrives there.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from server.tokens.tokens import TokenError, TokenKeys

AUDIENCE: Final = "bahi-reset"
VALID_SECONDS: Final = 86_400
_LAST_VERSION: Final = 2**63 - 2  # of a bigint; the new password gets the next one

WRONG: Final = "That is not a link of this server. Please check that you copied all of it."
EXPIRED: Final = "This link has expired. Please ask for a new one."
SPENT: Final = "This link was used already, or your password was changed since. Please ask for a new one."


@dataclass(frozen=True, slots=True)
class ResetCode:
    """A code with a valid signature: whose password it replaces, and the version of that password."""

    book_id: UUID
    user_id: UUID
    password_ver: int


class ResetError(Exception):
    """The code is not accepted. `sentence` is for a person."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def make_reset(signer: TokenKeys, issuer: str, of: ResetCode, now: int) -> str:
    """Return a code that is valid for `VALID_SECONDS`. `now` is in seconds since 1970."""
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": str(of.user_id),
        "book": str(of.book_id),
        "pwv": of.password_ver,
        "iat": now,
        "exp": now + VALID_SECONDS,
    }
    return signer.sign(claims)


def read_reset(signer: TokenKeys, code: str, now: int) -> ResetCode:
    """Return the contents of a code. Raises ResetError."""
    try:
        claims = signer.verify(code.strip(), AUDIENCE)
        found = ResetCode(UUID(claims["book"]), UUID(claims["sub"]), int(claims["pwv"]))
        expires = int(claims["exp"])
    except (TokenError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise ResetError(WRONG) from error
    if not 0 <= found.password_ver <= _LAST_VERSION:
        raise ResetError(WRONG)
    if now >= expires:
        raise ResetError(EXPIRED)
    return found
