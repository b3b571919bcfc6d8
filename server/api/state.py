"""The services of one running server, shared by its routes."""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from server.auth.service import AuthService
from server.cluster.heartbeat_sender import HeartbeatSender
from server.cluster.membership import Membership
from server.cluster.peer_http import PeerHttp
from server.cluster.trusted_keys import TrustedKeys
from server.config import Config
from server.db.pool import Pool
from server.documents.service import DocumentService
from server.entries.changes import EntryChanges
from server.entries.export import CsvExport
from server.entries.service import EntryService
from server.http.tally import Tally
from server.node.lifecycle import Lifecycle
from server.node.load import LoadMeter
from server.peers.replication_status import ReplicationLookup
from server.pinning.placement import Placement
from server.tokens.tokens import Signer


@dataclass(slots=True)
class ServerState:
    """The services of one server. `clock` returns seconds since 1970."""

    config: Config
    pool: Pool
    clock: Callable[[], float]
    membership: Membership
    trusted_keys: TrustedKeys
    lifecycle: Lifecycle
    load: LoadMeter
    http: PeerHttp
    heartbeats: HeartbeatSender
    placement: Placement
    auth: AuthService
    replication_lookup: ReplicationLookup
    documents: DocumentService
    entries: EntryService
    changes: EntryChanges
    exports: CsvExport
    tally: Tally = field(default_factory=Tally)

    @property
    def signer(self) -> Signer:
        """The key that this server signs with at the moment."""
        # A property, because the key changes when the roster rotates it.
        return self.trusted_keys.signer


def state_of(request: Request) -> ServerState:
    """Return the services of the server that answers `request`."""
    services: ServerState = request.app.state.services
    return services
