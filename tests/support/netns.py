"""A network namespace for each server, so that all of its packets can be dropped in both directions.

Everything happens inside the network namespace in which the campaign was started (`own_network`). The
computer's own network and firewall are not touched, and the namespaces disappear when the campaign ends. Each
server has a namespace behind a veth pair. Addresses stay loopback ones, as plain HTTP requires: the
kernel rewrites 127.83.0.N to the server's end of the pair, and on the server's side the ports of 127.0.0.1
that it needs (PostgreSQL, discovery) to ours.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_TOOLS: Final = ("unshare", "mount", "ip", "iptables", "sysctl")
_SBIN: Final = "/usr/sbin:/sbin:/usr/bin:/bin"
_SECONDS: Final = 20
_NOT_OURS: Final = "BAHI_NETWORK_OUTSIDE"


def why_not() -> str:
    """Return why packets cannot be dropped here, "" where they can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "dropping packets needs root"
    missing = [tool for tool in _TOOLS if _tool(tool) is None]
    if missing:
        return f"dropping packets needs {', '.join(missing)} (Debian: iproute2, iptables, procps)"
    done = subprocess.run([*own_network(), "true"], capture_output=True, check=False, timeout=_SECONDS)
    return "" if done.returncode == 0 else "this computer makes no network namespaces"


def own_network() -> list[str]:
    """Return what starts a command in a network and a mount table of its own."""
    outside = f"{_NOT_OURS}={_this_network()}"
    return [_tool("unshare") or "unshare", "--net", "--mount", "--", "env", outside]


def is_own() -> bool:
    """Return whether this process was started in a network of its own."""
    return os.environ.get(_NOT_OURS, _this_network()) != _this_network()


def _this_network() -> str:
    return str(Path("/proc/self/ns/net").readlink())


@dataclass(frozen=True, slots=True)
class Compartment:
    """The network of one server. It listens on 127.0.0.1 there; others reach it at `address`."""

    name: str
    number: int

    @property
    def address(self) -> str:
        """A loopback address that leads to it."""
        return f"127.83.0.{self.number}"

    @property
    def prefix(self) -> list[str]:
        """What runs a command inside."""
        return [_tool("ip") or "ip", "netns", "exec", self.name]

    @property
    def ours(self) -> str:
        """Our end of the pair."""
        return f"10.83.{self.number}.1"

    @property
    def theirs(self) -> str:
        """Its end of the pair."""
        return f"10.83.{self.number}.2"


@dataclass(slots=True)
class Network:
    """The compartments of a cluster. Raises AssertionError outside `own_network`."""

    compartments: dict[str, Compartment] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert is_own(), "this would change the computer's own network"
        Path("/run/netns").mkdir(exist_ok=True)
        _run("mount -t tmpfs tmpfs /run/netns")  # in our mount table: the names are gone with us
        _run("ip link set lo up")
        _run("sysctl -q -w net.ipv4.conf.all.route_localnet=1")

    def add(self, id_: str, outward: Sequence[int]) -> Compartment:
        """Make a network for a server that calls the ports `outward` of our 127.0.0.1."""
        number = len(self.compartments) + 1
        made = self.compartments[id_] = Compartment(f"bahi-{number}", number)
        self._join(made)
        self._lead_in(made)
        self._lead_out(made, outward)
        return made

    def drop(self, id_: str) -> None:
        """Drop every packet to and from a server."""
        self._filter("-I", id_)

    def undrop(self, id_: str) -> None:
        """Let packets through again."""
        self._filter("-D", id_)

    def _filter(self, action: str, id_: str) -> None:
        inside = " ".join(self.compartments[id_].prefix)
        # By no interface: what is on its way to us still seems to leave by the loopback one there.
        _run(f"{inside} iptables {action} OUTPUT -j DROP")
        _run(f"{inside} iptables {action} INPUT -j DROP")

    def _join(self, made: Compartment) -> None:
        inside = " ".join(made.prefix)
        _run(f"ip netns add {made.name}")
        _run(f"ip link add out{made.number} type veth peer name in{made.number} netns {made.name}")
        _run(f"ip addr add {made.ours}/30 dev out{made.number}")
        _run(f"ip link set out{made.number} up")
        _run(f"{inside} ip addr add {made.theirs}/30 dev in{made.number}")
        _run(f"{inside} ip link set in{made.number} up")
        _run(f"{inside} ip link set lo up")
        _run(f"{inside} sysctl -q -w net.ipv4.conf.all.route_localnet=1")

    def _lead_in(self, made: Compartment) -> None:
        inside = " ".join(made.prefix)
        there, back = f"--to-destination {made.theirs}", "--to-destination 127.0.0.1"
        _run(f"iptables -t nat -A OUTPUT -d {made.address} -p tcp -j DNAT {there}")
        _run(f"iptables -t nat -A POSTROUTING -o out{made.number} -j MASQUERADE")
        arriving = f"PREROUTING -i in{made.number} -d {made.theirs} -p tcp"
        _run(f"{inside} iptables -t nat -A {arriving} -j DNAT {back}")
        # Whoever calls appears as this computer itself, as it would without the pair.
        _run(f"{inside} iptables -t nat -A INPUT -i in{made.number} -j SNAT --to-source 127.0.0.1")

    def _lead_out(self, made: Compartment, outward: Sequence[int]) -> None:
        inside = " ".join(made.prefix)
        for port in outward:
            there = f"-j DNAT --to-destination {made.ours}"
            _run(f"{inside} iptables -t nat -A OUTPUT -d 127.0.0.1 -p tcp --dport {port} {there}")
        _run(f"{inside} iptables -t nat -A POSTROUTING -o in{made.number} -j MASQUERADE")
        back = "-j DNAT --to-destination 127.0.0.1"
        _run(f"iptables -t nat -A PREROUTING -i out{made.number} -d {made.ours} -p tcp {back}")
        _run(f"iptables -t nat -A INPUT -i out{made.number} -j SNAT --to-source 127.0.0.1")


def _tool(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=_SBIN)


def _run(line: str) -> None:
    words = line.split()
    done = subprocess.run(
        [_tool(words[0]) or words[0], *words[1:]],
        capture_output=True,
        check=False,
        timeout=_SECONDS,
        env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{_SBIN}"},
    )
    assert done.returncode == 0, f"{line}: {done.stderr.decode(errors='replace')}"
