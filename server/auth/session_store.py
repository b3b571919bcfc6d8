"""Sessions in PostgreSQL: journal records of kind `session`, and the two insert-only tables."""

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
    """A session that was not ended; instants in seconds since 1970.

    `password_ver` is the version of the password by which it began.
    """

    family: UUID
    device_name: str
    password_ver: int
    began: float
    last_used: float


async def start_session(
    connection: Connection, account: Account, identity: Identity, stamp: Stamp, region: str
) -> None:
    """Note that a session began."""
    doc = doc_of(startedVer=stamp.ver, passwordVer=account.password.chosen_ver)
    record = Record("session", identity.session_id, doc)
    operation = Operation(
        account.book_id, stamp.op_id, stamp.ver, account.user_id, identity.device_id, (record,)
    )
    await append(connection, operation, region)


async def session_state(connection: Connection, identity: Identity) -> tuple[bool, Password]:
    """Say whether the session was ended or its user disabled, and which password stands."""
    parameters = {
        "book_id": identity.book_id,
        "user_id": identity.user_id,
        "fam": identity.session_id,
    }
    row = await (await connection.execute(SQL["session_state"], parameters)).fetchone()
    assert row is not None
    return bool(row[0]), password_of(row[1])


async def sessions_of(connection: Connection, identity: Identity, now: float) -> list[KnownSession]:
    """Return the user's sessions, the newest first."""
    parameters = {"book_id": identity.book_id, "user_id": identity.user_id, "since": _oldest(now)}
    rows = await (await connection.execute(SQL["sessions"], parameters)).fetchall()
    return [
        KnownSession(family, name, read_doc(doc).get("passwordVer", 0), ver / _US, used or ver / _US)
        for family, name, doc, ver, used in rows
    ]


async def is_session(connection: Connection, identity: Identity, family: UUID) -> bool:
    """Say whether this user ever had that session."""
    parameters = {"book_id": identity.book_id, "user_id": identity.user_id, "fam": family}
    row = await (await connection.execute(SQL["is_session"], parameters)).fetchone()
    return bool(row and row[0])


async def use_generation(
    connection: Connection, identity: Identity, generation: int, rid_hash: str, server: str, now: float
) -> bool:
    """Note that this generation was spent by this refreshId; True where it, or an earlier one, was spent by
    another refreshId too.
    """
    parameters = {
        "book_id": identity.book_id,
        "fam": identity.session_id,
        "gen": generation,
        "rid_hash": rid_hash,
        "server": server,
        "now": now,
    }
    # Two statements, the first committed before the second looks: of two that come at once, one sees both.
    await connection.execute(SQL["use_generation"], parameters)
    row = await (await connection.execute(SQL["is_reused"], parameters)).fetchone()
    return bool(row and row[0])


async def revoke(connection: Connection, book_id: UUID, family: UUID, reason: str) -> None:
    """End a session for good."""
    await connection.execute(SQL["revoke"], {"book_id": book_id, "fam": family, "reason": reason})


async def recent_revocations(connection: Connection, seconds: float) -> set[UUID]:
    """Return the sessions that were ended in the last `seconds`, in whatever region."""
    rows = await (await connection.execute(SQL["ended_lately"], {"seconds": seconds})).fetchall()
    return {family for (family,) in rows}


async def revoke_others(
    connection: Connection, book_id: UUID, user_id: UUID, kept: UUID | None, reason: str, now: float
) -> list[UUID]:
    """End every session of a user but `kept`; return those that it ended."""
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
    """Return the version (µs) before which no session can still go on, whatever the regions' clocks."""
    return int((now - REFRESH_ABSOLUTE_SECONDS - 86_400) * _US)
