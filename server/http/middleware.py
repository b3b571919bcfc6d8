"""The ASGI middleware around every call: request id, local secret, log line, exceptions as error bodies."""

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
# A client may choose the id of its request. What does not match is not copied into the log.
_SAFE_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
# A read-only transaction means a standby, or a database that was closed to writes. Another server may take
# the call, or this one later, so the client should try again.
_UNAVAILABLE: Final = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction, PoolTimeout)
# Calls to these paths need no local secret.
_OPEN_PATHS: Final = frozenset({paths.HEALTH_LIVE})
_ID: Final = paths.REQUEST_ID_HEADER.lower().encode()
_SECRET: Final = paths.LOCAL_SECRET_HEADER.lower().encode()
_DRAINING: Final = paths.DRAINING_HEADER.lower().encode()
_METHODS: Final = frozenset(HTTPMethod)


class Envelope:
    """Wraps the application. Every call must carry `local_secret`, unless it is "".

    Calls are counted in `load` and `tally`. While the server is draining, every response carries a header
    that says so.
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
        except Exception as error:  # noqa: BLE001 - the only place that handles unexpected exceptions
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
            raise ApiError(ErrorCode.FORBIDDEN, "Only the program that started this server may call it.")


class _CallLog:
    """One call, from the first byte to its log line."""

    def __init__(self, scope: Scope, send: Send, own: Lifecycle) -> None:
        given = _header(scope, _ID)
        self.id = given if _SAFE_ID.match(given) else secrets.token_hex(8).encode()
        self._scope, self._send, self._own = scope, send, own
        self._began = time.perf_counter()
        self.status = 0

    @property
    def seconds(self) -> float:
        """The seconds since the call began."""
        return time.perf_counter() - self._began

    @property
    def method(self) -> str:
        """The HTTP method, or OTHER if it is not a standard one."""
        # Each new label makes a new time series in Prometheus, so clients must not invent labels.
        method = str(self._scope["method"])
        return method if method in _METHODS else "OTHER"

    @property
    def route(self) -> str:
        """The template of the route, for example `/v1/entries/{id}`."""
        # Not the path: it may contain a signed token, which must not get into logs.
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
        # Part of the response has been sent. Only a broken connection can tell the client that it failed.
        if self.status:
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
    if isinstance(error, ClientDisconnect):  # the client is gone, so this is for the log line only
        return ApiError(ErrorCode.BAD_REQUEST, "The client closed the connection.")
    if isinstance(error, _UNAVAILABLE):
        _log.warning("database unavailable", extra={"error": type(error).__name__})
        return ApiError(ErrorCode.DATABASE_UNAVAILABLE, "The books cannot be reached at the moment.")
    # The text of an exception may contain what a user entered, so only its type and place are logged.
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-6:]]
    _log.error("unexpected exception", extra={"error": type(error).__name__, "where": where})
    return ApiError(ErrorCode.INTERNAL, "Something unexpected went wrong. It has been logged.")


def _header(scope: Scope, name: bytes) -> bytes:
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""
