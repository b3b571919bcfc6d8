"""What is known of a session without asking a server, and how it is remembered: nothing of it is secret."""

import json
import uuid
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LocalBookFacts:
    """What is on this computer before anybody signs in."""

    exists: bool
    user_name: str
    has_password: bool


@dataclass(frozen=True, slots=True)
class BookSession:
    """Who is signed in, to which book, at which server. `stay` is another each time that the lock comes to a
    server, and that this one is back: what was known to be there is looked up anew, for its region may have
    been made anew since."""

    user_name: str
    book_id: str
    code_prefix: str
    server_id: str
    region: str
    server_label: str
    pin_id: str = field(default_factory=lambda: uuid.uuid4().hex, compare=False)

    def pinned_to(self, server_id: str, region: str) -> "BookSession":
        """Return the session with the lock on a server of `region`."""
        label = f"{server_id} · {region}"
        return replace(self.pinned_anew(), server_id=server_id, region=region, server_label=label)

    def pinned_anew(self) -> "BookSession":
        """Return the session at the same server, which was away."""
        return replace(self, pin_id=uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A device on which the user is signed in; `this_one` is the session that asked. Instants in UTC."""

    family: str
    device_name: str
    began: datetime
    last_used: datetime
    this_one: bool


@dataclass(frozen=True, slots=True)
class InviteFacts:
    """What an invite link says to a person: the server's address and the one-time code ("" without one)."""

    address: str
    code: str


def encode_facts(address: str, session: BookSession) -> str:
    """Return what a later start needs to open the book; `address` is "" for this computer's own server."""
    values = {name: value for name, value in asdict(session).items() if name != "pin_id"}
    return json.dumps({"address": address, **values}, ensure_ascii=False)


def decode_facts(text: str) -> tuple[str, BookSession] | None:
    """Return address and session; None for what is no such text."""
    try:
        values = json.loads(text)
        return str(values.pop("address")), BookSession(**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
