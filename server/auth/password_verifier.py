"""The one door that every password goes through: counted, bounded, and hashed whoever's it is."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from server.auth.passwords import Passwords
from server.auth.throttle import Attempt, Throttle, address_key
from server.contract import limits
from server.contract.errors import ErrorCode
from server.errors import ApiError

_MINUTE: Final = 60


@dataclass(slots=True)
class PasswordVerifier:
    """`clock` gives seconds since 1970."""

    throttle: Throttle
    clock: Callable[[], float]
    passwords: Passwords = field(default_factory=Passwords)

    async def verify(self, attempt: Attempt, stored: str | None, password: str) -> bool:
        """Say whether `password` is the one of `stored` (None: nobody's). Raises ApiError
        (too_many_attempts) before it looks.
        """
        wait = self.throttle.admit(attempt, self.clock())
        if wait > 0:
            raise too_many_attempts(wait)
        bounded = password[: limits.MAX_PASSWORD + 1]
        right = await self.passwords.verify(stored, bounded, known_device=attempt.device is not None)
        if right:
            self.throttle.succeeded(attempt, self.clock())
        return right


def attempt_of(name: str, host: str | None, known_device: UUID | None = None) -> Attempt:
    """Return the attempt on the account of `name` (as `name_key` spells it) that comes from `host`."""
    account = hashlib.sha256(name.encode()).digest()
    return Attempt(account, address_key(host), known_device.bytes if known_device else None)


def too_many_attempts(wait: float) -> ApiError:
    """Return the refusal that says for how many seconds."""
    seconds = math.ceil(wait)
    return ApiError(
        ErrorCode.TOO_MANY_ATTEMPTS,
        f"There were too many attempts with a wrong password. Please try again in {_in_words(seconds)}.",
        {"retryAfter": seconds},
    )


def _in_words(seconds: int) -> str:
    if seconds <= _MINUTE:
        return "a minute"
    return f"{math.ceil(seconds / _MINUTE)} minutes"
