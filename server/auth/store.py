"""Accounts, devices and passwords in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from server.auth.names import split_suffix, suffixes
from server.db.pool import Connection
from server.db.queries import load
from server.journal.append import Operation, Record, append

SQL: Final = load("server.auth")
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no letters that look like others
_NO_DEVICE: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Password:
    """The current password of a user.

    `hash` is "" if there is no password. `chosen_ver` is the version in which the user chose it, which a
    rehash does not change. `kept_family` is the session that chose it, which did not end when others did.
    `recovery_hash` is the hash of the recovery code of a local book, "" if there is none.
    """

    hash: str = ""
    chosen_ver: int = 0
    kept_family: str = ""
    recovery_hash: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A user with book and password.

    `user_name` is the name to sign in with. `name_taken` says that it has a suffix, because somebody else has
    the chosen name. `device_hash` is the hash of the secret of the calling device ("": unknown device).
    """

    book_id: UUID
    user_id: UUID
    user_name: str
    password: Password
    device_hash: str = ""
    name_taken: bool = False


@dataclass(frozen=True, slots=True)
class Stamp:
    """The id and version of an operation that the server makes itself."""

    op_id: UUID
    ver: int


@dataclass(frozen=True, slots=True)
class Claim:
    """The identity that an installation claims. `secret_hash` is "" if it has no secret."""

    device_id: UUID
    name: str
    secret_hash: str


def doc_of(**values: object) -> str:
    """Return `values` as the JSON text of a journal record."""
    return msgspec.json.encode(values).decode()


def read_doc(doc: str) -> dict[str, Any]:
    """Return the values in the JSON text of a journal record."""
    found: dict[str, Any] = msgspec.json.decode(doc)
    return found


def password_of(doc: str) -> Password:
    """Return the password in the JSON text of a credential record."""
    values = read_doc(doc)
    return Password(
        values.get("passwordHash", ""),
        values.get("chosenVer", 0),
        values.get("keptFamily", ""),
        values.get("recoveryHash", ""),
    )


def _account_of(row: tuple[Any, ...]) -> Account:
    book_id, user_id, name, hash_, credential, device = row[:6]
    password = replace(password_of(credential), hash=hash_)
    return Account(book_id, user_id, name, password, read_doc(device).get("secretHash", ""))


async def find_by_name(
    connection: Connection, name_keys: Sequence[str], device_id: UUID = _NO_DEVICE
) -> Account | None:
    """Return the account of the first key that belongs to one; None if none does.

    `name_keys` are those of `sign_in_keys`.
    """
    for key in name_keys:
        if account := await _find_by_key(connection, key, device_id):
            return account
    return None


async def _find_by_key(connection: Connection, name_key: str, device_id: UUID) -> Account | None:
    """Return the account that a name belongs to, with or without a suffix; None if nobody has it."""
    if claims := await _claims(connection, name_key, device_id):
        return _claimant(claims, "")
    chosen, suffix = split_suffix(name_key)
    return _claimant(await _claims(connection, chosen, device_id), suffix) if suffix else None


async def _claims(connection: Connection, name_key: str, device_id: UUID) -> list[tuple[Any, ...]]:
    parameters = {"name_key": name_key, "device_id": device_id}
    return await (await connection.execute(SQL["find_claims"], parameters)).fetchall()


def _claimant(claims: Sequence[tuple[Any, ...]], suffix: str) -> Account | None:
    for row, given in zip(claims, suffixes([row[1] for row in claims]), strict=True):
        if given == suffix:
            disabled = row[6]
            return None if disabled else _with_suffix(_account_of(row), given)
    return None


def _with_suffix(account: Account, suffix: str) -> Account:
    return replace(account, user_name=account.user_name + suffix, name_taken=bool(suffix))


async def name_if_taken(connection: Connection, book_id: UUID, user_id: UUID) -> str:
    """Return the name to sign in with if somebody else has the chosen one; otherwise ""."""
    if not await suffix_of(connection, book_id, user_id):
        return ""
    account = await find_by_id(connection, book_id, user_id)
    return account.user_name if account else ""


async def suffix_of(connection: Connection, book_id: UUID, user_id: UUID) -> str:
    """Return the suffix of a user's name, or "" if the chosen name is the user's own."""
    parameters = {"book_id": book_id, "user_id": user_id}
    rows = await (await connection.execute(SQL["claimants"], parameters)).fetchall()
    return _suffix(user_id, [id_ for (id_,) in rows])


def _suffix(user_id: UUID, claimants: Sequence[UUID]) -> str:
    return dict(zip(claimants, suffixes(claimants), strict=True)).get(user_id, "")


async def only_account(connection: Connection, device_id: UUID = _NO_DEVICE) -> Account | None:
    """Return the account of a server that serves a local book, or None if there is none yet."""
    row = await (await connection.execute(SQL["only_book"], {"device_id": device_id})).fetchone()
    return _account_of(row) if row else None


async def find_by_id(connection: Connection, book_id: UUID, user_id: UUID) -> Account | None:
    """Return the account of a user who is not disabled."""
    parameters = {"book_id": book_id, "user_id": user_id, "device_id": _NO_DEVICE}
    row = await (await connection.execute(SQL["find_by_id"], parameters)).fetchone()
    return _with_suffix(_account_of(row), await suffix_of(connection, book_id, user_id)) if row else None


async def create_account(
    connection: Connection,
    account: Account,
    name_key: str,
    device_id: UUID,
    stamp: Stamp,
    region: str,
    invite: UUID | None = None,
) -> Literal["made", "name_taken", "invite_spent"]:
    """Create the account with name and password in one operation, and use up the invitation."""
    async with connection.transaction():
        # No unique constraint can keep a name for one user, because regions accept names independently. The
        # lock does it within this region.
        await connection.execute(SQL["lock_name"], {"name_key": name_key})
        if await _claims(connection, name_key, device_id):
            return "name_taken"
        if invite is not None and not await _spend_invite(connection, account.book_id, invite):
            return "invite_spent"
        user = account.user_id
        records = [
            Record("user", user, doc_of(displayName=account.user_name, createdVer=stamp.ver)),
            Record("username", user, doc_of(nameKey=name_key)),
        ]
        if account.password.hash:
            credential = _credential_doc(account.password)
            records.append(Record("credential", user, credential))
        operation = Operation(account.book_id, stamp.op_id, stamp.ver, user, device_id, tuple(records))
        await append(connection, operation, region)
        return "made"


async def _spend_invite(connection: Connection, book_id: UUID, jti: UUID) -> bool:
    await connection.execute(SQL["lock_invite"], {"jti": jti})
    row = await (await connection.execute(SQL["is_invite_spent"], {"jti": jti})).fetchone()
    if row and row[0]:
        return False
    await connection.execute(SQL["spend_invite"], {"book_id": book_id, "jti": jti})
    return True


def _credential_doc(password: Password) -> str:
    code = {"recoveryHash": password.recovery_hash} if password.recovery_hash else {}
    return doc_of(passwordHash=password.hash, chosenVer=password.chosen_ver, **code)


async def rehash(
    connection: Connection, account: Account, new_hash: str, device_id: UUID, op_id: UUID, region: str
) -> None:
    """Replace the hash of an unchanged password."""
    await _amend(connection, account, {"passwordHash": new_hash}, device_id, op_id, region)


async def choose_recovery(
    connection: Connection, account: Account, recovery_hash: str, device_id: UUID, op_id: UUID, region: str
) -> bool:
    """Replace the recovery code of an unchanged password. Return False if the password was changed."""
    return await _amend(connection, account, {"recoveryHash": recovery_hash}, device_id, op_id, region)


async def _amend(
    connection: Connection,
    account: Account,
    changes: dict[str, str],
    device_id: UUID,
    op_id: UUID,
    region: str,
) -> bool:
    """Change the credential, unless the password is not the one in `account` any more."""
    # The new version is the old one plus 1, not the present time. So a password that the user chooses
    # meanwhile, here or in another region, always has a higher version and wins.
    async with connection.transaction():
        current = await _lock_credential(connection, account)
        if current is None or current[1].get("passwordHash") != account.password.hash:
            return False
        doc = doc_of(**{**current[1], **changes})
        stamp = Stamp(op_id, current[0] + 1)
        await _append_one(
            connection, account, Record("credential", account.user_id, doc), device_id, stamp, region
        )
        return True


async def choose_password(
    connection: Connection,
    account: Account,
    new_hash: str,
    kept: UUID | None,
    device_id: UUID,
    stamp: Stamp,
    region: str,
    recovery_hash: str | None = None,
) -> int | None:
    """Set the password that a user chose (`new_hash` is "" for none) and return its version.

    The recovery code goes with the password, stays if `recovery_hash` is None, or else becomes that.
    Returns None if the password is not the one in `account` any more.
    """
    current = await _lock_credential(connection, account)
    ver, doc = current or (0, {})
    if doc.get("passwordHash", "") != account.password.hash:
        return None
    chosen = max(stamp.ver, ver + 1)
    changes = {"passwordHash": new_hash, "chosenVer": chosen, "keptFamily": str(kept) if kept else ""}
    if recovery_hash is not None or not new_hash:
        changes["recoveryHash"] = (recovery_hash or "") if new_hash else ""
    text = doc_of(**{**doc, **changes})
    record = Record("credential", account.user_id, text)
    await _append_one(connection, account, record, device_id, Stamp(stamp.op_id, chosen), region)
    return chosen


async def _lock_credential(connection: Connection, account: Account) -> tuple[int, dict[str, Any]] | None:
    parameters = {"book_id": account.book_id, "user_id": account.user_id}
    await connection.execute(SQL["lock_password"], parameters)
    return await _current_version(connection, "credential", account.book_id, account.user_id)


async def _current_version(
    connection: Connection, kind: str, book_id: UUID, id_: UUID
) -> tuple[int, dict[str, Any]] | None:
    """Return version and contents of a record, with the keys that this program does not know."""
    parameters = {"kind": kind, "book_id": book_id, "id": id_}
    row = await (await connection.execute(SQL["current_doc"], parameters)).fetchone()
    return (row[0], read_doc(row[1])) if row else None


async def _append_one(
    connection: Connection, account: Account, record: Record, device_id: UUID, stamp: Stamp, region: str
) -> None:
    operation = Operation(account.book_id, stamp.op_id, stamp.ver, account.user_id, device_id, (record,))
    await append(connection, operation, region)


async def enroll_device(
    connection: Connection, account: Account, claim: Claim, letter: str, stamp: Stamp, region: str
) -> str:
    """Return the prefix of the human codes of a device; reserve a free one at the device's first log-in."""
    async with connection.transaction():
        await connection.execute(SQL["lock_devices"], {"book_id": account.book_id})
        current = await _current_version(connection, "device", account.book_id, claim.device_id)
        if current is None:
            prefix = await _free_prefix(connection, account.book_id, letter, claim.device_id)
            ver, doc = stamp.ver, {"codePrefix": prefix, "displayName": claim.name, "createdVer": stamp.ver}
        else:
            ver, doc = max(stamp.ver, current[0] + 1), current[1]
        # The caller has just logged in with the password, so the device may change its secret and its name.
        named = {**doc, "displayName": claim.name or doc.get("displayName", "")}
        is_new_secret = claim.secret_hash not in {"", doc.get("secretHash")}
        if current is None or is_new_secret or named != doc:
            text = doc_of(**{**named, "secretHash": claim.secret_hash or doc.get("secretHash", "")})
            record = Record("device", claim.device_id, text)
            await _append_one(connection, account, record, claim.device_id, Stamp(stamp.op_id, ver), region)
        return str(doc["codePrefix"])


async def _free_prefix(connection: Connection, book_id: UUID, letter: str, device_id: UUID) -> str:
    parameters = {"book_id": book_id, "letter": letter}
    rows = await (await connection.execute(SQL["taken_prefixes"], parameters)).fetchall()
    return first_free_prefix(letter, device_id, {prefix for (prefix,) in rows})


def first_free_prefix(letter: str, device_id: UUID, taken: set[str]) -> str:
    """Return the first prefix that is not in `taken`; the search starts at a place given by the device id."""
    # A start that depends on the device makes the codes of different books look different.
    size = len(_ALPHABET)
    start = device_id.int % (size * size)
    for step in range(size * size):
        high, low = divmod((start + step) % (size * size), size)
        prefix = f"{letter}{_ALPHABET[high]}{_ALPHABET[low]}"
        if prefix not in taken:
            return prefix
    # All 1,024 prefixes are taken: share one. Codes are for people; records are identified by their ids.
    return f"{letter}{_ALPHABET[start // size]}{_ALPHABET[start % size]}"


async def last_counter(connection: Connection, book_id: UUID, prefix: str) -> int:
    """Return the highest number of a human code with `prefix`, or 0 if there is none."""
    row = await (
        await connection.execute(SQL["last_code"], {"book_id": book_id, "prefix": prefix})
    ).fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class User:
    """A user in the operator's list. Times are in seconds since 1970; `last_used` is None if never used."""

    name: str
    created: float
    last_used: float | None
    disabled: bool


async def all_users(connection: Connection) -> list[User]:
    """Return every user, ordered by name."""
    rows = await (await connection.execute(SQL["users"])).fetchall()
    return [User(name + _suffix(id_, claimants), *columns) for name, *columns, id_, claimants in rows]
