"""Looking around: is a server ready, who is closest, and what does discovery say of one."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from app.domain.session import Trouble
from app.errors import AppError, ServerError
from app.remote.client import Client
from app.remote.cluster import Cluster
from app.remote.endpoint import Endpoint
from app.remote.server_clock import ServerClock
from server.contract import paths
from server.contract.cluster_calls import (
    Closest,
    ServerStateAnswer,
    SuspicionRequest,
    SuspicionTaken,
)
from server.contract.errors import ErrorCode
from server.contract.shapes import (
    Health,
)

_log = logging.getLogger(__name__)
PROBE_SECONDS: Final = 1.2
_CLOSEST_SECONDS: Final = 2.0
_SKIP_CENTRAL_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 25
_GRACE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.5


class HealthChecks:
    """Blocking, without a token, and never an error: what cannot be found out is not known."""

    def __init__(
        self,
        client: Client,
        cluster: Cluster,
        server_clock: ServerClock,
        clock: Callable[[], float],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._cluster = cluster
        self._server_clock = server_clock
        self._clock = clock
        self._wall_clock = wall_clock
        self._central_failed_at = -_SKIP_CENTRAL_SECONDS

    def is_ready(self, endpoint: Callable[[], Endpoint]) -> bool:
        """Say whether a server can take a save now; one that is being drained can."""
        try:
            at = endpoint()
            unwatched = Endpoint(at.url, at.secret)
            self._client.call(
                Health,
                "GET",
                paths.HEALTH_READY,
                endpoint=unwatched,
                seconds=PROBE_SECONDS,
                connect_seconds=PROBE_SECONDS,
                fresh=True,
            )
        except ServerError as error:
            return error.code == ErrorCode.DRAINING
        except AppError:
            return False
        return True

    def closest(self) -> str:
        """Return whom the central address reaches, by a fresh connection; "" where that fails."""
        central = self._cluster.central()
        if central is None or self._clock() - self._central_failed_at < _SKIP_CENTRAL_SECONDS:
            return ""
        try:
            answer = self._client.call(
                Closest,
                "GET",
                paths.CLOSEST_TO_ME,
                endpoint=central,
                seconds=_CLOSEST_SECONDS,
                connect_seconds=_CLOSEST_SECONDS,
                fresh=True,
            )
        except AppError:
            self._central_failed_at = self._clock()
            return ""
        return answer.server_id

    def report_and_poll(
        self,
        discovery: Endpoint,
        server_id: str,
        trouble: Trouble,
        report: Callable[[str], None],
        wanted: Callable[[], bool],
    ) -> None:
        """Report a server that does not answer; tell what discovery says of it as long as it is `wanted`."""
        reported, known = False, ""
        while wanted():
            try:
                reported = reported or self._report(discovery, server_id, trouble)
                known = self._state(discovery, server_id, known)
            except AppError:
                self._pause(wanted)
                continue
            if known:
                report(known)
            else:
                self._pause(wanted)

    def _report(self, discovery: Endpoint, server_id: str, trouble: Trouble) -> bool:
        path = paths.SERVER_SUSPICIONS.format(id=server_id)
        self._client.call(
            SuspicionTaken, "POST", path, body=SuspicionRequest(trouble), endpoint=discovery, seconds=3
        )
        return True

    def _state(self, discovery: Endpoint, server_id: str, known: str) -> str:
        """Return the state, at once or when it is no longer `known`; "" where that cannot be believed."""
        query = {"wait": str(_POLL_SECONDS if known else 0), "known": known}  # it may be DOWN already
        answer = self._client.call(
            ServerStateAnswer,
            "GET",
            paths.SERVER_STATE.format(id=server_id),
            query=query,
            endpoint=discovery,
            seconds=_POLL_SECONDS + _GRACE_SECONDS,
        )
        now = self._wall_clock() + self._server_clock.offset_seconds
        directory = self._cluster.directory(answer.directory, now)
        return directory.state_of(server_id) if directory else ""

    def _pause(self, wanted: Callable[[], bool]) -> None:
        if wanted():
            threading.Event().wait(_PAUSE_SECONDS)
