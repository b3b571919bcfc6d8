"""The HTTP client: headers, timeouts, one log line per call, and every failure as an AppError."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
import requests

from app.errors import AppError, OfflineError, ServerError, StoreError
from app.remote.call_monitor import CallMonitor, CallOutcome, OutcomeKind, ProgressFile
from app.remote.endpoint import Endpoint, is_loopback_url
from app.remote.sockets import MonitoredAdapter, Sockets
from app.remote.translate import error_of
from server.contract import paths

T = TypeVar("T")
CONNECT_SECONDS: Final = 3.0
SMALL_SECONDS: Final = 10.0
TRANSFER_SECONDS: Final = 30.0
CA_FILE_VARIABLE: Final = "BAHI_CA_FILE"
"""Names a file of CA certificates to trust in addition to the operating system's."""
_CHUNK: Final = 64 * 1024
_GATEWAY: Final = frozenset({502, 503, 504})  # a load balancer sends these when the server does not answer
_BROKEN: Final = "The connection was lost before the whole answer arrived."
_log = logging.getLogger(__name__)


class Client:
    """Makes calls to servers. `monitor` observes those to servers of the roster. Thread-safe."""

    def __init__(self, monitor: CallMonitor) -> None:
        self._monitor = monitor
        self._sockets = Sockets()
        self._sessions: dict[bool, requests.Session] = {}  # one for loopback, one for all other addresses
        self._lock = threading.Lock()

    def call(
        self,
        kind: type[T],
        method: str,
        path: str,
        *,
        endpoint: Endpoint,
        body: msgspec.Struct | None = None,
        query: dict[str, str] | None = None,
        token: str = "",
        seconds: float = SMALL_SECONDS,
        connect_seconds: float = CONNECT_SECONDS,
        fresh: bool = False,
    ) -> T:
        """Return the decoded answer. Raises AppError. `fresh` opens a new connection for this call alone.

        `seconds` limits the wait for each part of the answer, not the whole call.
        """
        data = msgspec.json.encode(body) if body is not None else None
        headers = _headers(endpoint, token) | ({"Content-Type": "application/json"} if data else {})
        limits = (connect_seconds, seconds)
        with self._open(
            endpoint, method, path, headers, limits, fresh=fresh, data=data, params=query
        ) as answer:
            try:
                return msgspec.json.decode(answer.content, type=kind)
            except requests.RequestException as error:
                raise OfflineError(_BROKEN) from error
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise _not_understood() from error

    def put_file(self, url: str, file: Path, headers: dict[str, str], at: Endpoint) -> None:
        """Upload the bytes of `file` to an upload URL of the server `at`. Raises AppError."""
        target = _path_at(at, url)
        limits = (CONNECT_SECONDS, TRANSFER_SECONDS)
        with (
            _readable(file) as data,
            self._open(at, "PUT", target, _headers(at, "") | headers, limits, file=data),
        ):
            return

    @contextlib.contextmanager
    def stream(
        self,
        url_or_path: str,
        *,
        endpoint: Endpoint,
        query: dict[str, str] | None = None,
        token: str = "",
    ) -> Generator[Iterator[bytes], None, None]:
        """Open a download. Reading a piece also raises AppError, when the connection breaks."""
        path = url_or_path if url_or_path.startswith("/") else _path_at(endpoint, url_or_path)
        limits = (CONNECT_SECONDS, TRANSFER_SECONDS)
        with self._open(
            endpoint, "GET", path, _headers(endpoint, token), limits, params=query, stream=True
        ) as answer:
            yield _pieces(answer)

    def break_off(self, url: str) -> None:
        """Abort every call in flight to the server at `url`. Each raises OfflineError at once."""
        self._sockets.break_off(url)

    def close(self) -> None:
        """Close all idle connections."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def _session(self, url: str) -> requests.Session:
        local = is_loopback_url(url)
        with self._lock:
            if local not in self._sessions:
                self._sessions[local] = self._new_session(local)
            return self._sessions[local]

    def _new_session(self, local: bool) -> requests.Session:
        session = requests.Session()
        session.trust_env = not local  # calls on loopback must not go through a proxy of the environment
        adapter = MonitoredAdapter(self._sockets, os.environ.get(CA_FILE_VARIABLE, ""))
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session

    def _open(
        self,
        at: Endpoint,
        method: str,
        path: str,
        headers: dict[str, str],
        limits: tuple[float, float],
        *,
        fresh: bool = False,
        file: BinaryIO | None = None,
        **more: Any,
    ) -> AbstractContextManager[requests.Response]:
        session = self._new_session(is_loopback_url(at.url)) if fresh else self._session(at.url)
        call = _HttpCall(session, at, method, path, headers, limits, self._monitor)
        return call.opened(file, more, close=fresh)


class _HttpCall:
    """One call in flight: monitors it, logs it, and raises the error of a refusal."""

    def __init__(
        self,
        session: requests.Session,
        at: Endpoint,
        method: str,
        path: str,
        headers: dict[str, str],
        limits: tuple[float, float],
        monitor: CallMonitor,
    ) -> None:
        self._session = session
        self._at = at
        self._method = method
        self._path = path
        self._headers = headers
        self._limits = limits
        self._monitor = monitor
        self._began = time.monotonic()

    @contextlib.contextmanager
    def opened(
        self, file: BinaryIO | None, more: dict[str, Any], *, close: bool
    ) -> Generator[requests.Response, None, None]:
        """Send the request and give the answer; `close` closes the connection afterwards."""
        with contextlib.ExitStack() as stack:
            if close:
                stack.enter_context(self._session)
            with self._monitor.track(self._at.server_id) as moved:
                if file is not None:
                    more["data"] = ProgressFile(file, os.fstat(file.fileno()).st_size, moved)
                answer = stack.enter_context(self._send(more))
            self._note(_outcome_of(answer))
            self._log(answer.status_code)
            if answer.status_code >= 300:
                raise _refusal(answer)
            yield answer

    def _send(self, more: dict[str, Any]) -> requests.Response:
        try:
            return self._session.request(
                self._method,
                self._at.url + self._path,
                headers=self._headers,
                timeout=self._limits,
                allow_redirects=False,  # a redirect could send a token or a bill to another host
                **more,
            )
        except requests.RequestException as error:
            silent = isinstance(error, requests.Timeout)
            self._log(0, type(error).__name__)
            self._note("silent" if silent else "refused")
            raise OfflineError from error

    def _note(self, outcome: OutcomeKind) -> None:
        if self._at.server_id:
            self._monitor.outcomes.publish(CallOutcome(self._at.server_id, outcome))

    def _log(self, status: int, error: str = "") -> None:
        # The path of a blob is a signed URL: anybody who has it can read the blob.
        path = self._path if not self._path.startswith("/v1/blobs/") else "/v1/blobs/…"
        extra: dict[str, object] = {
            "request_id": self._headers[paths.REQUEST_ID_HEADER],
            "server": self._at.server_id or urlsplit(self._at.url).netloc,
            "method": self._method,
            "path": path,
            "status": status,
            "ms": round((time.monotonic() - self._began) * 1000, 1),
        }
        _log.info("call", extra=extra | ({"error": error} if error else {}))


def _headers(endpoint: Endpoint, token: str) -> dict[str, str]:
    headers = {paths.REQUEST_ID_HEADER: uuid4().hex}  # the server logs it too
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if endpoint.secret:
        headers[paths.LOCAL_SECRET_HEADER] = endpoint.secret
    return headers


def _not_understood() -> ServerError:
    return ServerError("The server's answer could not be understood.", retryable=True)


def _path_at(endpoint: Endpoint, url: str) -> str:
    """Return the path and query of a URL of this server. Raises ServerError if it is of another one."""
    parts = urlsplit(endpoint.require(url))
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _outcome_of(answer: requests.Response) -> OutcomeKind:
    if answer.headers.get(paths.DRAINING_HEADER):
        return "draining"
    if answer.status_code not in _GATEWAY:
        return "answered"
    # Our servers name a time to retry after when they are overloaded; a load balancer does not.
    return "busy" if answer.headers.get("Retry-After") else "unavailable"


def _readable(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(f"A bill of this entry cannot be read: {reason}.") from error


def _refusal(answer: requests.Response) -> AppError:
    if answer.status_code < 400:
        return ServerError("The server redirected this program to another address, which is not allowed.")
    try:
        return error_of(answer.status_code, answer.content)
    except requests.RequestException:
        return OfflineError()


def _pieces(answer: requests.Response) -> Iterator[bytes]:
    try:
        yield from answer.iter_content(_CHUNK)
    except requests.RequestException as error:
        raise OfflineError(_BROKEN) from error
