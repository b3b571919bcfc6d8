"""Verifies passwords. Every attempt is counted and rate-limited, whether the user exists or not."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from server.auth.local_throttle import LocalThrottle
from server.auth.passwords import Passwords
from server.auth.throttle import Attempt, Throttle, address_key
from server.contract import limits
from server.contract.errors import ErrorCode
from server.errors import ApiError

_MINUTE: Final = 60


@dataclass(slots=True)
class PasswordVerifier:
    """Verifies passwords within the limits of `throttle`. `clock` returns seconds since 1970."""

    throttle: Throttle | LocalThrottle
    clock: Callable[[], float]
    passwords: Passwords = field(default_factory=Passwords)

    async def verify(self, attempt: Attempt, stored: str | None, *forms: str) -> bool:
        """Return whether one of the `forms` of a password matches the hash `stored` (None: there is no such
        user). Empty forms after the first one are left out.

        Raises ApiError (too_many_attempts), without verifying the password.
        """
        self.admit(attempt)
        known = attempt.device is not None
        for form in (forms[0], *(form for form in forms[1:] if form)):
            bounded = form[: limits.MAX_PASSWORD + 1]  # hashing megabytes would take long
            if await self.passwords.verify(stored, bounded, known_device=known):
                self.succeeded(attempt)
                return True
        return False

    def admit(self, attempt: Attempt) -> None:
        """Charge an attempt, which `succeeded` gives back. Raises ApiError (too_many_attempts)."""
        if (wait := self.throttle.admit(attempt, self.clock())) > 0:
            raise too_many_attempts(wait)

    def succeeded(self, attempt: Attempt) -> None:
        """Give back an attempt that was right."""
        self.throttle.succeeded(attempt, self.clock())

    def wait_detail(self, attempt: Attempt) -> dict[str, object]:
        """Return the detail of the answer to a wrong attempt: `retryAfter` if the next one must wait."""
        wait = math.ceil(self.throttle.wait(attempt, self.clock()))
        return {"retryAfter": wait} if wait else {}


def attempt_on(user_id: UUID, host: str | None, known_device: UUID | None = None) -> Attempt:
    """Return an attempt from `host` on the account of a user."""
    # Not the typed name: an account may be found by several, and all of them share one allowance.
    return _attempt(f"user {user_id}", host, known_device)


def attempt_at_name(key: str, host: str | None) -> Attempt:
    """Return an attempt from `host` on a name that nobody has. `key` comes from `guess_key`."""
    return _attempt(f"name {key}", host, None)


def _attempt(whose: str, host: str | None, known_device: UUID | None) -> Attempt:
    # The hash gives keys of one size, so that long names do not fill the memory of the throttle.
    account = hashlib.sha256(whose.encode()).digest()
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
    if seconds < _MINUTE:
        return "a second" if seconds <= 1 else f"{seconds} seconds"
    if seconds == _MINUTE:
        return "a minute"
    return f"{math.ceil(seconds / _MINUTE)} minutes"
