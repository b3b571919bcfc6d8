"""The commands `bahi-server discovery` and `bahi-server status`."""

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from server.config import CONFIG_HELP
from server.errors import StartError

if TYPE_CHECKING:
    from server.cluster.peer_http import PeerHttp

Commands = Any  # argparse does not name the class of its subparsers
_REDRAW_SECONDS: Final = 2.0
_CLEAR: Final = "\x1b[H\x1b[2J"


def add_commands(commands: Commands) -> None:
    """Add both to those of the program."""
    discovery = commands.add_parser("discovery", help="keep who of a cluster is alive and how loaded")
    discovery.add_argument("--config", required=True, type=Path, help=CONFIG_HELP)
    discovery.set_defaults(run=_discovery)

    status = commands.add_parser("status", help="print who of a cluster is alive and how loaded")
    status.add_argument("--discovery", required=True, metavar="URL", help="a discovery server")
    status.add_argument("--cluster-key", required=True, metavar="FPR", help="the cluster key's fingerprint")
    status.add_argument("--ca-file", default="", help="certificates to trust beside the system's")
    status.add_argument("--watch", action="store_true", help="again every 2 s, until Ctrl+C")
    status.set_defaults(run=_status)


def _discovery(options: argparse.Namespace) -> None:
    from server.discovery.config import read_config
    from server.process.discovery_server import serve

    serve(read_config(options.config))


def _status(options: argparse.Namespace) -> None:
    from server.cli.status import describe, read_cluster
    from server.cluster.peer_http import PeerHttp

    url, fingerprint = options.discovery.rstrip("/"), options.cluster_key.strip().lower()
    with contextlib.closing(PeerHttp(url, options.ca_file)) as asker:
        if not options.watch:
            sys.stdout.write(describe(read_cluster(asker, fingerprint), time.time()))
            return
        with contextlib.suppress(KeyboardInterrupt):
            _watch(asker, fingerprint)


def _watch(asker: "PeerHttp", fingerprint: str) -> NoReturn:
    from server.cli.status import describe, read_cluster

    while True:
        try:
            text = describe(read_cluster(asker, fingerprint), time.time())
        except StartError as error:  # one that is away comes back
            text = f"{error}\n"
        sys.stdout.write(_CLEAR + text)
        sys.stdout.flush()
        time.sleep(_REDRAW_SECONDS)
