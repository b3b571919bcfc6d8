"""The command-line interface of bahi-server."""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from server.cli import discovery as discovery_commands
from server.cli import replication as replication_commands
from server.cli import roster as cluster_commands
from server.config import CONFIG_HELP, Config, database_url_of_environment, read_config
from server.errors import StartError
from server.log import log_to_stderr


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status. Errors are printed on standard error."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(cluster_commands.joined(given))
    log_to_stderr("WARNING" if options.quiet else "INFO")
    try:
        options.run(options)
        sys.stdout.flush()
    except StartError as error:
        sys.stderr.write(f"bahi-server: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("bahi-server: interrupted; run the same command again to complete it\n")
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader, for example `head`, has closed the pipe. Python must not try to write the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bahi-server", description="The server of the Bahi account book.")
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="print the version")
    parser.add_argument("--quiet", action="store_true", help="log only warnings and errors")
    commands = parser.add_subparsers(required=True, metavar="command")

    local = commands.add_parser(
        "local", help="serve the book of this computer on loopback, with an embedded PostgreSQL"
    )
    local.add_argument(
        "--data", required=True, type=Path, help="the data folder, which is created at the first start"
    )
    local.add_argument("--port", type=int, default=0, help="the port to listen on (default: any free port)")
    local.add_argument(
        "--parent-fd",
        type=int,
        help="a file descriptor from which the local secret is read; the server stops when it is closed",
    )
    local.set_defaults(run=_local)

    run = commands.add_parser(
        "run",
        help="run a regional server",
        description="Run a regional server. On SIGTERM it drains first, if another server of its cluster can "
        "take the clients: it answers calls until their sessions have moved. A second signal stops it.",
    )
    run.add_argument("--config", required=True, type=Path, help=CONFIG_HELP)
    run.set_defaults(run=_run)

    migrate = commands.add_parser(
        "migrate",
        help="migrate the database of DATABASE_URL",
        description="Migrate the database of DATABASE_URL, and print the names of the migrations applied. "
        "Servers that use the database keep running.",
    )
    migrate.set_defaults(run=_migrate)

    user = commands.add_parser(
        "user",
        help="invite, add, reset or list the users of a server",
        description="Manage the users of a server: that of --config or --data, or of DATABASE_URL.",
    )
    _add_user_commands(user)
    cluster_commands.add_commands(commands)
    discovery_commands.add_commands(commands)
    replication_commands.add_commands(commands)
    return parser


class _ShowVersion(argparse.Action):
    """Prints the version. It is read only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_values: object) -> NoReturn:
        from server.node.identity import VERSION

        sys.stdout.write(f"bahi-server {VERSION}\n")
        parser.exit()


def _add_user_commands(user: argparse.ArgumentParser) -> None:
    commands = user.add_subparsers(required=True, metavar="command")
    common = argparse.ArgumentParser(add_help=False)
    server = common.add_mutually_exclusive_group()
    server.add_argument("--config", type=Path, help="the configuration file of the server (TOML)")
    server.add_argument("--data", type=Path, help="the data folder of a local book")

    invite = commands.add_parser(
        "invite", parents=[common], help="print an invitation code, with which one account can be created"
    )
    invite.add_argument("--days", type=int, default=7, help="how many days the code is valid (default: 7)")
    invite.set_defaults(run=_user_invite)

    add = commands.add_parser("add", parents=[common], help="create an account; asks for its password")
    add.add_argument("name", help="the user name")
    add.set_defaults(run=_user_add)

    reset = commands.add_parser(
        "reset",
        parents=[common],
        help="set a new password for a user, and end all sessions of that user",
        description="Set a new password for a user, and end all sessions of that user. With --link, print a "
        "link with which the user sets the password: it is valid once, for 24 hours.",
    )
    reset.add_argument("name", help="the user name")
    reset.add_argument("--link", action="store_true", help="print a link instead of asking for a password")
    reset.set_defaults(run=_user_reset)

    users = commands.add_parser(
        "list", parents=[common], help="list the users: name, created, last used, disabled"
    )
    users.set_defaults(run=_user_list)


def _local(options: argparse.Namespace) -> None:
    from server.process.start_stop import read_secret, serve

    if not 0 <= options.port <= 65535:
        raise StartError("The port must be a number from 0 to 65535.")
    secret = read_secret(options.parent_fd) if options.parent_fd is not None else ""
    config = Config(
        data=str(options.data.resolve()),
        port=options.port,
        database_url=database_url_of_environment() or "",
        registration="closed",
        local=True,
        local_secret=secret,
    )
    serve(config, options.parent_fd)


def _run(options: argparse.Namespace) -> None:
    from server.process.start_stop import serve

    serve(read_config(options.config))


def _migrate(options: argparse.Namespace) -> None:  # noqa: ARG001 - the shape of every command
    from server.db.migrate import migrate

    url = database_url_of_environment()
    if not url:
        raise StartError("Set DATABASE_URL to the URL of the database to migrate.")
    for name in migrate(url):
        sys.stdout.write(f"{name}\n")


def _user_invite(options: argparse.Namespace) -> None:
    from server.cli import users

    sys.stdout.write(users.invite(users.DatabaseChoice(options.config, options.data), options.days) + "\n")


def _user_add(options: argparse.Namespace) -> None:
    from server.cli import users

    name = users.add(users.DatabaseChoice(options.config, options.data), options.name)
    sys.stdout.write(f"{name} can log in now.\n")


def _user_reset(options: argparse.Namespace) -> None:
    from server.cli import users

    choice = users.DatabaseChoice(options.config, options.data)
    if options.link:
        sys.stdout.write(users.reset_link(choice, options.name) + "\n")
        return
    done = users.reset(choice, options.name)
    what = "needs no password now: it was removed" if done.removed else "has a new password"
    sys.stdout.write(
        f"{done.name} {what}; sessions ended: {done.ended}. Devices that are logged in lose access within "
        "two seconds; in other regions when the change has arrived there, at the latest after five minutes.\n"
    )
    if done.code:
        sys.stdout.write(f"The new recovery code of the book, to be kept with the papers: {done.code}\n")


def _user_list(options: argparse.Namespace) -> None:
    from server.cli import users

    sys.stdout.write(users.list_users(users.DatabaseChoice(options.config, options.data)))


if __name__ == "__main__":
    sys.exit(main())
