"""What the program and its preview worker say to each other over pipes.

A message is its length (4 bytes, little-endian) and that many bytes of MessagePack. The pixels of a page
follow its `Rendered` message as they are.
"""

import struct
from typing import Final, Protocol

import msgspec

from app.domain.preview import Part, Refusal

_LENGTH: Final = struct.Struct("<I")
_MAX_BYTES: Final = 1024 * 1024
MAX_PIXELS: Final = 34_000_000
"""Of one answer: a screen of 8K."""


class RenderPage(msgspec.Struct, frozen=True, tag="render_page"):
    """Render a page of a file, as in `PreviewRequest`. Answered by `Rendered` or `Refused`."""

    path: str
    media_type: str
    page: int
    edge: int
    part: Part | None


class Release(msgspec.Struct, frozen=True, tag="release"):
    """Give back the memory of the last bill. Not answered."""


class Rendered(msgspec.Struct, frozen=True, tag="rendered"):
    """A page is rendered, as in `Preview`; `width` x `height` x 4 bytes of pixels follow."""

    width: int
    height: int
    page: int
    pages: int
    page_width: int
    page_height: int
    note: str = ""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The page is not shown."""

    reason: Refusal


# A later kind of job (reading text or codes) is one more struct in these two unions.
Job = RenderPage | Release
Answer = Rendered | Refused
Pixels = bytes | memoryview

_jobs: Final = msgspec.msgpack.Decoder(Job)
_answers: Final = msgspec.msgpack.Decoder(Answer)


class ByteSource(Protocol):
    """A stream that is read to the byte: `read` returns fewer bytes only at its end."""

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes."""


class ByteSink(Protocol):
    """A stream that takes a part of what it is given, and returns its length."""

    def write(self, data: bytes | memoryview, /) -> int | None:
        """Write the beginning of `data`."""


def write_message(stream: ByteSink, message: Job | Answer, pixels: Pixels = b"") -> None:
    """Write a message and the pixels that belong to it."""
    body = msgspec.msgpack.encode(message)
    for data in (_LENGTH.pack(len(body)) + body, pixels):
        rest = memoryview(data)
        while rest:
            rest = rest[stream.write(rest) or 0 :]


def read_job(stream: ByteSource) -> Job | None:
    """Return the next job; None at the end of the stream."""
    body = _read_body(stream)
    return None if body is None else _jobs.decode(body)


def read_answer(stream: ByteSource) -> tuple[Answer, bytes] | None:
    """Return the next answer and its pixels; None if the stream ends before they are whole, or is garbled.

    A worker that a hostile file has taken over can write anything.
    """
    body = _read_body(stream)
    if body is None:
        return None
    try:
        answer = _answers.decode(body)
    except msgspec.MsgspecError:
        return None
    if not isinstance(answer, Rendered):
        return answer, b""
    if min(answer.width, answer.height) < 1 or answer.width * answer.height > MAX_PIXELS:
        return None
    size = answer.width * answer.height * 4
    pixels = stream.read(size)
    return (answer, pixels) if len(pixels) == size else None


def _read_body(stream: ByteSource) -> bytes | None:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    size: int = _LENGTH.unpack(head)[0]
    body = stream.read(size) if size <= _MAX_BYTES else b""
    return body if len(body) == size else None
