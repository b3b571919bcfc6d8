"""What servers of one cluster ask each other, each question signed by the server that asks.

A question names whom it is for and when it was asked: one that somebody caught is of no use at another
server, and soon of none at all. Answers come over TLS from the address that the roster has. Pure.
"""

from typing import Final

from server.contract.cluster import Signed
from server.contract.shapes import Answer, Request

STATUS: Final = "bahi-peer-status"
BYTES: Final = "bahi-peer-bytes"
"""The `typ` of each question."""

SKEW_MS: Final = 60_000
"""A question this much older or newer than the clock of the server that is asked is refused."""


class Question(Signed, frozen=True):
    """`server_id` asks `to`."""

    server_id: str
    to: str
    sent_at_ms: int


class AskedOperation(Signed, frozen=True):
    """`bills` are the SHA-256s that the asking region knows the operation to bring, so that a region without
    the row can tell about the bytes."""

    op_id: str
    bills: list[str]


class StatusQuestion(Question, frozen=True):
    """Which of these operations of one book are in your database, and which bills in your store?"""

    book_id: str
    operations: list[AskedOperation]


class BytesQuestion(Question, frozen=True):
    """The bytes of one bill of one book, please."""

    book_id: str
    sha256: str


class PeerRequest(Request, frozen=True):
    """A signed StatusQuestion."""

    question: str


class HeldOperation(Answer, frozen=True):
    """An operation whose rows are there: how many records it has, and the SHA-256s of the bills it brings."""

    op_id: str
    records: int
    bills: list[str]


class PeerStatus(Answer, frozen=True):
    """What `server_id` found just now; `stored` are those bills, asked of or found, that its store has."""

    server_id: str
    operations: list[HeldOperation]
    stored: list[str]
