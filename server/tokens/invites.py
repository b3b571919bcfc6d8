"""Invitation codes: signed by the server's key, each good for one account. Pure; the clock is an argument."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from server.tokens.tokens import TokenError, TokenKeys

AUDIENCE: Final = "bahi-invite"
DAY_SECONDS: Final = 86_400
MAX_DAYS: Final = 90

MISSING: Final = (
    "This server takes new accounts by invitation only; please enter the invitation code that you were given."
)
WRONG: Final = "That is not an invitation code of this server; please check that it was copied whole."
EXPIRED: Final = "This invitation has expired; please ask for a new one."
SPENT: Final = "This invitation was used already; please ask for a new one."


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation that was not yet looked up among those spent."""

    jti: UUID


class InviteError(Exception):
    """The code opens nothing; `reason` is `missing`, `wrong` or `expired`, the message a sentence."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def make_invite(signer: TokenKeys, issuer: str, jti: UUID, days: int, now: int) -> str:
    """Return a code that is good for `days`."""
    claims = {"iss": issuer, "aud": AUDIENCE, "jti": str(jti), "iat": now, "exp": now + days * DAY_SECONDS}
    return signer.sign(claims)


def read_invite(signer: TokenKeys, code: str, now: int) -> Invite:
    """Return what a code says. Raises InviteError."""
    if not (bare := code.strip()):
        raise InviteError("missing", MISSING)
    try:
        claims = signer.verify(bare, AUDIENCE)
        invite, expires = Invite(UUID(claims["jti"])), int(claims["exp"])
    except (TokenError, KeyError, ValueError, AttributeError) as error:
        raise InviteError("wrong", WRONG) from error
    if now >= expires:
        raise InviteError("expired", EXPIRED)
    return invite
