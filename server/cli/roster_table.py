"""Formats tables for a terminal, and the roster as tables. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from server.contract import signing
from server.contract.cluster import PublicKey, Roster

_WARN_SECONDS: Final = 30 * 86_400


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Return a table with aligned columns. All rows must have the same number of cells."""
    table = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)
    return "".join(f"{line}\n" for line in lines)


def instant(seconds: float) -> str:
    """Return a time (seconds since 1970) to the minute, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def expiry(roster: Roster, now: float) -> str:
    """Return until when a roster is valid, with a warning if that is in less than 30 days."""
    until = instant(roster.expires_at)
    if now >= roster.expires_at:
        return f"WARNING: expired on {until}; no member can be added before `roster renew`"
    if now >= roster.expires_at - _WARN_SECONDS:
        return f"WARNING: valid only until {until}; run `roster renew`"
    return f"valid until {until}"


def show(roster: Roster, now: float) -> str:
    """Return a roster as text: about it, its regions, its servers."""
    key = signing.fingerprint(signing.decode_key(roster.cluster_key))
    about = columns(
        [
            ("version", str(roster.version)),
            ("signed", instant(roster.issued_at)),
            ("expiry", expiry(roster, now)),
            ("central URL", roster.central_url),
            ("cluster key", key),
        ]
    )
    regions = [("REGION", "LETTER", "SERVERS")]
    regions += [(r.code, r.letter, str(len(roster.in_region(r.code)))) for r in roster.regions]
    servers = [("ID", "REGION", "URL", "KEYS")]
    servers += [(s.id, s.region, s.url, _keys(s.keys, now)) for s in roster.servers]
    servers += [(d.id, "(discovery)", d.url, _keys(d.keys, now)) for d in roster.discovery]
    return "\n".join([about, columns(regions), columns(servers)])


def _keys(keys: Iterable[PublicKey], now: float) -> str:
    return ", ".join(_key(key, now) for key in keys)


def _key(key: PublicKey, now: float) -> str:
    kid = signing.key_id(signing.decode_key(key.key))
    if key.until:
        return f"{kid} (trusted until {instant(key.until)})"
    if key.use_from > now:
        return f"{kid} (signs from {instant(key.use_from)})"
    return kid
