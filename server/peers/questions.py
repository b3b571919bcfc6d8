"""Questions between servers, signed and checked. Pure."""

from typing import TypeVar

from server.contract import cluster, peers, signing
from server.contract.cluster import Roster
from server.contract.peers import Question
from server.contract.signing import SignatureError
from server.tokens.tokens import Signer

Q = TypeVar("Q", bound=Question)


def sign(signer: Signer, kind: str, question: Question) -> str:
    """Return the compact JWS of a question."""
    return signing.sign(signer.key, signer.kid, kind, question)


def read(text: str, kind: str, shape: type[Q], roster: Roster, me: str, now: float) -> Q:
    """Return a question for the server `me` that a server of the roster asked just now (`now` in seconds
    since 1970). Raises SignatureError.
    """
    claimed = signing.peek(text, kind, shape)
    server = roster.server(claimed.server_id)
    if server is None:
        raise SignatureError("not a server of the roster", "unknown_key")
    _, question = signing.read(text, dict(cluster.usable_keys(server.keys, now)), kind, shape)
    if question.to != me:
        raise SignatureError("a question for another server")
    if abs(now * 1_000 - question.sent_at_ms) > peers.SKEW_MS:
        raise SignatureError("a question of another time")
    return question
