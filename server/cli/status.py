"""The state of a cluster as discovery reports it, as a table for a terminal."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from server.cli.roster_table import columns, expiry
from server.cluster.peer_http import PeerHttp, PeerHttpError
from server.contract import cluster, paths
from server.contract.cluster import Directory, DirectoryServer, Roster, RosterServer
from server.contract.cluster_calls import (
    Servers,
)
from server.contract.signing import SignatureError
from server.errors import StartError

_HEAD: Final = (
    *("REGION", "ID", "STATE", "SINCE", "LOAD", "IN FLIGHT", "P95 MS"),
    *("LOCKS", "MOVES", "VERSION"),
)
_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class ClusterView:
    """The verified answer of one discovery server."""

    roster: Roster
    directory: Directory


def read_cluster(url: str, fingerprint: str, ca_file: str = "") -> ClusterView:
    """Ask the discovery server at `url`; `fingerprint` is that of the cluster key.

    Raises StartError if it does not answer, its answer is not signed by the cluster, or `ca_file` cannot be
    read.
    """
    found = asyncio.run(_ask(url, ca_file))
    try:
        roster = cluster.read_roster(found.roster, fingerprint)
        return ClusterView(roster, cluster.read_directory(found.directory, roster, time.time()))
    except SignatureError as error:
        raise StartError(f"The answer of {url} cannot be trusted: {error}.") from error


async def _ask(url: str, ca_file: str) -> Servers:
    async with PeerHttp(ca_file) as http:
        try:
            return await http.get(url, paths.SERVERS, Servers)
        except PeerHttpError as error:
            raise StartError(f"{url} does not answer as a discovery server ({error}).") from error


def describe(seen: ClusterView, now: float) -> str:
    """Return the tables at `now` (seconds since 1970): about the directory, and one line for each server."""
    return "\n".join([columns(_about(seen, now)), columns([_HEAD, *_rows(seen, now)])])


def _about(seen: ClusterView, now: float) -> Iterator[tuple[str, str]]:
    directory, roster = seen.directory, seen.roster
    age = max(0.0, now - directory.issued_at_ms / _MS)
    stale = "" if directory.is_fresh(now) else ", EXPIRED"
    yield "discovery", f"{directory.discovery_id}, {age:.0f} s ago{stale}"
    yield "roster", f"version {roster.version}, {expiry(roster, now)}"
    if directory.roster_version != roster.version:
        yield "", f"WARNING: the directory is of roster version {directory.roster_version}"
    if directory.self_preservation:
        yield (
            "WARNING",
            "many servers fell silent at once, so discovery suspects its own network; "
            "only failed probes make a server DOWN",
        )


def _rows(seen: ClusterView, now: float) -> Iterator[tuple[str, ...]]:
    listed = {each.id: each for each in seen.directory.servers}
    for server in sorted(seen.roster.servers, key=lambda each: (each.region, each.id)):
        yield _row(server, listed.get(server.id), now)


def _row(server: RosterServer, listed: DirectoryServer | None, now: float) -> tuple[str, ...]:
    # The discovery server may have an older roster, without this server.
    if listed is None:
        return (server.region, server.id, "UNKNOWN", *("-" for _ in _HEAD[3:]))
    state, since = listed.state.upper(), _since(now - listed.since_ms / _MS)
    if (load := listed.load) is None:
        return (server.region, server.id, state, since, *("-" for _ in _HEAD[4:]))
    figures = (
        f"{load.utilisation:.0%}",
        f"{load.in_flight}/{load.capacity}",
        f"{load.p95_ms:.0f}",
        str(load.locks),
        str(load.moves),
    )
    return (server.region, server.id, state, since, *figures, listed.version or "-")


def _since(seconds: float) -> str:
    whole = max(0, int(seconds))
    if whole < 100:
        return f"{whole} s"
    if whole < 6_000:
        return f"{whole // 60} min"
    return f"{whole // 3_600} h"
