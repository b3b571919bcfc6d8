"""Who calls: the bearer token becomes an Identity, or the call ends here."""

from starlette.requests import Request

from server.api.state import state_of
from server.contract.errors import ErrorCode
from server.errors import ApiError
from server.tokens.tokens import Identity


def authenticate(request: Request) -> Identity:
    """Return who calls. Raises ApiError (unauthenticated, wrong_server)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise ApiError(ErrorCode.UNAUTHENTICATED, "Please sign in.")
    return state_of(request).auth.identify(token)
