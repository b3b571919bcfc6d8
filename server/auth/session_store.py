"""Sessions in PostgreSQL: journal records of kind `session`, and two tables, refresh_use and revocation."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from server.auth.store import SQL, Account, Password, Stamp, doc_of, password_of, read_doc
from server.db.pool import Connection
from server.journal.append import Operation, Record, append
from server.tokens.tokens import REFRESH_ABSOLUTE_SECONDS, Identity

_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class KnownSession:
    """A session that was not ended. Times are in seconds since 1970.

    `password_ver` is the version of the password with which the session began, `address` the network address
    that it began from, and `server` the id of the server that it was last used at ("" if not known).
    """

    family: UUID
    device_name: str
    password_ver: int
    began: float
    last_used: float
    address: str = ""
    server: str = ""


async def start_session(
    connection: Connection, account: Account, identity: Identity, stamp: Stamp, region: str, address: str
) -> None:
    """Record the start of a session in the journal. `address` is where it began, "" if not known."""
    doc = doc_of(startedVer=stamp.ver, passwordVer=account.password.chosen_ver, address=address)
    record = Record("session", identity.session_id, doc)
    operation = Operation(
        account.book_id, stamp.op_id, stamp.ver, account.user_id, identity.device_id, (record,)
    )
    await append(connection, operation, region)


async def session_state(connection: Connection, identity: Identity) -> tuple[str, Password]:
    """Return why the session has ended ("" if it goes on), and the user's current password.

    The reason is `disabled`, or that of the revocation: `ended`, `password`, `reset`, `reused`, `logout`.
    """
    parameters = {
        "book_id": identity.book_id,
        "user_id": identity.user_id,
        "fam": identity.session_id,
    }
    row = await (await connection.execute(SQL["session_state"], parameters)).fetchone()
    assert row is not None
    return str(row[0]), password_of(row[1])


async def sessions_of(connection: Connection, identity: Identity, now: float) -> list[KnownSession]:
    """Return the user's sessions that may still be alive, newest first."""
    parameters = {"book_id": identity.book_id, "user_id": identity.user_id, "since": _oldest(now)}
    rows = await (await connection.execute(SQL["sessions"], parameters)).fetchall()
    # A session that was never refreshed was last used when it began.
    return [_session_of(*row) for row in rows]


def _session_of(
    family: UUID, name: str, doc: str, ver: int, used: float | None, server: str | None
) -> KnownSession:
    facts = read_doc(doc)
    password_ver, address = facts.get("passwordVer", 0), facts.get("address", "")
    return KnownSession(family, name, password_ver, ver / _US, used or ver / _US, address, server or "")


async def is_session(connection: Connection, identity: Identity, family: UUID) -> bool:
    """Return whether the session `family` is, or was, one of this user's."""
    parameters = {"book_id": identity.book_id, "user_id": identity.user_id, "fam": family}
    row = await (await connection.execute(SQL["is_session"], parameters)).fetchone()
    return bool(row and row[0])


async def use_generation(
    connection: Connection, identity: Identity, generation: int, rid_hash: str, server: str, now: float
) -> bool:
    """Record the use of a generation with a refresh id (its hash).

    Return whether this generation, or an earlier one of the session, was used with another refresh id too.
    """
    parameters = {
        "book_id": identity.book_id,
        "fam": identity.session_id,
        "gen": generation,
        "rid_hash": rid_hash,
        "server": server,
        "now": now,
    }
    # Two statements in autocommit: of two concurrent uses, the one that commits last sees both rows.
    await connection.execute(SQL["use_generation"], parameters)
    row = await (await connection.execute(SQL["is_reused"], parameters)).fetchone()
    return bool(row and row[0])


async def revoke(connection: Connection, book_id: UUID, family: UUID, reason: str) -> None:
    """End a session."""
    await connection.execute(SQL["revoke"], {"book_id": book_id, "fam": family, "reason": reason})


async def recent_revocations(connection: Connection, seconds: float) -> set[UUID]:
    """Return the sessions that were ended in the last `seconds`, in any region."""
    rows = await (await connection.execute(SQL["recently_ended"], {"seconds": seconds})).fetchall()
    return {family for (family,) in rows}


async def revoke_others(
    connection: Connection, book_id: UUID, user_id: UUID, kept: UUID | None, reason: str, now: float
) -> list[UUID]:
    """End every session of a user except `kept`; return those that this call ended."""
    parameters = {
        "book_id": book_id,
        "user_id": user_id,
        "kept": kept,
        "reason": reason,
        "since": _oldest(now),
    }
    rows = await (await connection.execute(SQL["revoke_others"], parameters)).fetchall()
    return [family for (family,) in rows]


def _oldest(now: float) -> int:
    """Return the version (µs) of the oldest session that may still be alive.

    It allows for a day of difference between the clocks of the regions.
    """
    return int((now - REFRESH_ABSOLUTE_SECONDS - 86_400) * _US)
