"""The command-line interface of `bahi-server replication`."""

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

# The commands import what they need when they run, so that `--help` is fast.
if TYPE_CHECKING:
    from server.replication.mesh import Mesh
    from server.replication.verify import Verification

Commands = Any  # the class of argparse's subparsers is private
_REDRAW_SECONDS: Final = 2.0
_CLEAR: Final = "\x1b[H\x1b[2J"


def add_commands(commands: Commands) -> None:
    """Add the command `replication` to the program."""
    description = "Replicate between regions: every region receives the changes of all others."
    replication = commands.add_parser(
        "replication", help="manage the replication between regions", description=description
    )
    inner = replication.add_subparsers(required=True, metavar="command")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--file",
        type=Path,
        default=Path("replication.toml"),
        help="the file with the address of each region's database, readable by its owner only "
        "(default: replication.toml)",
    )

    def command(name: str, run: Any, summary: str, more: str = "") -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = inner.add_parser(
            name, parents=[common], help=summary, description=f"{summary[0].upper()}{summary[1:]}.{more}"
        )
        parser.set_defaults(run=run)
        return parser

    join = command(
        "join", _join, "join a region with the others", " Run it again to complete an interrupted join."
    )
    join.add_argument("region", help="the code of the region")
    join.add_argument(
        "--against", nargs="+", default=[], metavar="CODE", help="join with these regions only (default: all)"
    )
    join.add_argument(
        "--anew",
        action="store_true",
        help="recreate all subscriptions of the region: use this if it was restored from a backup, "
        "or was away for longer than its slots were kept",
    )

    leave = command(
        "leave", _leave, "remove a region", " Rows that only it has are copied to the other regions first."
    )
    leave.add_argument("region", help="the code of the region")
    leave.add_argument(
        "--dead", action="store_true", help="the region cannot be reached and will not come back"
    )

    exit_status = " The exit status is 1 if a subscription does not work."
    status = command("status", _status, "show the state of each subscription", exit_status)
    status.add_argument(
        "--watch",
        action="store_true",
        help="repeat every 2 s, and compare the regions, until Ctrl+C",
    )
    status.add_argument("--json", action="store_true", help="print JSON")

    exit_status = " The exit status is 1 if they differ, or if a region cannot be reached."
    verify = command("verify", _verify, "compare the rows of the regions", exit_status)
    verify.add_argument("--json", action="store_true", help="print JSON")

    command("repair", _repair, "recreate broken subscriptions, and copy rows that only some regions have")


def _mesh(options: argparse.Namespace) -> "Mesh":
    from server.replication.mesh import Mesh
    from server.replication.regions import read_regions

    return Mesh(read_regions(options.file), _say)


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _join(options: argparse.Namespace) -> None:
    mesh = _mesh(options)
    mesh.join(options.region, options.against, anew=options.anew)
    sys.stdout.write(mesh.status().verdict + "\n")


def _leave(options: argparse.Namespace) -> None:
    _end(_mesh(options).leave(options.region, dead=options.dead))
    sys.stdout.write(f"{options.region} has left; remove it from {options.file}.\n")


def _status(options: argparse.Namespace) -> None:
    from server.cli.replication_report import show_status, status_json

    mesh = _mesh(options)
    if options.watch:
        with contextlib.suppress(KeyboardInterrupt):
            _redraw(mesh, as_json=options.json)
        return
    status = mesh.status()
    sys.stdout.write(status_json(status) if options.json else show_status(status))
    if not status.is_well:
        raise SystemExit(1)


def _redraw(mesh: "Mesh", *, as_json: bool) -> NoReturn:
    from server.cli.replication_report import show_compared, show_status, status_json
    from server.replication.comparator import Comparator

    before = None
    with contextlib.closing(Comparator(mesh)) as comparing:
        comparing.start()
        while True:
            status, compared = mesh.status(), comparing.last()
            screen = _CLEAR + show_status(status, before) + show_compared(compared)
            sys.stdout.write(status_json(status, compared) if as_json else screen)
            sys.stdout.flush()
            before = status
            time.sleep(_REDRAW_SECONDS)


def _verify(options: argparse.Namespace) -> None:
    from server.cli.replication_report import verification_json

    found = _mesh(options).verify()
    if not options.json:
        _end(found)
        return
    sys.stdout.write(verification_json(found))
    if not found.is_well:
        raise SystemExit(1)


def _repair(options: argparse.Namespace) -> None:
    _end(_mesh(options).repair())


def _end(found: "Verification") -> None:
    from server.cli.replication_report import show_verification

    sys.stdout.write(show_verification(found))
    if not found.is_well:
        raise SystemExit(1)
