"""Reads the answers of a server: decompressed piece by piece, so that none takes more memory than its limit.

Nothing that a server sends is trusted to be short: not its body, its compressed form, nor its redirects.
"""

from collections.abc import Iterator
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Final

import requests
from urllib3.exceptions import DecodeError, HTTPError

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_ERROR_BYTES: Final = 64 * 1024
_CHUNK: Final = 64 * 1024

CALL_ERRORS: Final = (requests.RequestException, HTTPError, HTTPException, OSError)
"""What a call, or the reading of its answer, raises when the connection fails."""


class UnreadableAnswerError(Exception):
    """The body of an answer is too long, or not compressed as it says."""


class OwnSession(requests.Session):
    """Keeps no cookies. Does not look where a redirect leads: `requests` reads its body without a limit."""

    def __init__(self) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - as it is called
        """Return None: no redirect is followed."""
        return None


def read_whole(answer: requests.Response, most: int) -> bytes:
    """Return the body. Raises UnreadableAnswerError if it is longer than `most`, and CALL_ERRORS."""
    body = bytearray()
    for piece in pieces_of(answer):
        body += piece
        if len(body) > most:
            raise UnreadableAnswerError(f"more than {most} bytes")
    return bytes(body)


def plain_pieces_of(answer: requests.Response) -> Iterator[bytes]:
    """Yield the body of a transfer as `pieces_of` does. Raises UnreadableAnswerError if it is compressed.

    So the pieces are as long as what came over the network: a compressed trickle would look fast.
    """
    if answer.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise UnreadableAnswerError("compressed, although that was not asked for")
    yield from pieces_of(answer)


def pieces_of(answer: requests.Response) -> Iterator[bytes]:
    """Yield the body as it comes, in pieces of 64 KiB at most. Raises as `read_whole`."""
    # `read1` lets http.client read the chunks, with its limit for each line; `stream` has none. Also it
    # decompresses no more than it returns.
    try:
        while piece := answer.raw.read1(_CHUNK, decode_content=True):
            yield piece
    except DecodeError as error:
        raise UnreadableAnswerError("not compressed as it says") from error
