"""The application of a discovery server: routes, middleware and lifespan."""

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from server.discovery.routes import ROUTES
from server.discovery.service import Discovery
from server.http.middleware import Envelope
from server.http.openapi import openapi_route
from server.http.responses import error_response, status_error
from server.http.tally import Tally
from server.node.lifecycle import Lifecycle
from server.node.load import LoadMeter
from server.node.pinned_sessions import PinnedSessions


def create_app(discovery: Discovery) -> Starlette:
    """Return the ASGI application."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with discovery.running():
            yield

    # The middleware needs a load meter; a discovery server does not report its load.
    load = LoadMeter(1, lambda: 0.0, PinnedSessions(), discovery.clock)
    app = Starlette(
        routes=[*ROUTES, openapi_route(ROUTES)],
        middleware=[Middleware(Envelope, load=load, tally=Tally(), own=Lifecycle())],
        exception_handlers={HTTPException: _router_refusal},
        lifespan=lifespan,
    )
    # A redirect would be built from the Host header, which a client can forge.
    app.router.redirect_slashes = False
    app.state.discovery = discovery
    return app


async def _router_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return error_response(status_error(error.status_code))
