"""Health checks: whether a server is ready, which server is closest, and what discovery reports."""

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
    """Calls without a token. They block and never raise: a failed check returns False or ""."""

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
        """Return whether a server can save an entry now. A draining server can."""
        try:
            at = endpoint()
            unmonitored = Endpoint(at.url, at.secret)  # without its id, the monitor ignores this call
            self._client.call(
                Health,
                "GET",
                paths.HEALTH_READY,
                endpoint=unmonitored,
                seconds=PROBE_SECONDS,
                connect_seconds=PROBE_SECONDS,
                fresh=True,  # an idle connection says nothing about new ones
            )
        except ServerError as error:
            return error.code == ErrorCode.DRAINING
        except AppError:
            return False
        return True

    def closest(self) -> str:
        """Return the id of the server that the central address leads to; "" if it cannot be reached.

        Uses a new connection, because DNS or a load balancer may lead to another server by now.
        """
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
        """Report to discovery that a server does not answer. Then call `report` with each state that
        discovery names, as long as `wanted` returns True."""
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
        """Return the state as soon as it is not `known`, or after a timeout; "" if it is not valid."""
        # The first call does not wait, because the server may be down already.
        query = {"wait": str(_POLL_SECONDS if known else 0), "known": known}
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
