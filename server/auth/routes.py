"""The calls on accounts and sessions."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.contract import paths
from server.contract.shapes import Credentials, LocalSignIn, RefreshRequest
from server.http.responses import answer, read_json
from server.http.state import services_of


async def register(request: Request) -> Response:
    """POST /v1/auth/register"""
    body = await read_json(request, Credentials)
    return answer(await services_of(request).auth.register(body), HTTPStatus.CREATED)


async def login(request: Request) -> Response:
    """POST /v1/auth/login"""
    return answer(await services_of(request).auth.login(await read_json(request, Credentials)))


async def local_book(request: Request) -> Response:
    """GET /v1/auth/local"""
    return answer(await services_of(request).auth.local_book())


async def local_sign_in(request: Request) -> Response:
    """POST /v1/auth/local"""
    return answer(await services_of(request).auth.local_sign_in(await read_json(request, LocalSignIn)))


async def refresh(request: Request) -> Response:
    """POST /v1/auth/refresh"""
    return answer(await services_of(request).auth.refresh(await read_json(request, RefreshRequest)))


ROUTES = [
    Route(paths.AUTH_REGISTER, register, methods=["POST"]),
    Route(paths.AUTH_LOGIN, login, methods=["POST"]),
    Route(paths.AUTH_LOCAL, local_book, methods=["GET"]),
    Route(paths.AUTH_LOCAL, local_sign_in, methods=["POST"]),
    Route(paths.AUTH_REFRESH, refresh, methods=["POST"]),
]
