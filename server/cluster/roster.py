"""The operator's changes of a roster. Pure.

Every change returns a new roster with the next version number, or raises RosterError. Times are whole
seconds since 1970.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from server.contract import signing
from server.contract.cluster import (
    KEY_LEAD_SECONDS,
    PublicKey,
    Roster,
    RosterDiscovery,
    RosterRegion,
    RosterServer,
    is_allowed_url,
)

DAY_SECONDS: Final = 86_400
MAX_DAYS: Final = 3_650
# How long an old key stays valid after the new one signs: the longest life of a token (30 days) and a day.
KEPT_SECONDS: Final = 31 * DAY_SECONDS
# Crockford's alphabet, which has no letters that look like others. 0 stands for a book without a cluster.
LETTERS: Final = "123456789ABCDEFGHJKMNPQRSTVWXYZ"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


class RosterError(Exception):
    """The change cannot be made; the message is a sentence for the operator."""


def make(cluster_key: bytes, central_url: str, days: int, now: int) -> Roster:
    """Return the first, empty roster of a cluster, valid for `days` days. Raises RosterError."""
    _check_url(central_url)
    return Roster(
        cluster_key=signing.encode_key(cluster_key),
        version=1,
        issued_at=now,
        expires_at=now + _lifetime(days),
        central_url=central_url,
    )


def add_region(roster: Roster, code: str, letter: str, now: int) -> Roster:
    """Add a region. The human codes of entries made there begin with `letter`. Raises RosterError."""
    _check_name(code, "region code")
    if letter == "0":
        raise RosterError("The letter 0 is reserved for books without a cluster; please choose another.")
    if len(letter) != 1 or letter not in LETTERS:
        raise RosterError(f"A region's letter is one of {LETTERS}.")
    for region in roster.regions:
        if region.code == code:
            raise RosterError(f"There is a region {code} already.")
        if region.letter == letter:
            raise RosterError(f"The region {region.code} has the letter {letter} already.")
    return _next(roster, now, regions=[*roster.regions, RosterRegion(code, letter)])


def add_server(roster: Roster, id_: str, region: str, url: str, key: str, now: int) -> Roster:
    """Add a regional server whose public key is `key` (base64url). Raises RosterError."""
    _check_new(roster, id_, url, key)
    if region not in {each.code for each in roster.regions}:
        raise RosterError(f"There is no region {region}; add it first.")
    added = RosterServer(id_, region, url, [PublicKey(key)])
    return _next(roster, now, servers=[*roster.servers, added])


def add_discovery(roster: Roster, id_: str, url: str, key: str, now: int) -> Roster:
    """Add a discovery server whose public key is `key` (base64url). Raises RosterError."""
    _check_new(roster, id_, url, key)
    added = RosterDiscovery(id_, url, [PublicKey(key)])
    return _next(roster, now, discovery=[*roster.discovery, added])


def remove(roster: Roster, id_: str, now: int) -> Roster:
    """Remove a regional or discovery server. Raises RosterError if there is none with this id."""
    _found(roster, id_)
    return _next(
        roster,
        now,
        servers=[each for each in roster.servers if each.id != id_],
        discovery=[each for each in roster.discovery if each.id != id_],
    )


def rotate(roster: Roster, id_: str, key: str, now: int, lost: bool = False) -> Roster:
    """Give a server its next key.

    The new key is trusted at once, and signs a day from now. The old key stays trusted until everything that
    it signed has expired. If the old key is `lost`, the new key replaces it at once. Raises RosterError.
    """
    old = _found(roster, id_).keys
    _check_key(roster, key)
    keys = [PublicKey(key, now)] if lost else _old_and_new(id_, old, key, now)
    return _with_keys(roster, id_, keys, now)


def renew(roster: Roster, days: int, now: int) -> Roster:
    """Extend the validity of the roster to `days` days from now. Raises RosterError."""
    return _next(roster, now, expires_at=now + _lifetime(days))


def _old_and_new(id_: str, old: list[PublicKey], key: str, now: int) -> list[PublicKey]:
    # The data folder of a server has room for one next key only.
    if any(each.use_from > now for each in old):
        raise RosterError(
            f"{id_} already has a next key that is not in use yet; if that key is lost, use --now."
        )
    use_from = now + KEY_LEAD_SECONDS
    until = use_from + KEPT_SECONDS
    kept = [replace(each, until=each.until or until) for each in old if not each.until or now < each.until]
    return [*kept, PublicKey(key, use_from)]


def _with_keys(roster: Roster, id_: str, keys: list[PublicKey], now: int) -> Roster:
    servers = [replace(each, keys=keys) if each.id == id_ else each for each in roster.servers]
    discovery = [replace(each, keys=keys) if each.id == id_ else each for each in roster.discovery]
    return _next(roster, now, servers=servers, discovery=discovery)


def _next(roster: Roster, now: int, **changes: object) -> Roster:
    return replace(roster, version=roster.version + 1, issued_at=now, **changes)


def _members(roster: Roster) -> Iterator[RosterServer | RosterDiscovery]:
    yield from roster.servers
    yield from roster.discovery


def _found(roster: Roster, id_: str) -> RosterServer | RosterDiscovery:
    for each in _members(roster):
        if each.id == id_:
            return each
    raise RosterError(f"There is no server {id_} in the roster.")


def _check_new(roster: Roster, id_: str, url: str, key: str) -> None:
    _check_name(id_, "server id")
    _check_url(url)
    # Ids are unique over both kinds of server, because signed messages name their sender by id alone.
    for each in _members(roster):
        if each.id == id_:
            raise RosterError(f"There is a server {id_} already.")
        if each.url == url:
            raise RosterError(f"The server {each.id} has the address {url} already.")
    _check_key(roster, key)


def _check_name(name: str, what: str) -> None:
    if not _NAME.match(name):
        raise RosterError(f"A {what} has at most 63 characters (a-z, 0-9 and -): {name!r} is not valid.")


def _check_url(url: str) -> None:
    if not is_allowed_url(url):
        raise RosterError(
            f"{url!r} is not a valid address: use https and no path (http only on this computer)."
        )


def _check_key(roster: Roster, key: str) -> None:
    try:
        signing.load_key(signing.decode_key(key))
    except signing.SignatureError as error:
        raise RosterError("That is not a public key; copy the line that `bahi-server key` prints.") from error
    if key == roster.cluster_key:
        raise RosterError("That is the cluster key; every server has a key of its own.")
    for each in _members(roster):
        if key in {known.key for known in each.keys}:
            raise RosterError(f"That is a key of {each.id}; every server has a key of its own.")


def _lifetime(days: int) -> int:
    if not 1 <= days <= MAX_DAYS:
        raise RosterError(f"A roster is valid for 1 to {MAX_DAYS} days.")
    return days * DAY_SECONDS
