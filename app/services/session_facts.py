"""What is known of a session without asking a server, and how it is remembered: nothing of it is secret."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LocalBook:
    """What is on this computer before anybody signs in."""

    exists: bool
    user_name: str
    has_password: bool


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, to which book, at which server."""

    user_name: str
    book_id: str
    code_prefix: str
    server_id: str
    region: str
    server_label: str


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


def encode_facts(address: str, session: Session) -> str:
    """Return what a later start needs to open the book; `address` is "" for this computer's own server."""
    return json.dumps({"address": address, **asdict(session)}, ensure_ascii=False)


def decode_facts(text: str) -> tuple[str, Session] | None:
    """Return address and session; None for what is no such text."""
    try:
        values = json.loads(text)
        return str(values.pop("address")), Session(**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
