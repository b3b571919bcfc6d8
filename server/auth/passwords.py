"""Passwords: Argon2id (RFC 9106, OWASP's m=19 MiB t=2 p=1), in threads and never many at once."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_AT_ONCE: Final = 2
# A name that does not exist costs what a wrong password costs, so that the time tells nobody which names do.
_NOBODY: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$f2HlsrVL9IvgvTJfPMwPSQ$hJgJe9BSzbKzI7hGokigcirUtVaLNE1GR+O/QOKFDrE"
)


class Passwords:
    """Hashes and verifies; one per event loop."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._owners_room = asyncio.Semaphore(1)

    async def hash(self, password: str) -> str:
        """Return the PHC string."""
        async with self._room:
            return await asyncio.to_thread(_hasher.hash, password)

    async def verify(self, stored: str | None, password: str, *, known_device: bool = False) -> bool:
        """Say whether `password` is the one that `stored` was made from; None never is.

        A known device does not queue behind whoever else is guessing.
        """
        async with self._owners_room if known_device else self._room:
            matches = await asyncio.to_thread(_verify, stored or _NOBODY, password)
        return matches and bool(stored)

    def needs_rehash(self, stored: str) -> bool:
        """Say whether `stored` was made with weaker parameters than today's."""
        return _hasher.check_needs_rehash(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
