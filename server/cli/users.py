"""The commands on users: invite, add, reset and list.

Passwords are read from a prompt or from standard input. They are no command-line arguments, because every
user of the computer can read those.
"""

import asyncio
import contextlib
import getpass
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID, uuid4

import msgspec
import psycopg

from server.auth import session_store, store
from server.auth.names import check_new_name, name_key, sign_in_keys, tidy_name
from server.auth.passwords import Passwords
from server.auth.recovery import new_code
from server.auth.store import Account, Password, Stamp, User
from server.cluster.startup import ClusterMember, start_member
from server.config import Config, database_url_of_environment, read_config
from server.contract import checks, limits
from server.contract.errors import FieldError
from server.contract.join import InviteLink, make_link
from server.contract.passwords import check_typed_password, prepare_password
from server.db.embedded import EmbeddedPostgres
from server.db.migrate import migrate
from server.db.pool import Connection
from server.errors import StartError
from server.node.folder_lock import lock_folder
from server.node.identity import kept_server_id
from server.tokens import invites
from server.tokens.keys import KEY
from server.tokens.password_resets import ResetCode, make_reset

T = TypeVar("T")
_log = logging.getLogger(__name__)
_IN_USE: Final = (
    "Close Bahi, or stop that server, and try again. To leave a server running that has a fixed "
    "database_port, set DATABASE_URL to the address of its database instead."
)
# The device id of operations by an operator.
_CONSOLE: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class PasswordSet:
    """What `reset` did: the user's name as it is stored, and the number of sessions that ended.

    `removed` says that the local book has no password now; `code` is its new recovery code ("" if none).
    """

    name: str
    ended: int
    removed: bool
    code: str


@dataclass(frozen=True, slots=True)
class DatabaseChoice:
    """Which database to use: that of a server's configuration file, or of a local book's data folder.

    If neither is given, it is the database of DATABASE_URL.
    """

    config_file: Path | None = None
    data: Path | None = None

    def config(self) -> Config:
        """Return the configuration. Raises StartError."""
        if self.data is not None:
            return Config(data=str(self.data.resolve()), local=True, registration="closed")
        if self.config_file is not None:
            return read_config(self.config_file)
        url = database_url_of_environment()
        if not url:
            raise StartError("Choose a server: give --config FILE or --data DIR, or set DATABASE_URL.")
        return Config(data="", region="console", database_url=url)


def invite(choice: DatabaseChoice, days: int) -> str:
    """Return an invitation code, with which one person can create an account. Raises StartError."""
    config = choice.config()
    if config.local or not config.data:
        raise StartError("An invitation is signed with the key of a server: give its --config FILE.")
    if config.registration != "invite":
        raise StartError(f'This server accepts no invitations: its registration is "{config.registration}".')
    if not 1 <= days <= invites.MAX_DAYS:
        raise StartError(f"An invitation is valid for 1 to {invites.MAX_DAYS} days.")
    member = _member(config)
    return invites.make_invite(member.trusted_keys, member.config.server_id, uuid4(), days, int(time.time()))


def add(choice: DatabaseChoice, name: str) -> str:
    """Create an account with this name, tidied. Return the name as it is stored. Raises StartError."""
    name = tidy_name(name)
    _refuse(check_new_name(name))
    config = choice.config()
    with _database(config) as url:
        if config.local and _run(url, store.only_account) is not None:
            raise StartError("The book on this computer has a user already.")
        chosen = Password(_hash(_ask_password(config)), _now_us())
        account = Account(uuid4(), uuid4(), name, chosen)

        async def make(connection: Connection) -> str:
            stamp = Stamp(uuid4(), chosen.chosen_ver)
            return await store.create_account(
                connection, account, name_key(name), _CONSOLE, stamp, config.region
            )

        if _run(url, make) == "name_taken":
            raise StartError(f"There is a user named {name} already.")
    return name


def reset(choice: DatabaseChoice, name: str) -> PasswordSet:
    """Set a new password for a user, or remove that of a local book, and end all sessions.

    Raises StartError.
    """
    config = choice.config()
    with _database(config) as url:
        account = _run(url, lambda connection: _found(connection, name))
        hashed = _hash(_ask_password(config))
        code, code_hash = new_code() if config.local and hashed else ("", None)
        ended = _run(url, lambda connection: _reset(connection, account, hashed, config.region, code_hash))
    _log.warning("password set at the console", extra={"user": str(account.user_id)})
    return PasswordSet(tidy_name(account.user_name), ended, not hashed, code)


def reset_link(choice: DatabaseChoice, name: str) -> str:
    """Return a link with which a user sets a new password, once, within a day. Raises StartError.

    If the address of the server is not known, it is only the code of the link.
    """
    config = choice.config()
    if config.local or not config.data:
        raise StartError("A link is signed with the key of a server: give its --config FILE.")
    member = _member(config)
    with _database(member.config) as url:
        account = _run(url, lambda connection: _found(connection, name))
    of = ResetCode(account.book_id, account.user_id, account.password.chosen_ver)
    code = make_reset(member.trusted_keys, member.config.server_id, of, int(time.time()))
    _log.warning("reset code made", extra={"user": str(account.user_id)})
    address, key = member.membership.roster.central_url, member.membership.fingerprint
    return make_link(InviteLink(address, key, code), "reset") if address else code


def list_users(choice: DatabaseChoice) -> str:
    """Return a table of the users: name, created, last used, disabled. Raises StartError."""
    with _database(choice.config()) as url:
        users = _run(url, store.all_users)
    # The last column is not padded, so that lines have no trailing spaces.
    rows = [("NAME", "CREATED", "LAST USED", "DISABLED"), *(_row(user) for user in users)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip()
        + "\n"
        for row in rows
    )


async def _found(connection: Connection, name: str) -> Account:
    keys = dict.fromkeys((*sign_in_keys(name), *sign_in_keys(tidy_name(name))))
    account = await store.find_by_name(connection, list(keys))
    if account is None:
        raise StartError(f"There is no user named {tidy_name(name)}.")
    return account


async def _reset(
    connection: Connection, account: Account, hashed: str, region: str, code_hash: str | None
) -> int:
    stamp = Stamp(uuid4(), _now_us())
    async with connection.transaction():
        chosen = await store.choose_password(
            connection, account, hashed, None, _CONSOLE, stamp, region, code_hash
        )
        if chosen is None:
            raise StartError("The password was changed at the same time; please try again.")
        ended = await session_store.revoke_others(
            connection, account.book_id, account.user_id, None, "reset", time.time()
        )
    return len(ended)


def _row(user: User) -> tuple[str, str, str, str]:
    used = _day(user.last_used) if user.last_used else "never"
    return user.name, _day(user.created), used, "yes" if user.disabled else "no"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _ask_password(config: Config) -> str:
    """Read a password, twice from a terminal, or else from the first line of standard input.

    Raises StartError.
    """
    if sys.stdin.isatty():
        password = getpass.getpass("New password: ")
        if getpass.getpass("Once more: ") != password:
            raise StartError("The two passwords differ; nothing was changed.")
    else:
        line = sys.stdin.readline(4 * limits.MAX_PASSWORD)
        if not line:
            raise StartError("Standard input has no password; nothing was changed.")
        password = line.rstrip("\r\n")
    if config.local and not password:  # a local book needs no password
        return ""
    prepared = prepare_password(password)
    _refuse(check_typed_password(password) or checks.check_new_password(prepared))
    return prepared


def _hash(password: str) -> str:
    return asyncio.run(Passwords().hash(password)) if password else ""


def _now_us() -> int:
    return time.time_ns() // 1_000


def _member(config: Config) -> ClusterMember:
    folder = config.folder
    # If the server has no key or id yet, they are created here. The lock keeps a server that starts at the
    # same time from creating others.
    exist = (folder / KEY).exists() and (config.server_id or (folder / "server-id").exists())
    with contextlib.nullcontext() if exist else lock_folder(folder):
        id_ = config.server_id or kept_server_id(folder)
        return start_member(msgspec.structs.replace(config, server_id=id_), time.time)


@contextlib.contextmanager
def _database(config: Config) -> Iterator[str]:
    """Yield the URL of the database. An embedded database is started for it, so no server may be using it."""
    if config.database_url and not config.local:
        yield config.database_url
        return
    folder = config.folder
    if not (folder / "postgres.secret").exists():
        raise StartError(f"The folder {folder} contains no book.")
    with _locked(folder):
        embedded = EmbeddedPostgres.of(config)
        try:
            url = embedded.start()
            migrate(url)
            yield url
        finally:
            embedded.stop()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        lock = lock_folder(folder)
    except StartError as error:
        raise StartError(f"{error} {_IN_USE}") from error
    with lock:
        yield


def _run(url: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Run `work` with a connection to the database. Raises StartError if the database fails."""

    async def connected() -> T:
        async with await psycopg.AsyncConnection.connect(
            url, autocommit=True, connect_timeout=10
        ) as connection:
            return await work(connection)

    try:
        return asyncio.run(connected())
    except psycopg.errors.UndefinedTable as error:
        raise StartError("The database is not migrated: run `bahi-server migrate` first.") from error
    except psycopg.OperationalError as error:
        raise StartError("The database cannot be reached.") from error
    except psycopg.Error as error:
        raise StartError(f"The database refused a statement ({type(error).__name__}).") from error


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise StartError(errors[0].message)
