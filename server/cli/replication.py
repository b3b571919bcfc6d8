"""The commands `bahi-server replication …`."""

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from server.replication.mesh import Mesh
    from server.replication.verify import Verification

Commands = Any  # argparse does not name the class of its subparsers
_REDRAW_SECONDS: Final = 2.0
_CLEAR: Final = "\x1b[H\x1b[2J"


def add_commands(commands: Commands) -> None:
    """Add them to those of the program."""
    replication = commands.add_parser(
        "replication", help="let regions send one another what is written in each"
    )
    inner = replication.add_subparsers(required=True, metavar="command")
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument(
        "--file",
        type=Path,
        default=Path("replication.toml"),
        help="where each region's database is; nobody else may read it (default: replication.toml)",
    )

    def command(name: str, run: Any, words: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = inner.add_parser(name, parents=[place], help=words)
        parser.set_defaults(run=run)
        return parser

    join = command("join", _join, "join a region with the others; again, to complete what was cut short")
    join.add_argument("region")
    join.add_argument(
        "--against", nargs="+", default=[], metavar="CODE", help="with these only (default: all)"
    )
    join.add_argument(
        "--anew",
        action="store_true",
        help="make its links new: it was restored from a backup, or away for longer than its slots were kept",
    )

    leave = command("leave", _leave, "take a region out")
    leave.add_argument("region")
    leave.add_argument("--dead", action="store_true", help="it does not answer, and will not come back")

    status = command("status", _status, "print how each link is; exit status 1 where one carries nothing")
    status.add_argument(
        "--watch",
        action="store_true",
        help="again every 2 s, and whether the regions are equal, until Ctrl+C",
    )
    status.add_argument("--json", action="store_true", help="for a program")

    compares = "compare what the regions hold; exit status 1 where they differ, or one cannot be asked"
    verify = command("verify", _verify, compares)
    verify.add_argument("--json", action="store_true", help="for a program")

    command("repair", _repair, "make lost links anew, and exchange what only some regions have")


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
    sys.stdout.write(f"{options.region} has left; take it out of {options.file}.\n")


def _status(options: argparse.Namespace) -> None:
    from server.cli.replication_report import show_status, status_json

    mesh = _mesh(options)
    if options.watch:
        with contextlib.suppress(KeyboardInterrupt):
            _watch(mesh, as_json=options.json)
        return
    status = mesh.status()
    sys.stdout.write(status_json(status) if options.json else show_status(status))
    if not status.is_well:
        raise SystemExit(1)


def _watch(mesh: "Mesh", *, as_json: bool) -> NoReturn:
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
