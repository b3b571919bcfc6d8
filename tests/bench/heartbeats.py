"""Discovery: heartbeats over HTTP to one process, each with a signature to verify."""

import statistics
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Final
from urllib.parse import urlsplit

import msgspec

from server.contract import paths
from server.contract.cluster_calls import (
    HeartbeatRequest,
)
from tests.bench.groups import Group
from tests.bench.rows import Row, spread_of
from tests.bench.stage import Stage
from tests.support import load
from tests.support.discovery import Beater, beater, discovery_process
from tests.support.rosters import TestCluster, new_cluster

_SERVERS: Final = 128
_CONNECTIONS: Final = 16
_SECONDS: Final = 2.0
_ROUNDS: Final = 7
_MOST: Final = 6_000
"""Beats that are signed for one second."""


def heartbeats(stage: Stage) -> list[Row]:
    """`heartbeats_per_s` in beats/s: beats of 128 servers over 16 kept HTTP connections, each with its own
    number, time and signature, signed before the clock runs; only those that were taken count, and one that
    is refused ends the measurement. The load comes from a process of its own."""
    cluster = _cluster()
    with discovery_process(stage.folder / "discovery", cluster, "disc-1", "--quiet") as (_, api):
        port = urlsplit(api.url).port
        assert port is not None
        beaters = [beater(cluster, server.id) for server in cluster.roster.servers]
        rates = [_rate(port, beaters) for _ in range(_ROUNDS + 1)][1:]
    ours = statistics.median(rates)
    return [Row("heartbeats_per_s", "beats/s", ours, ">= 2000", len(rates), _ROUNDS, spread=spread_of(rates))]


def _cluster() -> TestCluster:
    cluster = new_cluster(("ap-south-1", "M"))
    cluster.add_discovery("disc-1", "https://discovery.example.org")
    for number in range(_SERVERS):
        cluster.add_server(f"in-mum-{number}", "ap-south-1", f"http://127.0.0.1:{number + 1}")
    return cluster


def _rate(port: int, beaters: list[Beater]) -> float:
    requests = list(islice(_requests(beaters), int(_SECONDS * _MOST)))
    outcome = load.drive(load.Order(port, requests, _CONNECTIONS, _SECONDS, again=False))
    if outcome.refused:
        raise RuntimeError(f"{outcome.refused} beats were refused")
    return outcome.per_second


def _requests(beaters: list[Beater]) -> Iterator[bytes]:
    for each in cycle(beaters):
        yield load.request("POST", paths.HEARTBEATS, {}, msgspec.json.encode(HeartbeatRequest(each.signed())))


GROUPS: Final = (Group("heartbeats", ("heartbeats_per_s",), heartbeats),)
