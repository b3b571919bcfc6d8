"""Hearing of sessions that ended elsewhere: at another server, in another region, or where two uses met."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from server.auth.issuer import Issuer
from server.auth.session_store import recent_revocations
from server.db.pool import Pool

_log = logging.getLogger(__name__)
_PAUSE_SECONDS: Final = 2.0
_LATELY_SECONDS: Final = 3_600
"""A row says when the session was ended over there; one that takes longer is met at the next refresh."""


async def poll_revocations(pool: Pool, issuer: Issuer, known: set[UUID]) -> set[UUID]:
    """Take no access token any more of sessions that ended and are not `known`; return those that are now."""
    async with pool.connection() as connection:
        ended = await recent_revocations(connection, _LATELY_SECONDS)
    if news := ended - known:
        issuer.end(news)
    return ended


@contextlib.asynccontextmanager
async def polling_revocations(pool: Pool, issuer: Issuer) -> AsyncIterator[None]:
    """Listen beside the server until the block ends."""
    task = asyncio.create_task(_keep_polling(pool, issuer), name="ended sessions")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _keep_polling(pool: Pool, issuer: Issuer) -> None:
    known: set[UUID] = set()
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        try:
            known = await poll_revocations(pool, issuer, known)
        except (psycopg.Error, PoolTimeout) as error:
            _log.warning("ended sessions not heard of", extra={"error": type(error).__name__})
