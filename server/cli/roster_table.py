"""Tables of text for a terminal, and the roster as one. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from server.contract import signing
from server.contract.cluster import PublicKey, Roster

_WARN_SECONDS: Final = 30 * 86_400


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of equal length under one another, two spaces between columns."""
    table = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)
    return "".join(f"{line}\n" for line in lines)


def instant(seconds: float) -> str:
    """Return an instant (s since 1970) to the minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def expiry(roster: Roster, now: float) -> str:
    """Say until when a roster is good, as a warning where that is soon."""
    until = instant(roster.expires_at)
    if now >= roster.expires_at:
        return f"WARNING: expired on {until}; nothing can be added until `roster renew`"
    if now >= roster.expires_at - _WARN_SECONDS:
        return f"WARNING: good only until {until}; run `roster renew`"
    return f"good until {until}"


def show(roster: Roster, now: float) -> str:
    """Return a roster for a person to read."""
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
        return f"{kid} (believed until {instant(key.until)})"
    if key.use_from > now:
        return f"{kid} (signs from {instant(key.use_from)})"
    return kid
