"""The command-line interface of `bahi-server discovery` and `bahi-server status`."""

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import Any, Final, NoReturn

from server.config import CONFIG_HELP
from server.errors import StartError

Commands = Any  # the class of argparse's subparsers is private
_REDRAW_SECONDS: Final = 2.0
_CLEAR: Final = "\x1b[H\x1b[2J"


def add_commands(commands: Commands) -> None:
    """Add the commands `discovery` and `status` to the program."""
    discovery = commands.add_parser("discovery", help="run a discovery server of a cluster")
    discovery.add_argument("--config", required=True, type=Path, help=CONFIG_HELP)
    discovery.set_defaults(run=_discovery)

    status = commands.add_parser("status", help="print which servers of a cluster are alive, and their load")
    status.add_argument("--discovery", required=True, metavar="URL", help="the address of a discovery server")
    status.add_argument(
        "--cluster-key", required=True, metavar="FPR", help="the fingerprint of the cluster key"
    )
    status.add_argument("--ca-file", default="", help="more certificates to trust (PEM)")
    status.add_argument("--watch", action="store_true", help="print again every 2 s, until Ctrl+C")
    status.set_defaults(run=_status)


def _discovery(options: argparse.Namespace) -> None:
    from server.discovery.config import read_config
    from server.process.discovery_server import serve

    serve(read_config(options.config))


def _status(options: argparse.Namespace) -> None:
    if not options.watch:
        sys.stdout.write(_status_text(options))
        return
    with contextlib.suppress(KeyboardInterrupt):
        _redraw(options)


def _status_text(options: argparse.Namespace) -> str:
    from server.cli.status import describe, read_cluster

    url, fingerprint = options.discovery.rstrip("/"), options.cluster_key.strip().lower()
    return describe(read_cluster(url, fingerprint, options.ca_file), time.time())


def _redraw(options: argparse.Namespace) -> NoReturn:
    while True:
        try:
            text = _status_text(options)
        except StartError as error:  # a discovery server that is away comes back
            text = f"{error}\n"
        sys.stdout.write(_CLEAR + text)
        sys.stdout.flush()
        time.sleep(_REDRAW_SECONDS)
