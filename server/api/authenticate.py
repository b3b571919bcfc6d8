"""Authentication of a call by its bearer token."""

from starlette.requests import Request

from server.api.state import state_of
from server.contract.errors import ErrorCode
from server.errors import ApiError
from server.tokens.tokens import Identity


def authenticate(request: Request) -> Identity:
    """Return the identity of the caller. Raises ApiError (unauthenticated, wrong_server)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise ApiError(ErrorCode.UNAUTHENTICATED, "Please sign in.")
    return state_of(request).auth.caller(token)
