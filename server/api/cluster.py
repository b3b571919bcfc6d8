"""The calls about this server and its cluster."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.state import state_of
from server.contract import paths
from server.contract.cluster_calls import (
    Closest,
    Servers,
)
from server.contract.errors import ErrorCode
from server.contract.instants import instant
from server.http.operation import documented
from server.http.responses import answer, status_error


@documented(answer=Closest, signed_in=False, errors=(ErrorCode.NOT_FOUND,))
async def closest_to_me(request: Request) -> Response:
    """GET /closestToMe: names this server. The central URL leads clients to the closest one."""
    services = state_of(request)
    if services.config.local:  # a local server has no cluster
        raise status_error(404)
    config = services.config
    return answer(Closest(config.server_id, config.region, instant(services.clock())))


@documented(answer=Servers, signed_in=False)
async def servers(request: Request) -> Response:
    """GET /v1/servers: the signed roster, the newest signed directory, and whom to ask for help."""
    services = state_of(request)
    membership, contact = services.membership, services.config.contact
    return answer(Servers(membership.roster_text, membership.directory_text, contact))


ROUTES = [
    Route(paths.CLOSEST_TO_ME, closest_to_me, methods=["GET"]),
    Route(paths.SERVERS, servers, methods=["GET"]),
]
