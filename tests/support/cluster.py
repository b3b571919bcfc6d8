"""A whole cluster on this computer: discovery servers, regions with a PostgreSQL each, and HAProxy in front.

Every server is a real process (`python -m server …`) with its own key; the roster names them all. Only what
was started here is ever ended, by its process id.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import requests

from server.cluster import roster as rosters
from server.cluster.roster_admin import RosterAdmin, public_key
from server.contract import cluster, paths, signing
from server.contract.cluster import Directory, Liveness, Roster
from server.contract.cluster_calls import (
    Servers,
)
from server.contract.join import InviteLink, make_link
from server.db.embedded import DATABASE, EmbeddedPostgres
from server.db.migrate import migrate
from server.errors import StartError
from server.replication.mesh import Mesh
from server.replication.regions import read_regions
from tests.support.haproxy import HAProxy, Place
from tests.support.mesh import SETTINGS as LOGICAL
from tests.support.netns import Network
from tests.support.node import Node, server_command
from tests.support.ports import steady_port
from tests.support.postgres import QUICK, remove_cluster
from tests.support.waiting import wait_until

UP_SECONDS: Final = 60.0
Setting = str | int | bool
_DAYS: Final = 365
_ASK_PAUSE: Final = 0.05  # asking takes from what is measured


@dataclass(frozen=True, slots=True)
class Region:
    """`ids` are its servers."""

    code: str
    letter: str
    ids: tuple[str, ...]


MUMBAI: Final = Region("ap-south-1", "M", ("in-mum-1", "in-mum-2"))
SINGAPORE: Final = Region("ap-southeast-1", "S", ("sg-sin-1", "sg-sin-2"))
FRANKFURT: Final = Region("eu-central-1", "F", ("de-fra-1", "de-fra-2"))


@dataclass(frozen=True, slots=True)
class Layout:
    """What there is. `settings` are more keys of each regional server's configuration; `quick` databases do
    not wait for the disk: nobody cuts their power. With `mesh` the regions send one another what each takes,
    but for those `outside` of it; `unset` are settings of PostgreSQL that ALTER SYSTEM is to change.
    """

    regions: tuple[Region, ...] = (MUMBAI,)
    discovery: tuple[str, ...] = ("disc-1", "disc-2")
    settings: Mapping[str, Setting] = field(default_factory=dict)
    quick: bool = True
    mesh: bool = False
    outside: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()


class Cluster:
    """Starts when entered, ends when left. `folder` keeps keys, ports, configurations, logs and bills, so
    that the same cluster can be started again; with a `network` each regional server has one of its own.

    `places` are where clients may be: one near each region, named by its code. `operator` has the cluster's
    key.
    """

    def __init__(self, folder: Path, layout: Layout | None = None, network: Network | None = None) -> None:
        self.folder = folder
        self.layout = layout or Layout()
        self.servers: dict[str, Node] = {}
        self.discovery: dict[str, Node] = {}
        self.places: dict[str, Place] = {}
        self._network = network
        self._databases: dict[str, EmbeddedPostgres] = {}
        self._running = ExitStack()
        self._ports = _Ports(folder / "ports.json")
        self.operator = RosterAdmin(folder / "operator")

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.callback(self.close)
            self._start()
            starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End everything, the newest first."""
        self._running.close()

    def remove_databases(self) -> None:
        """Remove what the databases hold; as root it lies outside of `folder`."""
        for region in self.layout.regions:
            remove_cluster(self.folder / region.code)

    # --- what it is ------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> str:
        """The cluster key's: by it clients know the cluster."""
        return signing.fingerprint(signing.decode_key(self.roster.cluster_key))

    @property
    def roster(self) -> Roster:
        """The roster, as the operator has it."""
        return self.operator.roster()

    @property
    def central_url(self) -> str:
        """The central URL as it is answered near the first region."""
        return self.places[self.layout.regions[0].code].url

    def link(self, near: str = "", code: str = "") -> str:
        """Return the link by which a client meets the cluster, near a region (the first one)."""
        address = self.places[near].url if near else self.central_url
        return make_link(InviteLink(address, self.fingerprint, code))

    def region_of(self, id_: str) -> Region:
        """Return a server's region."""
        return next(region for region in self.layout.regions if id_ in region.ids)

    def database_url(self, region: str) -> str:
        """Return the URL of a region's database; it holds the password."""
        return self._databases[region].url(DATABASE)

    @property
    def regions_file(self) -> Path:
        """The operator's file of the regions' databases, for `bahi-server replication`."""
        return self.operator.folder / "replication.toml"

    @property
    def mesh(self) -> Mesh:
        """What the operator changes the mesh by."""
        return Mesh(read_regions(self.regions_file))

    def documents(self, region: str) -> Path:
        """Return the folder in which a region's servers keep bills (`documents/…` of file_path)."""
        return self.folder / region / "documents"

    # --- what happens to it ----------------------------------------------------------------------

    def kill(self, id_: str) -> float:
        """Kill a server; return the moment (`time.monotonic()`)."""
        return self._node(id_).kill()

    def stop(self, id_: str) -> float:
        """Let a server stand still; return the moment."""
        return self._node(id_).stop()

    def cont(self, id_: str) -> None:
        """Let a server go on."""
        self._node(id_).cont()

    def drop(self, id_: str) -> float:
        """Drop all of a server's packets; return the moment."""
        assert self._network is not None, "the cluster has no network of its own"
        self._network.drop(id_)
        return time.monotonic()

    def undrop(self, id_: str) -> None:
        """Let a server's packets through again."""
        assert self._network is not None
        self._network.undrop(id_)

    def drain(self, id_: str, seconds: float = 60) -> float:
        """Ask a server to end, and wait for it; return how long it took."""
        return self._node(id_).drain(seconds)

    def start(self, id_: str) -> None:
        """Start a server that has ended, and wait until it answers."""
        self._node(id_).start()

    # --- what happens to a whole region ------------------------------------------------------------

    def kill_servers(self, region: str) -> float:
        """Kill all servers of a region that run; return the moment."""
        moment = time.monotonic()
        for id_ in self._region(region).ids:
            if self.servers[id_].running:
                self.kill(id_)
        return moment

    def kill_database(self, region: str) -> float:
        """Kill a region's postmaster, as a power cut would; return the moment."""
        postgres = self._databases[region]
        pid, moment = postgres.pid, time.monotonic()
        assert pid is not None, f"the database of {region} does not run"
        os.kill(pid, signal.SIGKILL)
        postgres.wait()
        return moment

    def start_database(self, region: str) -> None:
        """Start a region's database after `kill_database`, or make it anew after `destroy`."""
        # A killed postmaster's last processes are given time to go.
        wait_until(lambda: _has_started(self._databases[region]), UP_SECONDS)
        migrate(self.database_url(region))

    def destroy(self, region: str) -> float:
        """Kill a region's servers and its database, and remove all that it had; return the moment."""
        moment = self.kill_database(region)
        self.kill_servers(region)
        remove_cluster(self.folder / region)
        shutil.rmtree(self.documents(region), ignore_errors=True)
        return moment

    def heal(self, region: str) -> None:
        """Start whatever of a region does not run."""
        if self._databases[region].pid is None:
            self.start_database(region)
        away = [self.servers[id_] for id_ in self._region(region).ids if not self.servers[id_].running]
        for node in away:
            node.launch()
        for node in away:
            node.wait_ready()

    def rebuild(self, region: str) -> None:
        """Bring back a region that was destroyed: an empty database joins the mesh anew; then its servers."""
        self.start_database(region)
        self.mesh.join(region, anew=True)
        self.heal(region)

    # --- what discovery says ---------------------------------------------------------------------

    def directories(self) -> list[Directory]:
        """Return what each discovery server that answers says now."""
        asked = [node for node in self.discovery.values() if node.running and not node.stopped]
        found = (self._directory_at(node.url) for node in asked)
        return [each for each in found if each is not None]

    def states_of(self, id_: str) -> set[Liveness]:
        """Return all that discovery says of a server: of one mind, or not."""
        return {each.state_of(id_) for each in self.directories()}

    def wait_state(self, id_: str, *states: Liveness, seconds: float = UP_SECONDS) -> None:
        """Wait until every discovery server says one of `states` of a server."""

        def agreed() -> bool:
            found = self.states_of(id_)
            return bool(found) and found <= set(states)

        wait_until(agreed, seconds, _ASK_PAUSE)

    def wait_up(self) -> None:
        """Wait until discovery says UP of every regional server."""
        for id_ in self.servers:
            self.wait_state(id_, "up")

    def known_states(self, id_: str) -> dict[str, Liveness]:
        """Return a server's own last directory: what it would decide by."""
        found = self._directory_at(self.servers[id_].url)
        return {each.id: each.state for each in found.servers} if found else {}

    def _directory_at(self, url: str) -> Directory | None:
        try:
            text = Servers(**requests.get(url + paths.SERVERS, timeout=3).json()).directory
            return cluster.read_directory(text, self.roster, time.time()) if text else None
        except (requests.RequestException, signing.SignatureError, ValueError):
            return None

    def _region(self, code: str) -> Region:
        return next(region for region in self.layout.regions if region.code == code)

    # --- starting --------------------------------------------------------------------------------

    def _node(self, id_: str) -> Node:
        return self.servers.get(id_) or self.discovery[id_]

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for region in self.layout.regions:
            self._start_database(region)
        if self.layout.mesh:
            self._join()
        outward = [*map(self._ports.of, self.layout.discovery), *map(self._ports.of, self._databases)]
        hosts = {id_: self._host(id_, outward) for region in self.layout.regions for id_ in region.ids}
        self._make_places({id_: f"http://{host}:{self._ports.of(id_)}" for id_, host in hosts.items()})
        if not (self.operator.folder / "roster.jws").exists():
            self._sign(hosts)
        for id_ in self.layout.discovery:
            self.discovery[id_] = self._discovery_node(id_)
        for id_, host in hosts.items():
            self.servers[id_] = self._server_node(id_, host)
        self._start_processes()

    def _start_processes(self) -> None:
        # Discovery first: the servers' first beats find it.
        for nodes in (self.discovery.values(), self.servers.values()):
            for node in nodes:
                self._running.callback(node.end)
                node.launch()
            for node in nodes:
                node.wait_ready()
        proxy = HAProxy(self.folder, list(self.places.values()))
        self._running.callback(proxy.end)
        proxy.start()

    def _start_database(self, region: Region) -> None:
        settings = {**(QUICK if self.layout.quick else {}), **(LOGICAL if self.layout.mesh else {})}
        settings = {name: value for name, value in settings.items() if name not in self.layout.unset}
        postgres = EmbeddedPostgres(self.folder / region.code, settings, self._ports.of(region.code))
        self._running.callback(postgres.stop)
        migrate(postgres.start())
        self._databases[region.code] = postgres

    def _join(self) -> None:
        """Join the regions as an operator does; those that are joined already are left as they are."""
        tables = (
            f"[regions.{region.code}]\nurl = {json.dumps(self.database_url(region.code))}\n"
            for region in self.layout.regions
        )
        self.regions_file.parent.mkdir(parents=True, exist_ok=True)
        self.regions_file.touch(mode=0o600)
        self.regions_file.write_text("\n".join(tables), encoding="utf-8")
        codes = [each.code for each in self.layout.regions if each.code not in self.layout.outside]
        for number, code in enumerate(codes[1:], 1):
            self.mesh.join(code, codes[:number])

    def _host(self, id_: str, outward: Sequence[int]) -> str:
        return self._network.add(id_, outward).address if self._network else "127.0.0.1"

    def _make_places(self, urls: Mapping[str, str]) -> None:
        for region in self.layout.regions:
            near = [(id_, urls[id_]) for id_ in region.ids]
            far = [(id_, url) for id_, url in urls.items() if id_ not in region.ids]
            port = self._ports.of(f"near {region.code}")
            self.places[region.code] = Place(region.code, port, near, far)

    def _sign(self, hosts: Mapping[str, str]) -> None:
        """Make the roster as an operator does."""
        self.operator.init(self.central_url, _DAYS)
        for region in self.layout.regions:
            code, letter = region.code, region.letter
            self.operator.change(partial(_add_region, code=code, letter=letter))
        for id_ in self.layout.discovery:
            self.operator.change(partial(_add_discovery, id_=id_, url=self._url(id_), key=self._key(id_)))
        for id_, host in hosts.items():
            code, url = self.region_of(id_).code, self._url(id_, host)
            self.operator.change(partial(_add_server, id_=id_, region=code, url=url, key=self._key(id_)))

    def _url(self, id_: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self._ports.of(id_)}"

    def _key(self, id_: str) -> str:
        return public_key(self.folder / id_ / "data")

    def _discovery_node(self, id_: str) -> Node:
        values: dict[str, Setting] = {"discovery_id": id_, "port": self._ports.of(id_)}
        config = self._write(id_, {**values, **self._trust(), "data": str(self.folder / id_ / "data")})
        command = server_command("discovery", "--config", str(config))
        return Node(id_, self._url(id_), command, self._log(id_))

    def _server_node(self, id_: str, host: str) -> Node:
        region = self.region_of(id_)
        values: dict[str, Setting] = {
            "data": str(self.folder / id_ / "data"),
            "server_id": id_,
            "region": region.code,
            "region_letter": region.letter,
            "port": self._ports.of(id_),
            "public_url": self._url(id_, host),
            "database_url": self.database_url(region.code),
            "documents": str(self.documents(region.code)),
            "registration": "open",
        }
        config = self._write(id_, {**values, **self._trust(), **self.layout.settings})
        prefix = self._network.compartments[id_].prefix if self._network else ()
        command = server_command("run", "--config", str(config))
        return Node(id_, self._url(id_, host), command, self._log(id_), prefix)

    def _trust(self) -> dict[str, Setting]:
        return {"roster": str(self.operator.folder / "roster.jws"), "cluster_key": self.fingerprint}

    def _log(self, id_: str) -> Path:
        return self.folder / "logs" / f"{id_}.log"

    def _write(self, id_: str, values: Mapping[str, Setting]) -> Path:
        file = self.folder / id_ / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # the database's password stands in it
        file.write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items()), encoding="utf-8")
        return file


class _Ports:
    """Which port is whose, kept in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept: dict[str, int] = json.loads(file.read_text("utf-8")) if file.exists() else {}

    def of(self, name: str) -> int:
        """Return the port of a process, always the same one."""
        if name not in self._kept:
            self._kept[name] = steady_port()
            self._file.write_text(json.dumps(self._kept, indent=1) + "\n", encoding="utf-8")
        return self._kept[name]


def _has_started(postgres: EmbeddedPostgres) -> bool:
    try:
        postgres.start()
    except StartError:
        return False
    return True


def _add_region(roster: Roster, now: int, code: str, letter: str) -> Roster:
    return rosters.add_region(roster, code, letter, now)


def _add_discovery(roster: Roster, now: int, id_: str, url: str, key: str) -> Roster:
    return rosters.add_discovery(roster, id_, url, key, now)


def _add_server(roster: Roster, now: int, id_: str, region: str, url: str, key: str) -> Roster:
    return rosters.add_server(roster, id_, region, url, key, now)


def forget(folder: Path) -> None:
    """Remove a cluster that has ended, databases and all."""
    for part in folder.glob("*/postgres.location"):
        remove_cluster(part.parent)
    shutil.rmtree(folder, ignore_errors=True)
