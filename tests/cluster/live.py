"""Runs two regions of two servers until Ctrl+C. Their data is kept in one folder for the next start."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.paths import Paths
from app.store.database import Database
from app.store.settings import Settings
from tests.cluster.watch import Watch
from tests.support.cluster import MUMBAI, SINGAPORE, Cluster, Layout
from tests.support.node import ROOT

LAYOUT: Final = Layout(
    (MUMBAI, SINGAPORE), settings={"registration": "invite", "drain_seconds": 60}, mesh=True
)
_INVITE_DAYS: Final = 7
_REDRAW_SECONDS: Final = 2.0
_CLEAR: Final = "\x1b[H\x1b[2J"
_DEAD_SECONDS: Final = 45
"""How often those that have ended are started again: long enough to see what becomes of their clients."""


def run_live(folder: Path) -> int:
    """Run it until Ctrl+C or SIGTERM; return the exit status."""
    signal.signal(signal.SIGTERM, _interrupt)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "running.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.stderr.write(f"A cluster runs already from {folder}: end that first.\n")
            return 1
        return _run(folder)


def _run(folder: Path) -> int:
    with contextlib.suppress(KeyboardInterrupt), Cluster(folder, LAYOUT) as cluster:
        cluster.wait_up()
        link = cluster.operator.invite(_INVITE_DAYS)
        _say(_words(cluster, folder, link))
        watch = Watch(cluster)
        with _program(folder, link):
            while True:
                _start_the_dead(cluster)
                _show(watch, _DEAD_SECONDS)
    _say("The cluster has ended; its data are kept.")
    return 0


def _start_the_dead(cluster: Cluster) -> None:
    for region in cluster.layout.regions:
        cluster.heal(region.code)  # its database too
    for id_, node in (*cluster.servers.items(), *cluster.discovery.items()):
        if not node.running:
            cluster.start(id_)


def _words(cluster: Cluster, folder: Path, link: str) -> str:
    shown = [f"A cluster is up; everything of it is kept in {folder}."]
    shown += [
        f"  near {place.name:<15} {place.url}  (HAProxy, as Route 53)" for place in cluster.places.values()
    ]
    shown += [f"  {id_:<20} {node.url}  pid {_pid(node.process)}" for id_, node in cluster.servers.items()]
    shown += [f"  {id_:<20} {node.url}  pid {_pid(node.process)}" for id_, node in cluster.discovery.items()]
    operator = cluster.operator.folder
    shown += [
        "",
        "This link makes one account; choose “On a server” and paste it as the address:",
        f"  {link}",
        f"Another one: {_command('roster', 'invite', '--folder', str(operator))}",
        f"Who is alive: {_command(*_status_arguments(cluster))}",
        f"How the regions' links are: {_command('replication', 'status', '--watch', *_mesh_file(cluster))}",
        f"Whether they hold the same: {_command('replication', 'verify', *_mesh_file(cluster))}",
        "Kill a server (kill -9 PID), or ask it to end (kill PID): what has ended is started again within "
        f"{_DEAD_SECONDS} s. Ctrl+C ends everything.",
        "",
    ]
    return "\n".join(shown)


def _pid(process: "subprocess.Popen[bytes] | None") -> int:
    return process.pid if process else 0


def _command(*arguments: str) -> str:
    return " ".join([".venv/bin/bahi-server", *arguments])


def _status_arguments(cluster: Cluster) -> tuple[str, ...]:
    asked = next(iter(cluster.discovery.values())).url
    return ("status", "--watch", "--discovery", asked, "--cluster-key", cluster.fingerprint)


@contextlib.contextmanager
def _program(folder: Path, link: str) -> Iterator[None]:
    """Open the program, where there is a display, with the link filled in."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"):
        yield
        return
    home = folder / "client"
    _propose(Paths(home / "Bahi"), link)
    environment = {**os.environ, "XDG_DATA_HOME": str(home)}
    with _child([sys.executable, "-m", "app"], environment):
        yield


def _propose(paths: Paths, link: str) -> None:
    if paths.database.exists():
        return
    database = Database(paths.database)
    settings = Settings(database)
    settings.set("login.place", "server")
    settings.set("login.address", link)
    database.close()


def _mesh_file(cluster: Cluster) -> tuple[str, str]:
    return "--file", str(cluster.regions_file)


def _show(watch: Watch, seconds: float) -> None:
    """Show for so long how it is, where there is somebody at a terminal."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if sys.stdout.isatty():
            _say(_CLEAR + watch.text())
        time.sleep(_REDRAW_SECONDS)


@contextlib.contextmanager
def _child(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
