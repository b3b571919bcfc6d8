"""The calls on accounts and sessions."""

from http import HTTPStatus
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.authenticate import authenticate
from server.api.state import state_of
from server.contract import paths
from server.contract.errors import ErrorCode
from server.contract.shapes import (
    Credentials,
    LocalBook,
    LocalRecovery,
    LocalSignIn,
    LogoutRequest,
    PasswordChange,
    PasswordReset,
    RecoveryCode,
    RecoveryCodeRequest,
    Refreshed,
    RefreshRequest,
    Registration,
    Sessions,
    SessionsEnded,
    SignedIn,
)
from server.http.operation import documented
from server.http.responses import answer, read_json

_PASSWORD = (ErrorCode.INVALID_FIELDS, ErrorCode.WRONG_CREDENTIALS, ErrorCode.TOO_MANY_ATTEMPTS)
_TOKEN = (ErrorCode.UNAUTHENTICATED, ErrorCode.WRONG_SERVER, ErrorCode.INVALID_FIELDS)
_REGISTER = (
    ErrorCode.INVALID_FIELDS,
    ErrorCode.REGISTRATION_CLOSED,
    ErrorCode.INVITE_REFUSED,
    ErrorCode.USER_NAME_TAKEN,
)


@documented(body=Registration, answer=SignedIn, status=HTTPStatus.CREATED, signed_in=False, errors=_REGISTER)
async def register(request: Request) -> Response:
    """POST /v1/auth/register: creates an account and logs in."""
    body = await read_json(request, Registration)
    return answer(await state_of(request).auth.register(body, _host(request)), HTTPStatus.CREATED)


@documented(body=Credentials, answer=SignedIn, signed_in=False, errors=_PASSWORD)
async def login(request: Request) -> Response:
    """POST /v1/auth/login: starts a session."""
    body = await read_json(request, Credentials)
    return answer(await state_of(request).auth.login(body, _host(request)))


@documented(answer=LocalBook, signed_in=False, errors=(ErrorCode.NOT_FOUND,))
async def local_book(request: Request) -> Response:
    """GET /v1/auth/local: what is known of the local book before a log-in."""
    return answer(await state_of(request).auth.local_book())


@documented(body=LocalSignIn, answer=SignedIn, signed_in=False, errors=(*_PASSWORD, ErrorCode.NOT_FOUND))
async def local_sign_in(request: Request) -> Response:
    """POST /v1/auth/local: logs in to the local book, and creates it if there is none."""
    body = await read_json(request, LocalSignIn)
    return answer(await state_of(request).auth.local_sign_in(body, _host(request)))


@documented(body=LocalRecovery, answer=SignedIn, signed_in=False, errors=(*_PASSWORD, ErrorCode.NOT_FOUND))
async def local_recover(request: Request) -> Response:
    """POST /v1/auth/local/recover: sets a new password with the recovery code of the local book."""
    body, auth = await read_json(request, LocalRecovery), state_of(request).auth
    auth.require_local()
    return answer(await auth.recovery.recover(body, _host(request)))


@documented(body=RecoveryCodeRequest, answer=RecoveryCode, errors=(*_PASSWORD, ErrorCode.NOT_FOUND))
async def local_recovery_code(request: Request) -> Response:
    """POST /v1/auth/local/recovery-code: replaces the recovery code of the local book."""
    identity = authenticate(request)
    body, auth = await read_json(request, RecoveryCodeRequest), state_of(request).auth
    auth.require_local()
    return answer(await auth.recovery.replace_code(identity, body, _host(request)))


@documented(body=PasswordReset, answer=SignedIn, signed_in=False, errors=(ErrorCode.INVALID_FIELDS,))
async def reset_password(request: Request) -> Response:
    """POST /v1/auth/password/reset: sets a new password with the code of an operator's link."""
    body = await read_json(request, PasswordReset)
    return answer(await state_of(request).auth.recovery.reset(body, _host(request)))


@documented(body=RefreshRequest, answer=Refreshed, signed_in=False, errors=_TOKEN)
async def refresh(request: Request) -> Response:
    """POST /v1/auth/refresh: rotates the tokens, and pins the session to a server."""
    body = await read_json(request, RefreshRequest)
    return answer(await state_of(request).auth.sessions.refresh(body))


@documented(body=LogoutRequest, answer=SessionsEnded, signed_in=False, errors=_TOKEN)
async def logout(request: Request) -> Response:
    """POST /v1/auth/logout: ends the session of a refresh token. It needs no access token."""
    body = await read_json(request, LogoutRequest)
    return answer(await state_of(request).auth.sessions.logout(body))


@documented(body=PasswordChange, answer=SessionsEnded, errors=_PASSWORD)
async def change_password(request: Request) -> Response:
    """POST /v1/auth/password: changes the password, and ends the user's other sessions."""
    identity = authenticate(request)
    body = await read_json(request, PasswordChange)
    sessions = state_of(request).auth.sessions
    return answer(await sessions.change_password(identity, body, _host(request)))


@documented(answer=Sessions)
async def list_sessions(request: Request) -> Response:
    """GET /v1/auth/sessions: lists the sessions of the caller."""
    return answer(await state_of(request).auth.sessions.sessions(authenticate(request)))


@documented(answer=SessionsEnded, errors=(ErrorCode.NOT_FOUND,))
async def end_session(request: Request) -> Response:
    """DELETE /v1/auth/sessions/{family}: ends one session of the caller."""
    family = request.path_params["family"]
    return answer(await state_of(request).auth.sessions.end(authenticate(request), family))


def _host(request: Request) -> str | None:
    # Behind a proxy on this computer, uvicorn has replaced the address by that in X-Forwarded-For. A header
    # that is no address names nobody: then the caller is that proxy.
    host = request.client.host if request.client else ""
    try:
        return ip_address(host.partition("%")[0]).compressed
    except ValueError:
        return None


ROUTES = [
    Route(paths.AUTH_REGISTER, register, methods=["POST"]),
    Route(paths.AUTH_LOGIN, login, methods=["POST"]),
    Route(paths.AUTH_LOCAL, local_book, methods=["GET"]),
    Route(paths.AUTH_LOCAL, local_sign_in, methods=["POST"]),
    Route(paths.AUTH_LOCAL_RECOVER, local_recover, methods=["POST"]),
    Route(paths.AUTH_LOCAL_CODE, local_recovery_code, methods=["POST"]),
    Route(paths.AUTH_RESET, reset_password, methods=["POST"]),
    Route(paths.AUTH_REFRESH, refresh, methods=["POST"]),
    Route(paths.AUTH_LOGOUT, logout, methods=["POST"]),
    Route(paths.AUTH_PASSWORD, change_password, methods=["POST"]),
    Route(paths.AUTH_SESSIONS, list_sessions, methods=["GET"]),
    Route(paths.AUTH_SESSION, end_session, methods=["DELETE"]),
]
