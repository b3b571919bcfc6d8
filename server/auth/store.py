"""Accounts, devices and sessions in PostgreSQL."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from server.db.pool import Connection
from server.db.queries import load
from server.journal.append import Operation, Record, append

SQL: Final = load("server.auth")
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: nothing that reads as something else


@dataclass(frozen=True, slots=True)
class Account:
    """A user, the book, and the hash of the password ("" without one)."""

    book_id: UUID
    user_id: UUID
    user_name: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """The identity of an operation that the server itself makes."""

    op_id: UUID
    ver: int


def _doc(**values: object) -> str:
    return msgspec.json.encode(values).decode()


async def find_by_name(connection: Connection, name_key: str) -> Account | None:
    """Return the account that the name belongs to: the lowest claim."""
    row = await (await connection.execute(SQL["find_by_name"], {"name_key": name_key})).fetchone()
    return Account(*row) if row else None


async def only_account(connection: Connection) -> Account | None:
    """Return the account of a computer's own server."""
    row = await (await connection.execute(SQL["only_book"])).fetchone()
    return Account(*row) if row else None


async def create_account(
    connection: Connection, account: Account, name_key: str, device_id: UUID, stamp: Stamp, region: str
) -> bool:
    """Add the account, its name and password in one operation; False where the name is taken."""
    async with connection.transaction():
        await connection.execute(SQL["lock_name"], {"name_key": name_key})
        if await find_by_name(connection, name_key) is not None:
            return False
        user = account.user_id
        records = [
            Record("user", user, _doc(displayName=account.user_name, createdVer=stamp.ver)),
            Record("username", user, _doc(nameKey=name_key)),
        ]
        if account.password_hash:
            records.append(Record("credential", user, _doc(passwordHash=account.password_hash)))
        operation = Operation(
            account.book_id, stamp.op_id, stamp.ver, user, device_id, tuple(records), creates=True
        )
        await append(connection, operation, region)
        return True


async def set_password_hash(
    connection: Connection, account: Account, password_hash: str, device_id: UUID, stamp: Stamp, region: str
) -> None:
    """Keep another hash as a new version of the credential."""
    record = Record("credential", account.user_id, _doc(passwordHash=password_hash))
    await append(
        connection,
        Operation(account.book_id, stamp.op_id, stamp.ver, account.user_id, device_id, (record,)),
        region,
    )


async def claim_prefix(
    connection: Connection,
    account: Account,
    device_id: UUID,
    name: str,
    letter: str,
    stamp: Stamp,
    region: str,
) -> str:
    """Return the prefix of this device's human codes; claim the first free one at its first log-in."""
    book = {"book_id": account.book_id}
    async with connection.transaction():
        await connection.execute(SQL["lock_devices"], book)
        row = await (
            await connection.execute(SQL["find_device"], {**book, "device_id": device_id})
        ).fetchone()
        if row:
            return str(row[0])
        taken = {
            prefix
            for (prefix,) in await (
                await connection.execute(SQL["taken_prefixes"], {**book, "letter": letter})
            ).fetchall()
        }
        prefix = _free_prefix(letter, device_id, taken)
        record = Record("device", device_id, _doc(codePrefix=prefix, displayName=name, createdVer=stamp.ver))
        operation = Operation(account.book_id, stamp.op_id, stamp.ver, account.user_id, device_id, (record,))
        await append(connection, operation, region)
        return prefix


def _free_prefix(letter: str, device_id: UUID, taken: set[str]) -> str:
    """Start from a place that the device's id gives, so that codes of different books look different."""
    size = len(_ALPHABET)
    start = device_id.int % (size * size)
    for step in range(size * size):
        high, low = divmod((start + step) % (size * size), size)
        prefix = f"{letter}{_ALPHABET[high]}{_ALPHABET[low]}"
        if prefix not in taken:
            return prefix
    # 1,024 installations of one book: the oldest code space is shared, codes are for people, not keys.
    return f"{letter}{_ALPHABET[start // size]}{_ALPHABET[start % size]}"


async def last_counter(connection: Connection, book_id: UUID, prefix: str) -> int:
    """Return the highest number seen behind `prefix`, 0 where there is none."""
    row = await (
        await connection.execute(SQL["last_code"], {"book_id": book_id, "prefix": prefix})
    ).fetchone()
    return int(row[0]) if row else 0


async def is_revoked(connection: Connection, book_id: UUID, user_id: UUID, family: UUID) -> bool:
    """Say whether the session was ended, or its user disabled."""
    parameters = {"book_id": book_id, "user_id": user_id, "fam": family}
    row = await (await connection.execute(SQL["is_revoked"], parameters)).fetchone()
    return bool(row and row[0])


async def use_generation(
    connection: Connection, book_id: UUID, family: UUID, generation: int, rid_hash: str, server: str
) -> bool:
    """Note that this generation was spent by this refreshId; True where another refreshId spent it too."""
    parameters = {
        "book_id": book_id,
        "fam": family,
        "gen": generation,
        "rid_hash": rid_hash,
        "server": server,
    }
    async with connection.transaction():
        row = await (await connection.execute(SQL["use_generation"], parameters)).fetchone()
    return bool(row and row[0])


async def revoke(connection: Connection, book_id: UUID, family: UUID, reason: str) -> None:
    """End a session for good."""
    await connection.execute(SQL["revoke"], {"book_id": book_id, "fam": family, "reason": reason})
