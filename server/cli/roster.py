"""The command-line interface of `bahi-server roster` and `bahi-server key`."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

# The commands import what they need when they run, so that `--help` is fast.
if TYPE_CHECKING:
    from server.cluster.roster_admin import Change, RosterAdmin

Commands = Any  # the class of argparse's subparsers is private
_YEAR_DAYS = 365


def add_commands(commands: Commands) -> None:
    """Add the commands `key` and `roster` to the program."""
    key = commands.add_parser(
        "key",
        help="print a server's public key for the roster",
        description="Print a server's public key for the roster. The key is created if there is none.",
    )
    key.add_argument("--data", required=True, type=Path, help="the data folder of the server")
    key.add_argument("--next", action="store_true", help="print the key for the next `roster rotate`")
    key.set_defaults(run=_key)
    roster = commands.add_parser(
        "roster",
        help="manage the members of a cluster",
        description="Manage the roster: the signed list of the regions and servers of a cluster.",
    )
    _add_roster_commands(roster.add_subparsers(required=True, metavar="command"))


def _add_roster_commands(commands: Commands) -> None:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--folder",
        type=Path,
        default=Path(),
        help="the folder with the cluster key and the roster (default: the working directory)",
    )

    def command(name: str, run: Any, summary: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(
            name, parents=[common], help=summary, description=f"{summary[0].upper()}{summary[1:]}."
        )
        parser.set_defaults(run=run)
        return parser

    init = command("init", _init, "create a cluster: its key and an empty roster")
    init.add_argument("--central", required=True, metavar="URL", help="the address that clients connect to")
    init.add_argument(
        "--days", type=int, default=_YEAR_DAYS, help="how many days the roster is valid (default: 365)"
    )

    region = command("region", _region, "add a region")
    region.add_argument("code", help="the code of the region, for example ap-south-1")
    region.add_argument("letter", help="the letter with which the codes of entries made there begin")

    add = command("add", _add, "add a regional server, or with --discovery a discovery server")
    add.add_argument("id", help="the id of the server, as in its configuration file")
    kind = add.add_mutually_exclusive_group(required=True)
    kind.add_argument("--region", metavar="CODE", help="the region of a regional server")
    kind.add_argument("--discovery", action="store_true", help="add a discovery server")
    add.add_argument("--url", required=True, help="the address of the server, for example https://a.example")
    add.add_argument(
        "--key", required=True, metavar="PUB", help="the public key that `bahi-server key` printed there"
    )

    command("remove", _remove, "remove a server").add_argument("id", help="the id of the server")

    rotate = command("rotate", _rotate, "give a server its next key, which it uses a day from now")
    rotate.add_argument("id", help="the id of the server")
    rotate.add_argument(
        "--key", required=True, metavar="PUB", help="the key that `bahi-server key --next` printed there"
    )
    rotate.add_argument(
        "--now",
        action="store_true",
        help="the old key is lost: replace it at once, and stop trusting it",
    )

    renew = command("renew", _renew, "extend the validity of the roster")
    renew.add_argument(
        "--days", type=int, default=_YEAR_DAYS, help="how many days from now it is valid (default: 365)"
    )

    invite = command("invite", _invite, "print an invitation link, with which one account can be created")
    invite.add_argument("--days", type=int, default=7, help="how many days the link is valid (default: 7)")

    command("show", _show, "print the roster")


def joined(arguments: list[str]) -> list[str]:
    """Return the command line with `--key X` replaced by `--key=X`."""
    # One key in 64 begins with "-", and argparse would take it for an option.
    rest = iter(arguments)
    return [f"{each}={next(rest, '')}" if each == "--key" else each for each in rest]


def _key(options: argparse.Namespace) -> None:
    from server.cluster.roster_admin import public_key

    sys.stdout.write(public_key(options.data, options.next) + "\n")


def _admin(options: argparse.Namespace) -> "RosterAdmin":
    from server.cluster.roster_admin import RosterAdmin

    return RosterAdmin(options.folder)


def _init(options: argparse.Namespace) -> None:
    fingerprint = _admin(options).init(options.central, options.days)
    sys.stdout.write(
        f"cluster_key = {fingerprint}\n"
        "Keep cluster-key.pem offline, and make a copy: without it, the cluster can never be changed.\n"
    )


def _change(options: argparse.Namespace, change: "Change") -> None:
    changed = _admin(options).change(change)
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
    sys.stdout.write(_admin(options).invite(options.days) + "\n")


def _show(options: argparse.Namespace) -> None:
    from server.cli.roster_table import show

    sys.stdout.write(show(_admin(options).roster(), time.time()))
