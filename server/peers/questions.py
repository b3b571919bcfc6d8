"""Signs and verifies the questions between servers. Pure."""

from typing import TypeVar

from server.contract import cluster, peers, signing
from server.contract.cluster import Roster
from server.contract.peers import Question
from server.contract.signing import SignatureError
from server.tokens.tokens import Signer

Q = TypeVar("Q", bound=Question)


def sign(signer: Signer, kind: str, question: Question) -> str:
    """Return a question as a compact JWS."""
    return signing.sign(signer.key, signer.kid, kind, question)


def read(text: str, kind: str, shape: type[Q], roster: Roster, me: str, now: float) -> Q:
    """Return a question that a server of the roster asked the server `me`. `now` is in seconds since 1970.

    Raises SignatureError if the question is not signed by a server of the roster, is for another server, or
    was not asked recently.
    """
    # The unverified payload names the sender, which is only used to choose the keys to verify with.
    claimed = signing.peek(text, kind, shape)
    server = roster.server(claimed.server_id)
    if server is None:
        raise SignatureError("not a server of the roster", "unknown_key")
    _, question = signing.read(text, dict(cluster.usable_keys(server.keys, now)), kind, shape)
    if question.to != me:
        raise SignatureError("a question for another server")
    if abs(now * 1_000 - question.sent_at_ms) > peers.SKEW_MS:
        raise SignatureError("the question is too old, or the clocks differ")
    return question
