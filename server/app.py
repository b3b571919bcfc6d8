"""Composition of a server: creates its services, and the application with its routes and middleware."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from server.api.auth import ROUTES as AUTH
from server.api.cluster import ROUTES as CLUSTER
from server.api.documents import ROUTES as DOCUMENTS
from server.api.entries import ROUTES as ENTRIES
from server.api.health import ROUTES as HEALTH
from server.api.metrics import ROUTES as METRICS
from server.api.peers import ROUTES as PEERS
from server.api.state import ServerState
from server.auth.issuer import Issuer
from server.auth.revocation_poller import keep_polling_revocations
from server.auth.service import AuthService
from server.cluster.heartbeat_sender import HeartbeatSender
from server.cluster.peer_http import PeerHttp
from server.cluster.startup import own_roster, start_member
from server.config import Config
from server.contract.durable_files import make_folder
from server.db.pool import make_blocking_pool, make_pool
from server.documents.folder import FolderStore
from server.documents.replicator import DocumentReplicator
from server.documents.service import DocumentService
from server.entries.changes import EntryChanges
from server.entries.export import CsvExport
from server.entries.long_reads import LongReads
from server.entries.service import EntryService
from server.http.middleware import Envelope
from server.http.openapi import openapi_route
from server.http.responses import error_response, status_error
from server.journal.rollup import keep_folding
from server.node.background import background
from server.node.identity import VERSION
from server.node.lifecycle import Lifecycle
from server.node.load import LoadMeter, use_of
from server.node.pinned_sessions import PinnedSessions
from server.peers.client import PeerClient
from server.peers.replication_status import ReplicationLookup
from server.pinning.placement import Placement
from server.tokens.tokens import warm_up

_WARM_UP_AFTER_SECONDS = 1.0
_EXPORTS_AT_ONCE = 4


def make_services(config: Config, clock: Callable[[], float] = time.time) -> ServerState:
    """Return the services of a server whose database has been migrated. The pool is not open yet.

    Raises StartError if the roster contradicts the configuration, or `ca_file` cannot be read.
    """
    make_folder(config.folder)
    member = start_member(config, clock)
    config, membership, trusted_keys = member.config, member.membership, member.trusted_keys
    pool, lifecycle, pinned = make_pool(config.database_url, config.pool_size), Lifecycle(), PinnedSessions()
    load = LoadMeter(config.capacity, lambda: use_of(pool), pinned, clock)
    http = PeerHttp(config.ca_file)
    store, peers = FolderStore(config.documents_folder), PeerClient(membership, trusted_keys, http)
    replication_lookup = ReplicationLookup(config.server_id, config.region, pool, peers, store.present)
    placement = Placement(
        config.server_id,
        config.policy,
        config.drain_seconds,
        membership,
        lifecycle,
        load,
        writes_arrived=replication_lookup.arrived,
    )
    replicator = DocumentReplicator(pool, store, peers, config.folder / "copies")
    documents = DocumentService(pool, store, trusted_keys, clock, replicator)
    issuer = Issuer(config.server_id, trusted_keys, clock, pinned)
    auth = AuthService(config, pool, issuer, placement, clock)
    membership.changed.append(auth.roster_changed)
    roster = Path(config.roster) if config.roster else None
    heartbeats = HeartbeatSender(membership, trusted_keys, lifecycle, load.report, VERSION, http, roster)
    return ServerState(
        config=config,
        pool=pool,
        clock=clock,
        membership=membership,
        trusted_keys=trusted_keys,
        lifecycle=lifecycle,
        load=load,
        http=http,
        heartbeats=heartbeats,
        placement=placement,
        auth=auth,
        replication_lookup=replication_lookup,
        documents=documents,
        entries=EntryService(pool, LongReads.of(pool)),
        changes=EntryChanges(config, pool, documents, clock),
        exports=CsvExport(make_blocking_pool(config.database_url, _EXPORTS_AT_ONCE)),
    )


def set_public_url(services: ServerState, url: str) -> None:
    """Set the URL at which clients reach this server: that of the roster, or else `url`."""
    if services.config.roster:
        url = services.config.public_url
    else:
        services.membership.readdress(*own_roster(services.config, services.signer, url))
    services.documents.public_url = url


def create_app(services: ServerState) -> Starlette:
    """Return the ASGI application."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await services.pool.open()
        try:
            async with (
                services.http,
                # Entered in this order and left in the reverse one: heartbeats end first, and report that
                # this server has left while everything else still works.
                background(
                    _warm_up_soon(),
                    services.load.keep_sampling(),
                    keep_folding(services.pool),
                    keep_polling_revocations(services.pool, services.auth.issuer),
                ),
                services.documents.replicator.running(),
                services.heartbeats.running(),
            ):
                yield
        finally:
            await services.pool.close()
            await asyncio.to_thread(services.exports.pool.close)

    routes = [*AUTH, *DOCUMENTS, *ENTRIES, *PEERS, *CLUSTER, *HEALTH, *METRICS]
    app = Starlette(
        routes=[*routes, openapi_route(routes)],
        middleware=[
            Middleware(
                Envelope,
                load=services.load,
                tally=services.tally,
                own=services.lifecycle,
                local_secret=services.config.local_secret,
            )
        ],
        exception_handlers={HTTPException: _router_refusal},
        lifespan=lifespan,
    )
    # A redirect would be built from the Host header, which a client can forge.
    app.router.redirect_slashes = False
    app.state.services = services
    return app


async def _warm_up_soon() -> None:
    """Import what signing the first token needs."""
    # Not at once: an import holds the GIL, which would delay the first calls.
    await asyncio.sleep(_WARM_UP_AFTER_SECONDS)
    await asyncio.to_thread(warm_up)


async def _router_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return error_response(status_error(error.status_code))
