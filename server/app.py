"""create_app: routes, middleware and the services of one server."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from server.auth.keys import load_or_make_key
from server.auth.routes import ROUTES as AUTH
from server.auth.service import AuthService
from server.auth.tokens import Signer, warm_up
from server.config import Config
from server.db.pool import make_blocking_pool, make_pool
from server.documents.folder import FolderStore
from server.documents.routes import ROUTES as DOCUMENTS
from server.documents.service import DocumentService
from server.entries.changes import EntryChanges
from server.entries.export import CsvExport
from server.entries.routes import ROUTES as ENTRIES
from server.entries.service import EntryService
from server.http.health import ROUTES as HEALTH
from server.http.middleware import Envelope, status_error
from server.http.openapi import openapi_route
from server.http.responses import error_response
from server.http.state import Services
from server.journal.rollup import rollup

_WARM_UP_AFTER_SECONDS = 1.0
_EXPORTS_AT_ONCE = 4


def make_services(config: Config, clock: Callable[[], float] = time.time) -> Services:
    """Return the services of a server whose database is migrated; the pool is not open yet."""
    folder = config.folder
    folder.mkdir(parents=True, exist_ok=True)
    signer = Signer(load_or_make_key(folder / "server-key.pem"))
    pool = make_pool(config.database_url, config.pool_size)
    documents = DocumentService(pool, FolderStore(config.documents_folder), signer, clock)
    return Services(
        config=config,
        pool=pool,
        signer=signer,
        clock=clock,
        auth=AuthService(config, pool, signer, clock),
        documents=documents,
        entries=EntryService(pool),
        changes=EntryChanges(config, pool, documents, clock),
        exports=CsvExport(make_blocking_pool(config.database_url, _EXPORTS_AT_ONCE)),
    )


def set_public_url(services: Services, url: str) -> None:
    """Tell the services where clients reach them; known once the server listens."""
    services.auth.public_url = services.documents.public_url = url


def create_app(services: Services) -> Starlette:
    """Return the ASGI application."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await services.pool.open()
        warming = asyncio.create_task(_warm_up_soon(), name="warm up")
        try:
            async with rollup(services.pool):
                yield
        finally:
            warming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await warming
            await services.pool.close()
            await asyncio.to_thread(services.exports.pool.close)

    routes = [*AUTH, *DOCUMENTS, *ENTRIES, *HEALTH]
    app = Starlette(
        routes=[*routes, openapi_route(routes)],
        middleware=[Middleware(Envelope, local_secret=services.config.local_secret)],
        exception_handlers={HTTPException: _router_refusal},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # an address is right or not found; a redirect trusts the Host header
    app.state.services = services
    return app


async def _warm_up_soon() -> None:
    """Import what the first token needs, but not while the first calls are answered: imports hold the GIL."""
    await asyncio.sleep(_WARM_UP_AFTER_SECONDS)
    await asyncio.to_thread(warm_up)


async def _router_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return error_response(status_error(error.status_code))
