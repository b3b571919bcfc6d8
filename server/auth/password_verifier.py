"""Verifies passwords. Every attempt is counted and rate-limited, whether the user exists or not."""

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
    """Verifies passwords within the limits of `throttle`. `clock` returns seconds since 1970."""

    throttle: Throttle
    clock: Callable[[], float]
    passwords: Passwords = field(default_factory=Passwords)

    async def verify(self, attempt: Attempt, stored: str | None, password: str) -> bool:
        """Return whether `password` matches the hash `stored` (None: there is no such user).

        Raises ApiError (too_many_attempts), without verifying the password.
        """
        wait = self.throttle.admit(attempt, self.clock())
        if wait > 0:
            raise too_many_attempts(wait)
        bounded = password[: limits.MAX_PASSWORD + 1]  # hashing megabytes would take long
        matches = await self.passwords.verify(stored, bounded, known_device=attempt.device is not None)
        if matches:
            self.throttle.succeeded(attempt, self.clock())
        return matches


def attempt_of(name: str, host: str | None, known_device: UUID | None = None) -> Attempt:
    """Return an attempt from `host` on the account of `name`, which `name_key` has normalised."""
    # The hash gives keys of one size, so that long names do not fill the memory of the throttle.
    account = hashlib.sha256(name.encode()).digest()
    return Attempt(account, address_key(host), known_device.bytes if known_device else None)


def too_many_attempts(wait: float) -> ApiError:
    """Return the error for a caller that must wait for `wait` seconds."""
    seconds = math.ceil(wait)
    return ApiError(
        ErrorCode.TOO_MANY_ATTEMPTS,
        f"Too many attempts with a wrong password. Please try again in {_in_words(seconds)}.",
        {"retryAfter": seconds},
    )


def _in_words(seconds: int) -> str:
    if seconds <= _MINUTE:
        return "a minute"
    return f"{math.ceil(seconds / _MINUTE)} minutes"
