"""The pools of connections."""

import asyncio

from server.db.pool import make_blocking_pool, make_pool

NOWHERE = "postgresql://127.0.0.1:1/bahi"


async def a_pool() -> tuple[float, float]:
    pool = make_pool(NOWHERE, 2)
    return pool.reconnect_timeout, pool.timeout


def test_a_pool_never_pauses_longer_between_two_tries_than_a_call_waits() -> None:
    blocking = make_blocking_pool(NOWHERE, 2)
    for tries_for, call_waits in (asyncio.run(a_pool()), (blocking.reconnect_timeout, blocking.timeout)):
        assert tries_for <= call_waits
