"""Is the process alive, and can it take a save?"""

from importlib import metadata

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.contract import paths
from server.contract.shapes import Health
from server.http.operation import describes
from server.http.responses import answer
from server.http.state import services_of

VERSION = metadata.version("bahi")


@describes(answer=Health, signed_in=False)
async def live(request: Request) -> Response:
    """GET /health/live: the process answers."""
    return answer(Health("ok", services_of(request).config.server_id, VERSION))


@describes(answer=Health, signed_in=False)
async def ready(request: Request) -> Response:
    """GET /health/ready: the database takes a write (a standby or a full disk would not)."""
    services = services_of(request)
    async with services.pool.connection() as connection, connection.transaction(force_rollback=True):
        await connection.execute("select pg_current_xact_id()")
        await connection.execute("create temporary table bahi_ready (x integer) on commit drop")
    return answer(Health("ok", services.config.server_id, VERSION))


ROUTES = [
    Route(paths.HEALTH_LIVE, live, methods=["GET"]),
    Route(paths.HEALTH_READY, ready, methods=["GET"]),
]
