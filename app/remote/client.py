"""The HTTP client: headers, limits, one log line per call, and every failure as an AppError."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
import requests

from app.domain.wording import Words, words_of
from app.errors import AppError, OfflineError, ServerError, StoreError
from app.remote import answers
from app.remote.answers import CALL_ERRORS, OwnSession, UnreadableAnswerError
from app.remote.call_monitor import CallMonitor, CallOutcome, OutcomeKind, ProgressFile
from app.remote.endpoint import Endpoint, is_loopback_url
from app.remote.failed_calls import trouble_of
from app.remote.sockets import MonitoredAdapter, Sockets
from app.remote.translate import error_of, not_understood
from app.remote.trouble import ConnectionTrouble, sentence_of
from app.remote.watchdog import CallLimit, Watchdog
from server.contract import paths
from server.contract.decoding import decode_json
from server.contract.private_files import private_opener

T = TypeVar("T")
CONNECT_SECONDS: Final = 3.0
SMALL_SECONDS: Final = 10.0
TRANSFER_SECONDS: Final = 30.0
CA_FILE_VARIABLE: Final = "BAHI_CA_FILE"
"""Names a file of CA certificates to trust in addition to the operating system's."""
_GATEWAY: Final = frozenset({502, 503, 504})  # a load balancer sends these when the server does not answer
_BROKEN: Final = "The connection was lost before the whole answer arrived."
_log = logging.getLogger(__name__)


class Client:
    """Makes calls to servers. `monitor` observes those to servers of the roster. Thread-safe."""

    def __init__(self, monitor: CallMonitor) -> None:
        self._monitor = monitor
        self._sockets = Sockets()
        self._watchdog = Watchdog()
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

        `seconds` limits the wait for each part of the answer. The whole call may take `connect_seconds` more,
        but no more than SMALL_SECONDS, or `seconds` if that is longer.
        """
        data = msgspec.json.encode(body) if body is not None else None
        headers = _headers(endpoint, token) | ({"Content-Type": "application/json"} if data else {})
        whole = min(connect_seconds + seconds, max(seconds, SMALL_SECONDS))
        call = self._prepared(endpoint, method, path, headers, (connect_seconds, seconds), CallLimit(whole))
        answer, text = call.whole({"data": data, "params": query}, fresh=fresh)
        try:
            return decode_json(text, kind)
        except msgspec.MsgspecError as error:
            raise call.not_understood(answer.status_code) from error

    def put_file(self, url: str, file: Path, headers: dict[str, str], at: Endpoint) -> None:
        """Upload the bytes of `file` to an upload URL of the server `at`. Raises AppError."""
        target = _path_at(at, url)
        with _readable(file) as data:
            self._transfer(at, "PUT", target, _headers(at, "") | headers).whole({}, file=data)

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
        call = self._transfer(endpoint, "GET", path, _headers(endpoint, token))
        with call.pieces({"params": query}) as pieces:
            yield pieces

    def break_off(self, url: str) -> None:
        """Abort every call in flight to the server at `url`. Each raises OfflineError at once."""
        self._sockets.break_off(url)

    def close(self) -> None:
        """Close all idle connections."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def session(self, url: str, *, fresh: bool = False) -> requests.Session:
        """Return the session for calls to `url`, or a new one, which the caller closes."""
        local = is_loopback_url(url)
        if fresh:
            return self._new_session(local)
        with self._lock:
            if local not in self._sessions:
                self._sessions[local] = self._new_session(local)
            return self._sessions[local]

    def _new_session(self, local: bool) -> requests.Session:
        session = OwnSession()
        session.trust_env = not local  # calls on loopback must not go through a proxy of the environment
        adapter = MonitoredAdapter(self._sockets, os.environ.get(CA_FILE_VARIABLE, ""))
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session

    def _transfer(self, at: Endpoint, method: str, path: str, headers: dict[str, str]) -> "_HttpCall":
        limit = CallLimit(TRANSFER_SECONDS, is_transfer=True)
        headers = headers | {"Accept-Encoding": "identity"}  # the limit counts the bytes that came
        return self._prepared(at, method, path, headers, (CONNECT_SECONDS, TRANSFER_SECONDS), limit)

    def _prepared(
        self,
        at: Endpoint,
        method: str,
        path: str,
        headers: dict[str, str],
        parts: tuple[float, float],
        limit: CallLimit,
    ) -> "_HttpCall":
        watched = _Watched(self._monitor, self._sockets, self._watchdog)
        return _HttpCall(self, watched, at, method, path, headers, parts, limit)


@dataclass(frozen=True, slots=True)
class _Watched:
    """Who watches a call: for progress, to break it off, and for its limit."""

    monitor: CallMonitor
    sockets: Sockets
    watchdog: Watchdog


class _HttpCall:
    """One call: monitors it, limits it, logs it, and raises the error of a refusal."""

    def __init__(
        self,
        client: Client,
        watched: _Watched,
        at: Endpoint,
        method: str,
        path: str,
        headers: dict[str, str],
        parts: tuple[float, float],
        limit: CallLimit,
    ) -> None:
        self._client = client
        self._watched = watched
        self._at = at
        self._method = method
        self._path = path
        self._headers = headers
        self._parts = parts
        self._limit = limit
        self._began = time.monotonic()

    def whole(
        self, more: dict[str, Any], *, file: BinaryIO | None = None, fresh: bool = False
    ) -> tuple[requests.Response, bytes]:
        """Send the request; return the answer and its body. Raises AppError, also for a refusal."""
        with contextlib.ExitStack() as stack:
            session = self._client.session(self._at.url, fresh=fresh)
            if fresh:
                stack.enter_context(session)
            stack.enter_context(self._watched.watchdog.limiting(self._limit))
            with self._watched.monitor.track(self._at.server_id) as moved:
                if file is not None:
                    size = os.fstat(file.fileno()).st_size
                    more["data"] = ProgressFile(file, size, moved, self._limit.count)
                answer = stack.enter_context(self._sent(session, more))
                body = self._body(answer, answers.MAX_BYTES)
            self._note(_outcome_of(answer))
            self._log(answer.status_code)
            self._check(answer, body)
            return answer, body

    @contextlib.contextmanager
    def pieces(self, more: dict[str, Any]) -> Generator[Iterator[bytes], None, None]:
        """Send the request, and give the pieces of the answer's body."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._watched.watchdog.limiting(self._limit))
            with self._watched.monitor.track(self._at.server_id):
                answer = stack.enter_context(self._sent(self._client.session(self._at.url), more))
            self._note(_outcome_of(answer))
            self._log(answer.status_code)
            if answer.status_code >= 300:
                self._watched.watchdog.shorten(self._limit, SMALL_SECONDS)
                self._check(answer, self._body(answer, answers.MAX_ERROR_BYTES))
            yield self._counted(answer)

    def not_understood(self, status: int) -> AppError:
        """Return the error for an answer that is none of Bahi's."""
        if self._is_typed:
            trouble = ConnectionTrouble.GATEWAY if status in _GATEWAY else ConnectionTrouble.NOT_BAHI
            return ServerError(sentence_of(trouble, self._at.url), retryable=True, code=trouble)
        return not_understood(status, self._words, retryable=status < 400 or status >= 500)

    @property
    def _is_typed(self) -> bool:
        """Whether the address is one that somebody typed: neither of the roster, nor of this computer."""
        return not (self._at.server_id or self._at.secret)

    @property
    def _words(self) -> Words:
        """The words for the place of the server: only that of this computer has a secret."""
        return words_of(is_local=bool(self._at.secret))

    def _sent(self, session: requests.Session, more: dict[str, Any]) -> requests.Response:
        with self._watched.sockets.calling(self._limit):
            try:
                return session.request(
                    self._method,
                    self._at.url + self._path,
                    headers=self._headers,
                    timeout=self._parts,
                    allow_redirects=False,  # a redirect could send a token or a bill to another host
                    stream=True,  # the body is read with a limit
                    **more,
                )
            except CALL_ERRORS as error:
                raise self._failed(error) from error

    def _body(self, answer: requests.Response, most: int) -> bytes:
        try:
            body = answers.read_whole(answer, most)
            self._limit.require()
            return body
        except CALL_ERRORS as error:
            raise self._failed(error) from error
        except UnreadableAnswerError as error:
            self._note("answered")
            self._log(answer.status_code, str(error))
            raise self.not_understood(answer.status_code) from error

    def _counted(self, answer: requests.Response) -> Iterator[bytes]:
        try:
            for piece in answers.plain_pieces_of(answer):
                self._limit.count(len(piece))
                yield piece
            self._limit.require()
        except CALL_ERRORS as error:
            broken = self._words.unreachable if self._words.is_local else _BROKEN
            raise OfflineError(broken, code=self._trouble(error)) from error
        except UnreadableAnswerError as error:
            raise not_understood(answer.status_code, self._words, retryable=True) from error

    def _check(self, answer: requests.Response, body: bytes) -> None:
        """Raise the error of a refusal."""
        status = answer.status_code
        if 300 <= status < 400:
            raise self._redirected()
        if status >= 400:
            error = error_of(status, body, self._words)
            raise error if error.code else self.not_understood(status)

    def _redirected(self) -> ServerError:
        sentence = "The server redirected this program to another address, which is not allowed."
        if self._is_typed:
            sentence = sentence_of(ConnectionTrouble.REDIRECTED, self._at.url)
        return ServerError(sentence, code=ConnectionTrouble.REDIRECTED if self._is_typed else "")

    def _failed(self, error: Exception) -> OfflineError:
        """Note and log that no server answered; return the error to raise."""
        trouble = self._trouble(error)
        silent = self._limit.was_cut or isinstance(error, requests.Timeout)
        self._log(0, type(error).__name__, trouble)
        self._note("silent" if silent else "refused")
        if self._is_typed:
            return OfflineError(sentence_of(trouble, self._at.url), code=trouble)
        return OfflineError(self._words.unreachable, code=trouble)

    def _trouble(self, error: Exception) -> ConnectionTrouble:
        return ConnectionTrouble.NO_ANSWER if self._limit.was_cut else trouble_of(error)

    def _note(self, outcome: OutcomeKind) -> None:
        if self._at.server_id:
            self._watched.monitor.outcomes.publish(CallOutcome(self._at.server_id, outcome))

    def _log(self, status: int, error: str = "", trouble: str = "") -> None:
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
        failure = {"error": error, "trouble": trouble} if error else {}
        _log.info("call", extra=extra | failure)


def _headers(endpoint: Endpoint, token: str) -> dict[str, str]:
    # Bahi's servers compress nothing. A load balancer in front of them may.
    headers = {paths.REQUEST_ID_HEADER: uuid4().hex, "Accept-Encoding": "gzip"}  # the server logs the id too
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if endpoint.secret:
        headers[paths.LOCAL_SECRET_HEADER] = endpoint.secret
    return headers


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
        return open(file, "rb", opener=private_opener)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(f"A bill of this entry cannot be read: {reason}.") from error
