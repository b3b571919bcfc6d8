"""Probes servers: whether one answers, and whether it is the one that the roster has at this address."""

import asyncio
from typing import Final

from server.cluster.peer_http import PeerHttp, PeerHttpError
from server.contract import paths
from server.contract.shapes import Health

PROBE_SECONDS: Final = 1.0
_MAX_BYTES: Final = 16 * 1024


async def answers(http: PeerHttp, url: str, server_id: str) -> bool:
    """Return whether the server `server_id` answers at `url` within PROBE_SECONDS.

    If the connection is refused, the result is known at once. A redirect is not an answer.
    """
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            health = await http.get(url, paths.HEALTH_LIVE, Health, max_bytes=_MAX_BYTES)
    except (PeerHttpError, TimeoutError):
        return False
    return health.server_id == server_id
