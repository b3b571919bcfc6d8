"""Who calls: the bearer token becomes an Identity, or the call ends here."""

from starlette.requests import Request

from server.api.state import services_of
from server.contract.errors import ErrorCode
from server.errors import ServerError
from server.tokens.tokens import Identity


def identify(request: Request) -> Identity:
    """Return who calls. Raises ServerError (unauthenticated, wrong_server)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise ServerError(ErrorCode.UNAUTHENTICATED, "Please sign in.")
    return services_of(request).auth.identify(token)
