"""Finds invite links, and links for a new password, in a text that was pasted: a mail, a chat. Pure.

The text is a stranger's, so only so much of it is read, and only so many places in it.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final
from urllib.parse import unquote

from app.domain.hosts import ascii_address
from app.domain.text import visible
from server.contract.join import FINGERPRINT_DIGITS, MAX_LINK, SCHEME, InviteLink, link_of

MAX_TEXT: Final = 100_000
"""How much of a text is read, in characters."""
_WINDOW: Final = 3 * MAX_LINK  # the longest link, percent-encoded
_MOST_WINDOWS: Final = 20
_MOST_READINGS: Final = 24
_DEPTH: Final = 3

# A mail program may break a line anywhere, and begins each line of a quoted mail with ">".
_GAP: Final = re.compile(r"(?:\n[ >|]*+| )++")
_NAME: Final = r"[ >|\n=]{0,8}".join("bahi")
_BEGINNING: Final = re.compile(rf"{_NAME}(?=[ >|\n=]{{0,8}}(?::|%|&#|&colon))", re.IGNORECASE)
_HEAD: Final = re.compile(r"bahi:/{0,3}(join|reset)/?\?", re.IGNORECASE)
_STARTED: Final = re.compile(r"bahi:/", re.IGNORECASE)
_FIELD: Final = re.compile(r"([\w.-]{1,32})=", re.ASCII)
_AND: Final = re.compile(r"&(?:amp;|#38;|#x26;)*+", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[\w%:/.~\[\]-]*+", re.ASCII)
_KEY: Final = re.compile(rf"[0-9a-f]{{{FINGERPRINT_DIGITS}}}", re.IGNORECASE)
# A code is a signed token (a JWS): three parts in base64url; the last,
# an Ed25519 signature, has 86 characters.
_TOKEN: Final = re.compile(r"eyJ[\w-]++\.[\w-]++\.[\w-]{86}", re.ASCII)
_SPACE: Final = re.compile(r"[^\S\n]")
_PART: Final = re.compile(r"[\w-]++", re.ASCII)
_SCHEME: Final = f"{SCHEME}:"
_HEADER: Final = "eyJ"  # how each such token begins: `{"` in base64url
_CODE: Final = re.compile(r"[\w.~%-]*+", re.ASCII)
_OTHER: Final = re.compile(r"[^&]*+")
_TAG: Final = re.compile(
    r"</?(?:a|b|i|u|em|strong|span|font|div|p|td|tr|br|wbr)\b[^<>]{0,400}>", re.IGNORECASE
)
_SOFT_BREAK: Final = re.compile(r"= {0,4}\n[ >|]*")
_ESCAPE: Final = re.compile(r"=([0-9A-Fa-f]{2})")
_STOPS: Final = ".,;:!?"


@dataclass(frozen=True, slots=True)
class FoundLinks:
    """The different links that are complete: `links` invite, and `resets` are for a new password.

    `is_damaged` says that there is one that is not complete.
    """

    links: tuple[InviteLink, ...] = ()
    resets: tuple[InviteLink, ...] = ()
    is_damaged: bool = False


def find_links(text: str) -> FoundLinks:
    """Return the links in `text`, whatever is around them, and however they are wrapped."""
    found: dict[str, dict[tuple[str, str], InviteLink]] = {"join": {}, "reset": {}}
    is_damaged = False
    for window in _windows(_lines(text)):
        readings = _readings(window)
        links = [read for reading in readings if (read := _read(reading)) is not None]
        is_damaged = is_damaged or (not links and any(_STARTED.match(_joined(each)[0]) for each in readings))
        for kind, link in links:
            _add(link, found[kind])
    links_of = {kind: tuple(dict.fromkeys(each.values())) for kind, each in found.items()}
    return FoundLinks(links_of["join"], links_of["reset"], is_damaged)


def _add(link: InviteLink, found: dict[tuple[str, str], InviteLink]) -> None:
    """Add a link that is new, or that has the code which the one before lacks."""
    known = found.get((link.address, link.fingerprint))
    if known is None or not known.code:
        found[link.address, link.fingerprint] = link
    elif link.code and link.code != known.code:
        found[link.address, f"{link.fingerprint} {link.code}"] = link


def find_code(text: str) -> str:
    """Return the invitation code in `text`, or the text itself without white space."""
    joined = _joined(_lines(text))[0]
    parts = list(_PART.finditer(joined)) if _HEADER in joined else []
    # Not a search for _TOKEN, which would read the rest of the text again at each beginning of one.
    for head, payload, signature in zip(parts, parts[1:], parts[2:], strict=False):
        at = joined.find(_HEADER, head.start(), head.end())
        is_whole = at >= 0 and _are_dotted(joined, head, payload, signature)
        if is_whole and (token := _TOKEN.match(joined, at)):
            return token.group()
    return joined


def starts_like_link(text: str) -> bool:
    """Return whether a text begins as a link does, whether it is one or not."""
    return visible(text[:MAX_TEXT]).lstrip()[: len(_SCHEME)].lower() == _SCHEME


def _are_dotted(text: str, head: re.Match[str], payload: re.Match[str], signature: re.Match[str]) -> bool:
    return text[head.end() : payload.start()] == "." == text[payload.end() : signature.start()]


def _lines(text: str) -> str:
    """Return the part that is read, with one kind of line break and one kind of space."""
    part = text[:MAX_TEXT]
    if not part.isascii():
        part = visible(part)
    return _SPACE.sub(" ", "\n".join(part.splitlines()))


def _windows(text: str) -> Iterator[str]:
    for number, match in enumerate(_BEGINNING.finditer(text)):
        if number >= _MOST_WINDOWS:
            return
        yield text[match.start() : match.start() + _WINDOW]


def _readings(window: str) -> list[str]:
    """Return the window as it is, and without the encodings of mails, web pages and addresses."""
    readings = dict.fromkeys([window])
    begun = [window]
    for _ in range(_DEPTH):
        begun = [decode(each) for each in begun for decode in _DECODERS]
        begun = [each for each in dict.fromkeys(begun) if each not in readings]
        readings.update(dict.fromkeys(begun[: _MOST_READINGS - len(readings)]))
    return list(readings)


def _without_soft_breaks(text: str) -> str:
    return _SOFT_BREAK.sub("", text)


def _unquoted_printable(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), _without_soft_breaks(text))


def _without_tags(text: str) -> str:
    return _TAG.sub("", text)


_DECODERS: Final[tuple[Callable[[str], str], ...]] = (
    html.unescape,
    _unquoted_printable,
    unquote,
    _without_soft_breaks,
    _without_tags,
)


def _joined(text: str) -> tuple[str, list[int]]:
    """Return the text without white space, and where in it there was some."""
    pieces = _GAP.split(text)
    return "".join(pieces), list(accumulate(map(len, pieces)))


def _read(text: str) -> tuple[str, InviteLink] | None:
    """Return the kind of the link that `text` begins with, and the link; None if it is not complete."""
    joined, gaps = _joined(text)
    head = _HEAD.match(joined)
    if head is None:
        return None
    kind, values = head[1].lower(), _values(joined, gaps, head.end())
    address = unquote(values.get("address", "")).rstrip("/")
    fingerprint, code = values.get("key", "").lower(), values.get("code", "")
    if (code.startswith(_HEADER) and not _TOKEN.fullmatch(code)) or (kind == "reset" and not code):
        return None
    link = link_of(address, fingerprint, unquote(code))
    try:
        return (kind, replace(link, address=ascii_address(link.address))) if link else None
    except ValueError:
        return None


def _values(text: str, gaps: list[int], at: int) -> dict[str, str]:
    """Return the fields of the link; an empty dict if it ends in the middle of one."""
    values: dict[str, str] = {}
    while field := _FIELD.match(text, at):
        name = field[1].lower()
        value, at = _value(name, text, gaps, field.end())
        values.setdefault(name, value)
        if not (separator := _AND.match(text, at)):
            return values if values.get("code", "-") else {}
        at = separator.end()
    return {}


def _value(name: str, text: str, gaps: list[int], at: int) -> tuple[str, int]:
    """Return the value that begins at `at`, and where it ends.

    Only a value of which the end is certain goes on after a gap.
    """
    if name == "key":
        key = _KEY.match(text, at)
        return (key.group(), key.end()) if key and _ends(text, gaps, key.end()) else ("", at)
    if name == "code" and (token := _TOKEN.match(text, at)):
        return token.group(), token.end()
    pattern = {"address": _ADDRESS, "code": _CODE}.get(name, _OTHER)
    match = pattern.match(text, at)
    end = match.end() if match else at
    if name == "address" and _AND.match(text, end):
        return text[at:end], end
    after = bisect_right(gaps, at)
    end = min(end, gaps[after]) if after < len(gaps) else end
    return text[at:end].rstrip(_STOPS), end


def _ends(text: str, gaps: list[int], at: int) -> bool:
    return at >= len(text) or not (text[at].isascii() and text[at].isalnum()) or at in gaps
