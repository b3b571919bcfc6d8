"""The calls of a discovery server."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.contract import paths
from server.contract.cluster_calls import (
    HeartbeatRequest,
    HeartbeatTaken,
    Servers,
    ServerStateAnswer,
    SuspicionRequest,
    SuspicionTaken,
)
from server.contract.errors import ErrorCode
from server.contract.instants import instant
from server.contract.shapes import (
    Health,
)
from server.discovery.service import Discovery
from server.errors import ApiError
from server.http.operation import Query, documented
from server.http.responses import answer, read_json
from server.node.identity import VERSION

# Shorter than the time after which common proxies close an idle connection.
LONGEST_WAIT: Final = 25.0
_WAIT: Final = Query(
    "wait", {"type": "number", "minimum": 0}, f"seconds to wait for a change, {LONGEST_WAIT:.0f} at most"
)
_KNOWN: Final = Query(
    "known", {"type": "string"}, "the state that the caller knows; another one is returned at once"
)


def _discovery(request: Request) -> Discovery:
    discovery: Discovery = request.app.state.discovery
    return discovery


@documented(
    body=HeartbeatRequest, answer=HeartbeatTaken, signed_in=False, errors=(ErrorCode.HEARTBEAT_REFUSED,)
)
async def heartbeats(request: Request) -> Response:
    """POST /v1/heartbeats: a server reports that it is alive, and its load."""
    discovery = _discovery(request)
    discovery.beat((await read_json(request, HeartbeatRequest)).heartbeat)
    return answer(HeartbeatTaken(discovery.membership.roster.version, instant(discovery.clock())))


@documented(answer=Servers, signed_in=False)
async def servers(request: Request) -> Response:
    """GET /v1/servers: the signed roster and the signed directory."""
    return answer(_discovery(request).servers())


@documented(
    answer=ServerStateAnswer,
    query=(_WAIT, _KNOWN),
    signed_in=False,
    errors=(ErrorCode.NOT_FOUND, ErrorCode.BAD_REQUEST),
)
async def state(request: Request) -> Response:
    """GET /v1/servers/{id}/state: answers when the state is not `known`, at the latest after `wait`."""
    discovery = _discovery(request)
    known, wait = request.query_params.get("known", ""), _seconds(request.query_params.get("wait", "0"))
    found = await discovery.state(request.path_params["id"], known, wait)
    return answer(ServerStateAnswer(found, discovery.servers().directory))


@documented(body=SuspicionRequest, answer=SuspicionTaken, signed_in=False, errors=(ErrorCode.NOT_FOUND,))
async def suspicions(request: Request) -> Response:
    """POST /v1/servers/{id}/suspicions: a client reports a server that does not answer, to have it probed."""
    await read_json(request, SuspicionRequest)
    return answer(SuspicionTaken(_discovery(request).suspect(request.path_params["id"])))


@documented(answer=Health, signed_in=False)
async def live(request: Request) -> Response:
    """GET /health/live: returns 200 while the process answers."""
    return answer(Health("ok", _discovery(request).config.discovery_id, VERSION))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError as error:
        raise ApiError(ErrorCode.BAD_REQUEST, "wait must be a number of seconds, at least 0.") from error
    if not seconds >= 0:  # also refuses NaN
        raise ApiError(ErrorCode.BAD_REQUEST, "wait must be a number of seconds, at least 0.")
    return min(seconds, LONGEST_WAIT)


ROUTES = [
    Route(paths.HEARTBEATS, heartbeats, methods=["POST"]),
    Route(paths.SERVERS, servers, methods=["GET"]),
    Route(paths.SERVER_STATE, state, methods=["GET"]),
    Route(paths.SERVER_SUSPICIONS, suspicions, methods=["POST"]),
    Route(paths.HEALTH_LIVE, live, methods=["GET"]),
]
