"""One HTTP call at a time to the server: headers, time limits, and failures as AppErrors."""

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar
from uuid import uuid4

import msgspec
import requests
from requests.adapters import HTTPAdapter

from app.errors import AppError, OfflineError, ServerError, StoreError
from app.remote.endpoint import Endpoint, is_loopback_url
from app.remote.translate import error_of
from server.contract import paths

T = TypeVar("T")
CONNECT_SECONDS: Final = 3.0
SMALL_SECONDS: Final = 10.0
TRANSFER_SECONDS: Final = 30.0
_CHUNK: Final = 64 * 1024


class Client:
    """Calls whatever server `endpoint` names at that moment. Usable from several threads."""

    def __init__(self, endpoint: Callable[[], Endpoint]) -> None:
        self._endpoint = endpoint
        self._sessions: dict[bool, requests.Session] = {}
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> Endpoint:
        """The server in force. Raises OfflineError where there is none."""
        return self._endpoint()

    def call(
        self,
        kind: type[T],
        method: str,
        path: str,
        *,
        body: msgspec.Struct | None = None,
        query: dict[str, str] | None = None,
        token: str = "",
        seconds: float = SMALL_SECONDS,
    ) -> T:
        """Return the answer, decoded. Raises AppError."""
        endpoint = self.endpoint
        data = msgspec.json.encode(body) if body is not None else None
        headers = self._headers(endpoint, token) | ({"Content-Type": "application/json"} if data else {})
        with self._open(method, endpoint.url + path, headers, seconds, data=data, params=query) as answer:
            try:
                return msgspec.json.decode(answer.content, type=kind)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise ServerError("The server's answer could not be understood.", retryable=True) from error

    def put_file(self, url: str, file: Path, headers: dict[str, str]) -> None:
        """Send the bytes of `file` to an upload URL of this server. Raises AppError."""
        endpoint = self.endpoint
        target = endpoint.require(url)
        all_headers = self._headers(endpoint, "") | headers
        with _readable(file) as data, self._open("PUT", target, all_headers, TRANSFER_SECONDS, data=data):
            return

    @contextlib.contextmanager
    def stream(
        self, url_or_path: str, *, query: dict[str, str] | None = None, token: str = ""
    ) -> Generator[Iterator[bytes], None, None]:
        """Open a download; the pieces raise AppError too when the connection breaks."""
        endpoint = self.endpoint
        url = endpoint.url + url_or_path if url_or_path.startswith("/") else endpoint.require(url_or_path)
        headers = self._headers(endpoint, token)
        with self._open("GET", url, headers, TRANSFER_SECONDS, params=query, stream=True) as answer:
            yield _pieces(answer)

    def now_offset_us(self, server_time: str, local_us: int) -> int:
        """Return how far this computer's clock is behind the server's, in µs."""
        return int(datetime.fromisoformat(server_time).timestamp() * 1_000_000) - local_us

    def close(self) -> None:
        """Close the kept connections."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def _headers(self, endpoint: Endpoint, token: str) -> dict[str, str]:
        headers = {paths.REQUEST_ID_HEADER: uuid4().hex}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if endpoint.secret:
            headers[paths.LOCAL_SECRET_HEADER] = endpoint.secret
        return headers

    def _session(self, url: str) -> requests.Session:
        local = is_loopback_url(url)
        with self._lock:
            if local not in self._sessions:
                session = requests.Session()
                session.trust_env = not local  # a proxy of the company has no business with loopback
                session.mount("http://", HTTPAdapter(pool_maxsize=8))
                session.mount("https://", HTTPAdapter(pool_maxsize=8))
                self._sessions[local] = session
            return self._sessions[local]

    def _open(
        self, method: str, url: str, headers: dict[str, str], seconds: float, **more: Any
    ) -> AbstractContextManager[requests.Response]:
        return _opened(self._session(url), method, url, headers, seconds, more)


@contextlib.contextmanager
def _opened(
    session: requests.Session,
    method: str,
    url: str,
    headers: dict[str, str],
    seconds: float,
    more: dict[str, Any],
) -> Generator[requests.Response, None, None]:
    limits = (CONNECT_SECONDS, seconds)
    try:
        answer = session.request(method, url, headers=headers, timeout=limits, allow_redirects=False, **more)
    except requests.RequestException as error:
        raise OfflineError from error
    with answer:
        if answer.status_code >= 300:
            raise _refusal(answer)
        yield answer


def _readable(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(f"A bill of this entry cannot be read: {reason}.") from error


def _refusal(answer: requests.Response) -> AppError:
    if answer.status_code < 400:
        return ServerError("The server sent this program elsewhere; that is not followed.")
    try:
        return error_of(answer.status_code, answer.content)
    except requests.RequestException:
        return OfflineError()


def _pieces(answer: requests.Response) -> Iterator[bytes]:
    try:
        yield from answer.iter_content(_CHUNK)
    except requests.RequestException as error:
        raise OfflineError("The connection broke before everything had come.") from error
