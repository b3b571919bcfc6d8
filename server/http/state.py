"""What the routes of one running server share."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from server.auth.service import AuthService
from server.auth.tokens import Signer
from server.config import Config
from server.db.pool import Pool
from server.documents.service import DocumentService
from server.entries.changes import EntryChanges
from server.entries.export import CsvExport
from server.entries.service import EntryService


@dataclass(slots=True)
class Services:
    """One of each room's service; `clock` gives seconds since 1970."""

    config: Config
    pool: Pool
    signer: Signer
    clock: Callable[[], float]
    auth: AuthService
    documents: DocumentService
    entries: EntryService
    changes: EntryChanges
    exports: CsvExport


def services_of(request: Request) -> Services:
    """Return the services of the server that answers `request`."""
    services: Services = request.app.state.services
    return services
