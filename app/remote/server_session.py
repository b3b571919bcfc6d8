"""The servers of a session: the local server, or those of a cluster."""

import contextlib
from collections.abc import Callable
from typing import Final, Protocol

from app.domain.session import Draw, Trouble
from app.errors import AppError, ServerError
from app.remote.call_monitor import CallMonitor
from app.remote.client import Client
from app.remote.cluster import Cluster
from app.remote.endpoint import Endpoint
from app.remote.health_checks import HealthChecks
from server.contract import paths
from server.contract.cluster_calls import Servers
from server.contract.shapes import Refreshed

_CLUSTER_REFRESH_SECONDS: Final = 4.5
_LOCAL_REFRESH_SECONDS: Final = 10.0


class ServerSession(Protocol):
    """What the session runner needs to know about the servers of a session."""

    is_always_tried: bool
    """Whether calls are tried even if the machine assumes that no server can be reached."""
    refresh_seconds: float
    """The timeout of a refresh."""

    def endpoint(self, server: str) -> Endpoint:
        """Return the address of a server. Raises AppError if it has none."""

    def owner(self, url: str) -> Endpoint:
        """Return the server that `url` belongs to. Raises ServerError if it belongs to none."""

    def is_alone(self, server: str) -> bool:
        """Return whether there is no other server."""

    def is_ready(self, server: str) -> bool:
        """Return whether a server can save an entry now. Blocks for about a second at most."""

    def closest(self) -> str:
        """Return the server that the central address reaches; "" if it reaches none. Blocks."""

    def next_server(self, pinned: str, closest: str, excluded: frozenset[str]) -> str:
        """Return the server to ask for a refresh; "" if all are excluded."""

    def accept(self, answer: Refreshed, at: Endpoint) -> None:
        """Fetch a newer roster if the answer names one. Blocks.

        Raises ServerError if the answer pins the session to a server that is not in the roster.
        """

    def watchers(
        self, server: str, trouble: Trouble, report: Callable[[str], None], wanted: Callable[[], bool]
    ) -> list[Callable[[], None]]:
        """Return a blocking function for each discovery server.

        It reports to it that `server` has `trouble`, and then calls `report` with each new state of the
        server, as long as `wanted` returns True.
        """

    def break_off(self, server: str) -> None:
        """Abort every call to a server."""

    def silent_servers(self, seconds: float) -> set[str]:
        """Return the servers of calls that have made no progress for `seconds`; each call counts once."""

    def oldest_progress(self) -> float | None:
        """Return the time of the last progress of the call that has waited longest; None without calls."""


class LocalSession:
    """The local server. Calls are always tried, because a call starts the server if it is not running."""

    is_always_tried = True
    refresh_seconds = _LOCAL_REFRESH_SECONDS

    def __init__(self, local: Callable[[], Endpoint], checks: HealthChecks) -> None:
        self._local = local
        self._checks = checks

    def endpoint(self, _server: str) -> Endpoint:
        """Return the local server; start it if it is not running."""
        return self._local()

    def owner(self, _url: str) -> Endpoint:
        """Return the local server."""
        return self._local()

    def is_alone(self, _server: str) -> bool:
        """Return True: there is no other server."""
        return True

    def is_ready(self, _server: str) -> bool:
        """Probe the local server; start it if it is not running."""
        return self._checks.is_ready(self._local)

    def closest(self) -> str:
        """Return "": there is no central address."""
        return ""

    def next_server(self, pinned: str, _closest: str, excluded: frozenset[str]) -> str:
        """Return the local server, unless it is excluded."""
        return "" if pinned in excluded else pinned

    def accept(self, _answer: Refreshed, _at: Endpoint) -> None:
        """Do nothing: there is no roster."""

    def watchers(
        self, _server: str, _trouble: Trouble, _report: Callable[[str], None], _wanted: Callable[[], bool]
    ) -> list[Callable[[], None]]:
        """Return no functions: there is no discovery server."""
        return []

    def break_off(self, _server: str) -> None:
        """Do nothing: the calls end with the server's process."""

    def silent_servers(self, _seconds: float) -> set[str]:
        """Return none: a slow disk of this computer is no reason to look for another server."""
        return set()

    def oldest_progress(self) -> float | None:
        """Return None: calls to the local server are not monitored."""
        return None


class ClusterSession:
    """The servers of a roster."""

    is_always_tried = False
    refresh_seconds = _CLUSTER_REFRESH_SECONDS

    def __init__(
        self, client: Client, cluster: Cluster, monitor: CallMonitor, checks: HealthChecks, draw: Draw
    ) -> None:
        self._client = client
        self._cluster = cluster
        self._monitor = monitor
        self._checks = checks
        self._draw = draw

    def endpoint(self, server: str) -> Endpoint:
        """Return the server's address in the roster."""
        return self._cluster.endpoint(server)

    def owner(self, url: str) -> Endpoint:
        """Return the server of the roster that `url` belongs to."""
        return self._cluster.owner(url)

    def is_alone(self, server: str) -> bool:
        """Return whether `server` is the only one of the roster."""
        return self._cluster.is_alone(server)

    def is_ready(self, server: str) -> bool:
        """Probe the server."""
        return self._checks.is_ready(lambda: self._cluster.endpoint(server))

    def closest(self) -> str:
        """Ask the central address."""
        return self._checks.closest()

    def next_server(self, pinned: str, closest: str, excluded: frozenset[str]) -> str:
        """Return the closest server; otherwise a random one, of the pinned server's region if possible."""
        region_of = self._cluster.region_of
        if closest and closest not in excluded and region_of(closest):
            return closest
        others = self._cluster.others(pinned, excluded)
        choice = [each for each in others if region_of(each) == region_of(pinned)] or others
        if not choice:
            return pinned if pinned not in excluded else ""
        return choice[min(int(self._draw(0, len(choice))), len(choice) - 1)]

    def accept(self, answer: Refreshed, at: Endpoint) -> None:
        """Fetch the roster if the server has a newer one. The server of the answer must be in the roster."""
        if answer.roster_version > self._cluster.version:
            with contextlib.suppress(AppError):
                servers = self._client.call(
                    Servers, "GET", paths.SERVERS, endpoint=at, seconds=self.refresh_seconds
                )
                self._cluster.learn(servers.roster)
        self._cluster.endpoint(answer.primary.server_id)

    def watchers(
        self, server: str, trouble: Trouble, report: Callable[[str], None], wanted: Callable[[], bool]
    ) -> list[Callable[[], None]]:
        """Return a function for each discovery server of the roster."""
        return [
            lambda at=discovery: self._checks.report_and_poll(at, server, trouble, report, wanted)  # type: ignore[misc]
            for discovery in self._cluster.discovery()
        ]

    def break_off(self, server: str) -> None:
        """Close the sockets of its calls; each call raises OfflineError."""
        with contextlib.suppress(ServerError):  # the server may have been removed from the roster
            self._client.break_off(self._cluster.endpoint(server).url)

    def silent_servers(self, seconds: float) -> set[str]:
        """Return the servers of calls without progress."""
        return self._monitor.silent_servers(seconds)

    def oldest_progress(self) -> float | None:
        """Return the last progress of the call that has waited longest."""
        return self._monitor.oldest_progress()
