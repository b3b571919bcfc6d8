"""Facts about sessions, and the part of them that is stored for the next start. None of them is secret."""

import json
import uuid
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime


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
    rebuilt.
    """

    user_name: str
    book_id: str
    code_prefix: str
    server_id: str
    region: str
    server_label: str
    pin_id: str = field(default_factory=lambda: uuid.uuid4().hex, compare=False)

    def pinned_to(self, server_id: str, region: str) -> "BookSession":
        """Return the session pinned to a server of `region`."""
        label = f"{server_id} · {region}"
        return replace(self.pinned_anew(), server_id=server_id, region=region, server_label=label)

    def pinned_anew(self) -> "BookSession":
        """Return the session at the same server with a new pin."""
        return replace(self, pin_id=uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session of the user on some device. `this_one` marks the session of this program. Times are UTC."""

    family: str
    device_name: str
    began: datetime
    last_used: datetime
    this_one: bool


@dataclass(frozen=True, slots=True)
class InviteFacts:
    """The content of an invite link: the server's address, and a one-time code ("" if there is none)."""

    address: str
    code: str


def encode_facts(address: str, session: BookSession) -> str:
    """Return what a later start needs to open the book, as JSON. `address` is "" for the local server."""
    values = {name: value for name, value in asdict(session).items() if name != "pin_id"}
    return json.dumps({"address": address, **values}, ensure_ascii=False)


def decode_facts(text: str) -> tuple[str, BookSession] | None:
    """Return the address and the session; None if the text was not made by `encode_facts`."""
    try:
        values = json.loads(text)
        return str(values.pop("address")), BookSession(**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
