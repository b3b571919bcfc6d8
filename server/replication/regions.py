"""The operator's file of regions, with the address of each region's database:

    [regions.ap-south-1]
    url = "postgresql://admin:…@db.mumbai.example/bahi?sslmode=verify-full&sslrootcert=system"
    peer_url = "postgresql://10.0.0.5/bahi?sslmode=verify-full&sslrootcert=system"

`url` connects as an administrator. If it is missing, the environment variable BAHI_DATABASE_URL_AP_SOUTH_1
is used. `peer_url` is the address that the other regions use, if it differs. It contains no user, because
each of them gets a role of its own.
"""

import ipaddress
import os
import re
import stat
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from server.errors import StartError

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
# The parts of `url` that peers may use too.
_FOR_PEERS: Final[tuple[str, ...]] = ("host", "hostaddr", "port", "dbname", "sslmode")
_PRIVATE: Final = ("require", "verify-ca", "verify-full")
_CONNECT_SECONDS: Final = 10


class _RegionKeys(msgspec.Struct, forbid_unknown_fields=True):
    url: str = ""
    peer_url: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    regions: dict[str, _RegionKeys]


@dataclass(frozen=True, slots=True)
class Region:
    """A region's database. The addresses are left out of its repr: `url` contains a password."""

    code: str
    url: str = field(repr=False)
    peer_url: str = field(repr=False, default="")

    def for_peer(self, role: str, password: str) -> str:
        """Return the connection string for a peer that logs in as `role`. It contains the password."""
        values = dict(_parsed(self.code, self.peer_url or self.url))
        # Files that `url` names (certificates, keys) are on the operator's computer, not on the peer's.
        if not self.peer_url:
            kept: dict[str, Any] = {name: values[name] for name in _FOR_PEERS if name in values}
            if values.get("sslrootcert") == "system":
                kept["sslrootcert"] = "system"
            values = kept
        values |= {"user": role, "password": password, "connect_timeout": _CONNECT_SECONDS}
        return make_conninfo("", **values)

    def redacted(self, text: str) -> str:
        """Return `text` with this region's password replaced by ***."""
        password = str(_parsed(self.code, self.url).get("password") or "")
        for written in filter(None, (password, quote(password))):
            text = text.replace(written, "***")
        return text


def read_regions(path: Path, environment: Mapping[str, str] | None = None) -> tuple[Region, ...]:
    """Read the file of regions. Raises StartError, also if other users may read the file."""
    found = _read(path)
    environment = os.environ if environment is None else environment
    regions = tuple(_region(code, entry, environment) for code, entry in sorted(found.regions.items()))
    if len(regions) < 2:
        raise StartError(f"The file {path} has {len(regions)} region; a mesh needs at least two.")
    return regions


def _read(path: Path) -> _File:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StartError(f"The file of regions {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise StartError(f"The file of regions {path} is not text.") from error
    if sys.platform != "win32" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StartError(f"{path} contains passwords, and other users may read it: run chmod 600 {path}.")
    try:
        return msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise StartError(f"The file of regions {path} has a mistake: {error}.") from error


def _region(code: str, entry: _RegionKeys, environment: Mapping[str, str]) -> Region:
    if not _CODE.match(code):
        raise StartError(f"A region code consists of a-z, 0-9 and -: {code!r} is not valid.")
    variable = f"BAHI_DATABASE_URL_{code.upper().replace('-', '_')}"
    url = entry.url or environment.get(variable, "")
    if not url:
        raise StartError(f"The database of {code} has no address: set its url in the file, or {variable}.")
    region = Region(code, url, entry.peer_url)
    for address in filter(None, (url, entry.peer_url)):
        _check_private(code, _parsed(code, address))
    if entry.peer_url and {"user", "password"} & set(_parsed(code, entry.peer_url)):
        raise StartError(
            f"The peer_url of {code} contains a user: remove it, because each peer gets a role of its own."
        )
    return region


def _parsed(code: str, url: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError:
        # Not `from error`: its text repeats the URL with the password.
        raise StartError(f"The address of {code}'s database is not valid.") from None


def _check_private(code: str, values: Mapping[str, Any]) -> None:
    hosts = str(values.get("hostaddr") or values.get("host") or "").split(",")
    if values.get("sslmode") in _PRIVATE or all(map(_is_here, hosts)):
        return
    raise StartError(
        f"The connection to {code}'s database is not encrypted: add sslmode=verify-full to its address."
    )


def _is_here(host: str) -> bool:
    if host in {"", "localhost"} or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
