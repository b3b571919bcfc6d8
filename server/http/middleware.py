"""Around every call: a request id, the local secret, a log line, and errors as bodies. Pure ASGI."""

import hmac
import logging
import re
import secrets
import time
import traceback
from http import HTTPMethod
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.contract import paths
from server.contract.errors import ErrorCode
from server.errors import ApiError
from server.http.responses import error_response
from server.http.tally import Tally
from server.log import request_id
from server.node.lifecycle import Lifecycle
from server.node.load import LoadMeter

_log = logging.getLogger("server.access")
_SAFE_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
# Read-only: a standby, or a database that was closed to writes; another server, or a later try, can take it.
_UNAVAILABLE: Final = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction, PoolTimeout)
_OPEN_PATHS: Final = frozenset({paths.HEALTH_LIVE})
_ID: Final = paths.REQUEST_ID_HEADER.lower().encode()
_SECRET: Final = paths.LOCAL_SECRET_HEADER.lower().encode()
_DRAINING: Final = paths.DRAINING_HEADER.lower().encode()
_METHODS: Final = frozenset(HTTPMethod)


class Envelope:
    """Wraps the application; `local_secret` is what every call must carry, "" where none is asked for.

    Calls are counted in `load` and `tally`; while this server drains, every answer says so.
    """

    def __init__(
        self, app: ASGIApp, load: LoadMeter, tally: Tally, own: Lifecycle, local_secret: str = ""
    ) -> None:
        self._app = app
        self._load, self._tally, self._own = load, tally, own
        self._secret = local_secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = _CallLog(scope, send, self._own)
        request_id.set(call.id.decode())
        self._load.began()
        try:
            self._check_secret(scope)
            await self._app(scope, receive, call.send)
        except Exception as error:  # noqa: BLE001 - the server's one last resort
            await call.fail(_translate(error), scope, receive)
        finally:
            seconds = call.seconds
            self._load.ended(seconds * 1_000)
            self._tally.add(call.route, call.method, call.status, seconds)
            call.log(seconds)

    def _check_secret(self, scope: Scope) -> None:
        if not self._secret or scope["path"] in _OPEN_PATHS:
            return
        given = _header(scope, _SECRET)
        if not hmac.compare_digest(given, self._secret):
            raise ApiError(ErrorCode.FORBIDDEN, "This server belongs to the program that started it.")


class _CallLog:
    """One call on its way through."""

    def __init__(self, scope: Scope, send: Send, own: Lifecycle) -> None:
        given = _header(scope, _ID)
        self.id = given if _SAFE_ID.match(given) else secrets.token_hex(8).encode()
        self._scope, self._send, self._own = scope, send, own
        self._began = time.perf_counter()
        self.status = 0

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.perf_counter() - self._began

    @property
    def method(self) -> str:
        """One of HTTP's own, or OTHER: whatever somebody sends must not become a label."""
        method = str(self._scope["method"])
        return method if method in _METHODS else "OTHER"

    @property
    def route(self) -> str:
        """The template, not the path: a path may hold a signed link."""
        return getattr(self._scope.get("route"), "path", None) or "unknown"

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message.get("headers", []),
                (_ID, self.id),
                (b"x-content-type-options", b"nosniff"),
                *([(_DRAINING, b"1")] if self._own.is_draining else []),
            ]
        await self._send(message)

    async def fail(self, error: ApiError, scope: Scope, receive: Receive) -> None:
        if self.status:  # half an answer is out: only a broken connection tells the client so
            raise error
        await error_response(error)(scope, receive, self.send)

    def log(self, seconds: float) -> None:
        _log.info(
            "call",
            extra={
                "request_id": self.id.decode(),
                "method": self._scope["method"],
                "path": self.route,
                "status": self.status,
                "ms": round(seconds * 1_000, 1),
            },
        )


def _translate(error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ClientDisconnect):  # nobody reads the answer; the log line tells
        return ApiError(ErrorCode.BAD_REQUEST, "The request broke off.")
    if isinstance(error, _UNAVAILABLE):
        _log.warning("database unavailable", extra={"error": type(error).__name__})
        return ApiError(ErrorCode.DATABASE_UNAVAILABLE, "The server's database cannot be reached just now.")
    # The exception's text may hold what somebody entered; its type and its place do not.
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-6:]]
    _log.error("unexpected", extra={"error": type(error).__name__, "where": where})
    return ApiError(ErrorCode.INTERNAL, "The server met an unexpected problem; it was noted.")


def _header(scope: Scope, name: bytes) -> bytes:
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""
