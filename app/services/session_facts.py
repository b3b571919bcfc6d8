"""Facts about sessions, and the part of them that is stored for the next start. None of them is secret."""

import json
import uuid
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LocalBookFacts:
    """The book on this computer, as known before a log-in."""

    exists: bool
    user_name: str
    has_password: bool
    has_recovery_code: bool = False


@dataclass(frozen=True, slots=True)
class BookSession:
    """The open session: the user, the book, and the server that it is pinned to.

    `pin_id` changes each time the session is pinned to another server, or its server is back after it was
    away. A replication status found under an earlier pin no longer counts, because the region may have been
    rebuilt. `pinned_at` is when the session came to its present server.
    """

    user_name: str
    book_id: str
    code_prefix: str
    server_id: str
    region: str
    server_label: str
    pin_id: str = field(default_factory=lambda: uuid.uuid4().hex, compare=False)
    pinned_at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)

    def pinned_to(self, server_id: str, region: str) -> "BookSession":
        """Return the session pinned to a server of `region`."""
        label = f"{server_id} · {region}"
        at = self.pinned_at if server_id == self.server_id else datetime.now(UTC)
        anew = self.pinned_anew()
        return replace(anew, server_id=server_id, region=region, server_label=label, pinned_at=at)

    def pinned_anew(self) -> "BookSession":
        """Return the session at the same server with a new pin."""
        return replace(self, pin_id=uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session of the user on some device. `this_one` marks the session of this program. Times are UTC.

    `address` is the network address from which it was begun, as the server saw it, and `region` the region in
    which it was last used. Each is "" if that is not known.
    """

    family: str
    device_name: str
    began: datetime
    last_used: datetime
    this_one: bool
    address: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class BookFacts:
    """What *About this book* shows. `address` is "" for the book on this computer. `pinned_at` is UTC."""

    user_name: str
    address: str
    server_id: str
    region: str
    pinned_at: datetime
    version: str
    folder: Path


def facts_of(address: str, session: BookSession, folder: Path) -> BookFacts:
    """Return the facts about an open book; `folder` has the data of this program."""
    from importlib import metadata  # imported late: it takes longer than all else that is here

    return BookFacts(
        user_name=session.user_name,
        address=address,
        server_id=session.server_id,
        region=session.region,
        pinned_at=session.pinned_at,
        version=metadata.version("bahi"),
        folder=folder,
    )


@dataclass(frozen=True, slots=True)
class InviteFacts:
    """The content of a link: the server's address, and the one-time code of an invitation ("" if none).

    `link` is the link itself, without what was around it. `sets_password` says that it does not invite, but
    sets a new password.
    """

    address: str
    code: str
    link: str = field(default="", compare=False)
    sets_password: bool = False


def encode_facts(address: str, session: BookSession) -> str:
    """Return what a later start needs to open the book, as JSON. `address` is "" for the local server."""
    values = {name: value for name, value in asdict(session).items() if name != "pin_id"}
    values["pinned_at"] = session.pinned_at.isoformat()
    return json.dumps({"address": address, **values}, ensure_ascii=False)


def decode_facts(text: str) -> tuple[str, BookSession] | None:
    """Return the address and the session; None if the text was not made by `encode_facts`."""
    try:
        values = json.loads(text)
        address, pinned_at = str(values.pop("address")), values.pop("pinned_at", "")
        if pinned_at:  # an earlier version did not store it
            values["pinned_at"] = datetime.fromisoformat(pinned_at)
        return address, BookSession(**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
