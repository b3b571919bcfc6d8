"""The health checks: whether the process is alive, and whether it can accept changes."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.authenticate import authenticate
from server.api.state import state_of
from server.contract import paths
from server.contract.errors import ErrorCode
from server.contract.shapes import Health
from server.errors import ApiError
from server.http.operation import documented
from server.http.responses import answer
from server.node.identity import VERSION

# Writes a record to PostgreSQL's write-ahead log that belongs to no table. Like any commit, it waits until
# the log is on disk, so it tests exactly the write path. A standby or a full disk fails it.
_WRITE: Final = """
select pg_logical_emit_message(true, 'bahi ready', '')
where current_setting('transaction_read_only') = 'off'"""


@documented(answer=Health, signed_in=False)
async def live(request: Request) -> Response:
    """GET /health/live: returns 200 while the process answers."""
    return answer(Health("ok", state_of(request).config.server_id, VERSION))


@documented(
    answer=Health,
    signed_in=False,
    errors=(ErrorCode.DRAINING, ErrorCode.UNAUTHENTICATED, ErrorCode.WRONG_SERVER),
)
async def ready(request: Request) -> Response:
    """GET /health/ready: returns 200 if the database accepts writes and the server is not draining.

    With an access token, it returns 401 if the session has ended.
    """
    services = state_of(request)
    if "authorization" in request.headers:  # an idle client, which asks nothing else
        authenticate(request)
    if services.lifecycle.is_draining:
        raise ApiError(ErrorCode.DRAINING, "This server is shutting down; another one takes new clients.")
    async with services.pool.connection() as connection:
        cursor = await connection.execute(_WRITE)
        if await cursor.fetchone() is None:
            raise ApiError(ErrorCode.DATABASE_UNAVAILABLE, "The server's database is read-only.")
    return answer(Health("ok", services.config.server_id, VERSION))


ROUTES = [
    Route(paths.HEALTH_LIVE, live, methods=["GET"]),
    Route(paths.HEALTH_READY, ready, methods=["GET"]),
]
