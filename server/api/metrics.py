"""GET /metrics: the metrics of this server for Prometheus (text format 0.0.4)."""

import hmac
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.state import ServerState, state_of
from server.contract import paths
from server.contract.cluster import is_loopback
from server.contract.errors import ErrorCode
from server.http.operation import documented
from server.http.responses import status_error
from server.http.tally import BOUNDS

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_STATES: Final = ("up", "suspect", "down", "draining", "left", "unknown")
# Headers that a reverse proxy adds.
_PROXIED: Final = ("forwarded", "x-forwarded-for")


@documented(media_type="text/plain", signed_in=False, errors=(ErrorCode.NOT_FOUND,))
async def metrics(request: Request) -> Response:
    """GET /metrics: needs the configured token. If none is configured, only this computer may read it."""
    services = state_of(request)
    if not _may_read(request, services.config.metrics_token):
        raise status_error(404)
    from prometheus_client import generate_latest

    return Response(generate_latest(_registry(services)), headers={"Content-Type": TEXT})


def _may_read(request: Request, token: str) -> bool:
    if token:
        given = request.headers.get("authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {token}".encode())
    # A call that a proxy on this computer forwards comes from loopback too, but somebody else sent it.
    if any(name in request.headers for name in _PROXIED):
        return False
    return request.client is not None and is_loopback(request.client.host)


def _registry(services: ServerState) -> "CollectorRegistry":
    # Imported at the first call, so that the server's start does not wait for it.
    from prometheus_client.registry import Collector, CollectorRegistry

    class Now(Collector):
        def collect(self) -> "Iterator[Metric]":
            yield from _calls(services)
            yield from _sessions(services)
            yield from _cluster(services)

    registry = CollectorRegistry()
    registry.register(Now())
    return registry


def _calls(services: ServerState) -> "Iterator[Metric]":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    calls = CounterMetricFamily("bahi_requests", "Calls answered.", labels=["route", "method", "status"])
    for (route, method, status), count in services.tally.calls.items():
        calls.add_metric([route, method, str(status)], count)
    yield calls
    seconds = HistogramMetricFamily("bahi_request_seconds", "Duration of a call.", labels=["route"])
    bounds = [*map(str, BOUNDS), "+Inf"]
    for route, histogram in services.tally.latencies.items():
        buckets = list(zip(bounds, accumulate(histogram.buckets), strict=True))
        seconds.add_metric([route], buckets, histogram.seconds)
    yield seconds
    yield GaugeMetricFamily("bahi_in_flight", "Calls being answered.", services.load.in_flight)
    utilisation = services.load.utilisation
    yield GaugeMetricFamily("bahi_utilisation", "Utilisation, 0 to 1, mean of 15 s.", utilisation)


def _sessions(services: ServerState) -> "Iterator[Metric]":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    decided = CounterMetricFamily("bahi_refresh_decisions", "Token refreshes by rule.", labels=["rule"])
    by_rule: dict[str, int] = {}
    for (rule, _), count in services.placement.decisions.items():
        by_rule[rule] = by_rule.get(rule, 0) + count
    for rule, count in by_rule.items():
        decided.add_metric([rule], count)
    yield decided
    moves = sum(count for (_, changed), count in services.placement.decisions.items() if changed)
    yield CounterMetricFamily("bahi_moves", "Token refreshes that changed the client's server.", moves)
    pinned = services.load.pinned.count(services.clock())
    yield GaugeMetricFamily("bahi_locks", "Sessions pinned to this server.", pinned)


def _cluster(services: ServerState) -> "Iterator[Metric]":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    for name, description, counts in (
        ("bahi_heartbeats_sent", "Heartbeats accepted by discovery.", services.heartbeats.sent),
        ("bahi_heartbeats_failed", "Heartbeats not accepted by discovery.", services.heartbeats.failed),
    ):
        beats = CounterMetricFamily(name, description, labels=["discovery"])
        for id_, count in counts.items():
            beats.add_metric([id_], count)
        yield beats
    membership = services.membership
    version = membership.roster.version
    yield GaugeMetricFamily("bahi_roster_version", "Version of the roster in force.", version)
    directory = membership.directory
    if directory is None:
        return
    age = services.clock() - directory.issued_at_ms / 1_000
    yield GaugeMetricFamily("bahi_directory_age_seconds", "Age of the directory in force.", age)
    states = GaugeMetricFamily(
        "bahi_registry_state", "1 for the state of a server, 0 for the others.", labels=["server", "state"]
    )
    for server in membership.roster.servers:
        for state in _STATES:
            states.add_metric([server.id, state], float(directory.state_of(server.id) == state))
    yield states


ROUTES = [Route(paths.METRICS, metrics, methods=["GET"])]
