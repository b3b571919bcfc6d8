"""The commands `bahi-server roster …` and `bahi-server key`."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from server.cluster.roster_admin import Change, RosterAdmin

Commands = Any  # argparse does not name the class of its subparsers
_YEAR_DAYS = 365


def add_commands(commands: Commands) -> None:
    """Add both to those of the program."""
    key = commands.add_parser(
        "key", help="print a server's public key for the roster; made where there is none"
    )
    key.add_argument("--data", required=True, type=Path, help="that server's data folder")
    key.add_argument("--next", action="store_true", help="the key that it changes to next")
    key.set_defaults(run=_key)
    roster = commands.add_parser("roster", help="say which regions and servers a cluster has")
    _add_roster_commands(roster.add_subparsers(required=True, metavar="command"))


def _add_roster_commands(commands: Commands) -> None:
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument(
        "--folder", type=Path, default=Path(), help="the operator's folder (default: this one)"
    )

    def command(name: str, run: Any, words: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, parents=[place], help=words)
        parser.set_defaults(run=run)
        return parser

    init = command("init", _init, "make the cluster key and an empty roster")
    init.add_argument("--central", required=True, metavar="URL", help="the address that clients are given")
    init.add_argument(
        "--days", type=int, default=_YEAR_DAYS, help="how long the roster is good (default: 365)"
    )

    region = command("region", _region, "add a region")
    region.add_argument("code")
    region.add_argument("letter", help="with which the codes of entries made there begin")

    add = command("add", _add, "add a regional server, or with --discovery a discovery server")
    add.add_argument("id")
    kind = add.add_mutually_exclusive_group(required=True)
    kind.add_argument("--region", metavar="CODE")
    kind.add_argument("--discovery", action="store_true")
    add.add_argument("--url", required=True)
    add.add_argument("--key", required=True, metavar="PUB", help="what `bahi-server key` printed there")

    command("remove", _remove, "take a server out").add_argument("id")

    rotate = command("rotate", _rotate, "give a server its next key, to be used a day from now")
    rotate.add_argument("id")
    rotate.add_argument(
        "--key", required=True, metavar="PUB", help="what `bahi-server key --next` printed there"
    )
    rotate.add_argument("--now", action="store_true", help="the old key is lost: believe it no more")

    renew = command("renew", _renew, "let the roster be good for longer")
    renew.add_argument("--days", type=int, default=_YEAR_DAYS, help="from now (default: 365)")

    invite = command("invite", _invite, "print a link by which one person makes one account")
    invite.add_argument("--days", type=int, default=7, help="how long it is good for (default: 7)")

    command("show", _show, "print the roster")


def joined(arguments: list[str]) -> list[str]:
    """Return the command line with `--key X` as `--key=X`: one key in 64 begins with a "-", and argparse
    would take it for an option."""
    rest = iter(arguments)
    return [f"{each}={next(rest, '')}" if each == "--key" else each for each in rest]


def _key(options: argparse.Namespace) -> None:
    from server.cluster.roster_admin import public_key

    sys.stdout.write(public_key(options.data, options.next) + "\n")


def _operator(options: argparse.Namespace) -> "RosterAdmin":
    from server.cluster.roster_admin import RosterAdmin

    return RosterAdmin(options.folder)


def _init(options: argparse.Namespace) -> None:
    fingerprint = _operator(options).init(options.central, options.days)
    sys.stdout.write(
        f"cluster_key = {fingerprint}\n"
        "Keep cluster-key.pem off line, and a copy of it: without it the cluster can never change.\n"
    )


def _change(options: argparse.Namespace, change: "Change") -> None:
    changed = _operator(options).change(change)
    sys.stdout.write(f"The roster is now version {changed.version}; copy roster.jws to the servers.\n")


def _region(options: argparse.Namespace) -> None:
    from server.cluster.roster import add_region

    _change(options, lambda roster, now: add_region(roster, options.code, options.letter, now))


def _add(options: argparse.Namespace) -> None:
    from server.cluster.roster import add_discovery, add_server

    id_, region, url, key = options.id, options.region, options.url, options.key
    if options.discovery:
        _change(options, lambda roster, now: add_discovery(roster, id_, url, key, now))
    else:
        _change(options, lambda roster, now: add_server(roster, id_, region, url, key, now))


def _remove(options: argparse.Namespace) -> None:
    from server.cluster.roster import remove

    _change(options, lambda roster, now: remove(roster, options.id, now))


def _rotate(options: argparse.Namespace) -> None:
    from server.cluster.roster import rotate

    _change(options, lambda roster, now: rotate(roster, options.id, options.key, now, lost=options.now))


def _renew(options: argparse.Namespace) -> None:
    from server.cluster.roster import renew

    _change(options, lambda roster, now: renew(roster, options.days, now))


def _invite(options: argparse.Namespace) -> None:
    sys.stdout.write(_operator(options).invite(options.days) + "\n")


def _show(options: argparse.Namespace) -> None:
    from server.cli.roster_table import show

    sys.stdout.write(show(_operator(options).roster(), time.time()))
