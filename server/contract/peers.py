"""The signed questions that the servers of one cluster ask each other.

A question names its recipient and the time at which it was asked. So an intercepted question is useless at
any other server, and soon at that server too. Answers come over TLS from the address in the roster. Pure.
"""

from typing import Final

from server.contract.cluster import Signed
from server.contract.shapes import Answer, Request

# The `typ` header of each question.
STATUS: Final = "bahi-peer-status"
BYTES: Final = "bahi-peer-bytes"

# A question whose time differs by more from the clock of the server that is asked is refused.
SKEW_MS: Final = 60_000


class Question(Signed, frozen=True):
    """A question that the server `server_id` asks the server `to`."""

    server_id: str
    to: str
    sent_at_ms: int


class AskedOperation(Signed, frozen=True):
    """An operation to look up.

    `bills` holds the SHA-256s of its bills, as far as the asking region knows them. A region without the
    row can look for the bytes by them.
    """

    op_id: str
    bills: list[str]


class StatusQuestion(Question, frozen=True):
    """Which of these operations of one book are in your database, and which bills are in your store?"""

    book_id: str
    operations: list[AskedOperation]


class BytesQuestion(Question, frozen=True):
    """Send the bytes of one bill of one book."""

    book_id: str
    sha256: str


class PeerRequest(Request, frozen=True):
    """A signed StatusQuestion."""

    question: str


class HeldOperation(Answer, frozen=True):
    """An operation that the database has: the number of its records and the SHA-256s of its bills."""

    op_id: str
    records: int
    bills: list[str]


class PeerStatus(Answer, frozen=True):
    """The answer of `server_id`. `stored` lists the bills, asked for or found, that its store has."""

    server_id: str
    operations: list[HeldOperation]
    stored: list[str]
