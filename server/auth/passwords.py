"""Password hashing with Argon2id (RFC 9106; parameters of OWASP: m=19 MiB, t=2, p=1).

Hashing runs in threads, a few at a time: each one takes a processor and 19 MiB of memory.
"""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_AT_ONCE: Final = 2
# Verified against if the user does not exist. So a login takes the same time whether the name exists or not,
# and nobody can find out names by measuring it.
_NOBODY: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$f2HlsrVL9IvgvTJfPMwPSQ$hJgJe9BSzbKzI7hGokigcirUtVaLNE1GR+O/QOKFDrE"
)


class Passwords:
    """Hashes and verifies passwords. Used in one event loop only."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_AT_ONCE)
        # A known device has a slot of its own, so that guessers who fill the others do not delay it.
        self._known_device_slot = asyncio.Semaphore(1)

    async def hash(self, password: str) -> str:
        """Return the hash of `password` as a PHC string."""
        async with self._slots:
            return await asyncio.to_thread(_hasher.hash, password)

    async def verify(self, stored: str | None, password: str, *, known_device: bool = False) -> bool:
        """Return whether `password` matches the hash `stored`; False if that is None or ""."""
        async with self._known_device_slot if known_device else self._slots:
            matches = await asyncio.to_thread(_verify, stored or _NOBODY, password)
        return matches and bool(stored)

    def needs_rehash(self, stored: str) -> bool:
        """Return whether the hash `stored` was made with other parameters than today's."""
        return _hasher.check_needs_rehash(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
