"""Where the calls of a session go: to the server of this computer, or to a cluster."""

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
    """Whether calls are tried even while the machine believes that no server is there."""
    refresh_seconds: float
    """How long a refresh may take."""

    def endpoint(self, server: str) -> Endpoint:
        """Return the address of a server. Raises AppError if it has none."""

    def owner(self, url: str) -> Endpoint:
        """Return the server that `url` is on. Raises ServerError if it is on none."""

    def is_alone(self, server: str) -> bool:
        """Return whether there is no other server."""

    def is_ready(self, server: str) -> bool:
        """Return whether a server can take a save now. Blocks for about a second at most."""

    def closest(self) -> str:
        """Return the server that the central address reaches; "" if it reaches none. Blocks."""

    def next_server(self, pinned: str, closest: str, excluded: frozenset[str]) -> str:
        """Return the server to ask for a refresh; "" if all are excluded."""

    def accept(self, answer: Refreshed, at: Endpoint) -> None:
        """Learn the roster that a refresh tells of. Raises ServerError if it names a stranger. Blocks."""

    def watchers(
        self, server: str, trouble: Trouble, report: Callable[[str], None], wanted: Callable[[], bool]
    ) -> list[Callable[[], None]]:
        """Return work, a piece for each discovery server, that blocks: it says that `server` has `trouble`,
        then calls `report` with each state of it for as long as `wanted`."""

    def break_off(self, server: str) -> None:
        """End every call that waits for a server."""

    def silent_servers(self, seconds: float) -> set[str]:
        """Return the servers of calls that made no progress for so long, each call once."""

    def oldest_progress(self) -> float | None:
        """Return when the most silent call last made progress, None if there is no call."""


class LocalSession:
    """The book on this computer. Its server is started by the next call, so calls are always tried."""

    is_always_tried = True
    refresh_seconds = _LOCAL_REFRESH_SECONDS

    def __init__(self, local: Callable[[], Endpoint], checks: HealthChecks) -> None:
        self._local = local
        self._checks = checks

    def endpoint(self, _server: str) -> Endpoint:
        """Start the server if it does not run."""
        return self._local()

    def owner(self, _url: str) -> Endpoint:
        """There is one server only."""
        return self._local()

    def is_alone(self, _server: str) -> bool:
        """There is no other server."""
        return True

    def is_ready(self, _server: str) -> bool:
        """Ask it, and start it if it does not run."""
        return self._checks.is_ready(self._local)

    def closest(self) -> str:
        """Nobody is asked."""
        return ""

    def next_server(self, pinned: str, _closest: str, excluded: frozenset[str]) -> str:
        """There is no other server."""
        return "" if pinned in excluded else pinned

    def accept(self, _answer: Refreshed, _at: Endpoint) -> None:
        """There is no roster."""

    def watchers(
        self, _server: str, _trouble: Trouble, _report: Callable[[str], None], _wanted: Callable[[], bool]
    ) -> list[Callable[[], None]]:
        """There is no discovery server."""
        return []

    def break_off(self, _server: str) -> None:
        """Its calls end with its process."""

    def silent_servers(self, _seconds: float) -> set[str]:
        """Its calls are not watched: a silent disk is no reason to go elsewhere."""
        return set()

    def oldest_progress(self) -> float | None:
        """Its calls are not watched."""
        return None


class ClusterSession:
    """A session at the servers of a roster."""

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
        """Look it up in the roster."""
        return self._cluster.endpoint(server)

    def owner(self, url: str) -> Endpoint:
        """Look it up in the roster."""
        return self._cluster.owner(url)

    def is_alone(self, server: str) -> bool:
        """Look into the roster."""
        return self._cluster.is_alone(server)

    def is_ready(self, server: str) -> bool:
        """Ask it."""
        return self._checks.is_ready(lambda: self._cluster.endpoint(server))

    def closest(self) -> str:
        """Ask the central address."""
        return self._checks.closest()

    def next_server(self, pinned: str, closest: str, excluded: frozenset[str]) -> str:
        """Return the closest server; else any of the roster, of the pinned server's region if possible."""
        region_of = self._cluster.region_of
        if closest and closest not in excluded and region_of(closest):
            return closest
        others = self._cluster.others(pinned, excluded)
        choice = [each for each in others if region_of(each) == region_of(pinned)] or others
        if not choice:
            return pinned if pinned not in excluded else ""
        return choice[min(int(self._draw(0, len(choice))), len(choice) - 1)]

    def accept(self, answer: Refreshed, at: Endpoint) -> None:
        """Ask for the roster if the server knows a newer one; the primary must be in the roster."""
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
        """Return one piece of work for each discovery server of the roster."""
        return [
            lambda at=discovery: self._checks.report_and_poll(at, server, trouble, report, wanted)  # type: ignore[misc]
            for discovery in self._cluster.discovery()
        ]

    def break_off(self, server: str) -> None:
        """Shut the sockets of its calls; each call raises OfflineError."""
        with contextlib.suppress(ServerError):  # it has left the roster meanwhile
            self._client.break_off(self._cluster.endpoint(server).url)

    def silent_servers(self, seconds: float) -> set[str]:
        """Ask the monitor of calls."""
        return self._monitor.silent_servers(seconds)

    def oldest_progress(self) -> float | None:
        """Ask the monitor of calls."""
        return self._monitor.oldest_progress()
