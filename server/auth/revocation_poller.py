"""Polls for sessions that another server or region ended, or a refresh token that was used twice."""

import asyncio
import logging
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
"""How far back a poll looks. A row has the time at which the session ended in its region; if it arrives later
than this, it takes effect at the next refresh."""


async def poll_revocations(pool: Pool, issuer: Issuer, known: set[UUID]) -> set[UUID]:
    """Refuse the access tokens of sessions that ended and are not `known`; return all that ended lately."""
    async with pool.connection() as connection:
        ended = await recent_revocations(connection, _LATELY_SECONDS)
    if news := ended - known:
        issuer.end(news)
    return ended


async def keep_polling_revocations(pool: Pool, issuer: Issuer) -> None:
    """Poll every two seconds until cancelled."""
    known: set[UUID] = set()
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        try:
            known = await poll_revocations(pool, issuer, known)
        except (psycopg.Error, PoolTimeout) as error:
            _log.warning("revocation poll failed; retrying", extra={"error": type(error).__name__})
