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
# How far back a poll reads. A row has the time at which the session ended in its region. If it arrives here
# later than this, it takes effect at the next refresh.
_RECENT_SECONDS: Final = 3_600


async def poll_revocations(pool: Pool, issuer: Issuer, known: set[UUID]) -> set[UUID]:
    """Refuse the access tokens of ended sessions that are not `known`; return all that ended recently."""
    async with pool.connection() as connection:
        ended = await recent_revocations(connection, _RECENT_SECONDS)
    if new := ended - known:
        issuer.end(new)
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
