"""Invitation codes, signed by a server or by the cluster key, each valid for one account.

Pure; the clock is an argument.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from server.tokens.tokens import TokenError, TokenKeys

AUDIENCE: Final = "bahi-invite"
DAY_SECONDS: Final = 86_400
MAX_DAYS: Final = 90

MISSING: Final = (
    "This server lets in only people who were invited. "
    "Please paste the invite link that you were given, or ask the person who runs the server for one."
)
WRONG: Final = (
    "This is not an invitation to this server. "
    "Please check that you copied all of it, or ask the person who runs the server for a new one."
)
EXPIRED: Final = "This invitation has expired. Please ask the person who runs the server for a new one."
SPENT: Final = (
    "This invitation has already been used; each one is for one account. "
    "If you used it yourself, sign in. Otherwise ask the person who runs the server for a new one."
)


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation with a valid signature. Whether it has been used already is not checked yet."""

    jti: UUID


class InviteError(Exception):
    """The code is not accepted. `reason` is `missing`, `wrong` or `expired`; `sentence` is for a person."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def make_invite(signer: TokenKeys, issuer: str, jti: UUID, days: int, now: int) -> str:
    """Return a code that is valid for `days` days. `now` is in seconds since 1970."""
    claims = {"iss": issuer, "aud": AUDIENCE, "jti": str(jti), "iat": now, "exp": now + days * DAY_SECONDS}
    return signer.sign(claims)


def read_invite(signer: TokenKeys, code: str, now: int) -> Invite:
    """Return the invitation in a code. Raises InviteError."""
    if not (bare := code.strip()):
        raise InviteError("missing", MISSING)
    try:
        claims = signer.verify(bare, AUDIENCE)
        invite, expires = Invite(UUID(claims["jti"])), int(claims["exp"])
    except (TokenError, KeyError, ValueError, AttributeError) as error:  # AttributeError: `jti` is not a text
        raise InviteError("wrong", WRONG) from error
    if now >= expires:
        raise InviteError("expired", EXPIRED)
    return invite
