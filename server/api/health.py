"""Is the process alive, and can it take a save?"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.state import state_of
from server.contract import paths
from server.contract.errors import ErrorCode
from server.contract.shapes import Health
from server.errors import ApiError
from server.http.operation import documented
from server.http.responses import answer
from server.node.identity import VERSION

_WRITE: Final = """
select pg_logical_emit_message(true, 'bahi ready', '')
where current_setting('transaction_read_only') = 'off'"""


@documented(answer=Health, signed_in=False)
async def live(request: Request) -> Response:
    """GET /health/live: the process answers."""
    return answer(Health("ok", state_of(request).config.server_id, VERSION))


@documented(answer=Health, signed_in=False, errors=(ErrorCode.DRAINING,))
async def ready(request: Request) -> Response:
    """GET /health/ready: the database takes a write (a standby or a full disk would not), and new clients
    are welcome."""
    services = state_of(request)
    if services.lifecycle.is_draining:
        raise ApiError(ErrorCode.DRAINING, "This server is about to end; another one takes new clients.")
    async with services.pool.connection() as connection:
        # A record in the log that no table sees, flushed like any commit: the write path and nothing else.
        cursor = await connection.execute(_WRITE)
        if await cursor.fetchone() is None:
            raise ApiError(ErrorCode.DATABASE_UNAVAILABLE, "The server's database takes no writes just now.")
    return answer(Health("ok", services.config.server_id, VERSION))


ROUTES = [
    Route(paths.HEALTH_LIVE, live, methods=["GET"]),
    Route(paths.HEALTH_READY, ready, methods=["GET"]),
]
