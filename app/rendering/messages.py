"""What the program and its preview worker say to each other over pipes.

A message is its length (4 bytes, little-endian), the number of its job (8 bytes), and as many bytes of
MessagePack as the length says. An answer repeats the number of its job. The pixels of a page follow its
`Rendered` message as they are.

A worker that a hostile file has taken over can write anything, so each number of an answer has limits.
"""

import math
import struct
from typing import Annotated, Final, Protocol

import msgspec

from app.domain.preview import Flaw, Part, PreviewRequest, Refusal

_HEAD: Final = struct.Struct("<IQ")
_MAX_JOB_BYTES: Final = 64 * 1024
_MAX_ANSWER_BYTES: Final = 1024
_MAX_PAGES: Final = (1 << 31) - 1
_MAX_SCALE: Final = 1e6
_FAR: Final = 1 << 40  # from the edge of a page, in pixels
MAX_SIDE: Final = 1 << 30
"""Of a page, in pixels: the renderer of PDF takes 32-bit numbers."""
MAX_PIXELS: Final = 34_000_000
"""Of one answer: a screen of 8K."""


_Side = Annotated[int, msgspec.Meta(ge=1, le=MAX_SIDE)]


class RenderPage(msgspec.Struct, frozen=True, tag="render_page"):
    """Render a page of a file, as in `PreviewRequest`. Answered by `Rendered` or `Refused`.

    `password` opens a PDF that has one; "" is none.
    """

    path: str
    media_type: str
    page: int
    edge: int
    part: Part | None
    turns: int = 0
    password: str = ""

    def __repr__(self) -> str:
        """Return the job without its password: it could get into a log."""
        return f"RenderPage({self.path!r}, {self.media_type!r}, page={self.page}, turns={self.turns})"


class Release(msgspec.Struct, frozen=True, tag="release"):
    """Give back the memory of the last bill. Not answered."""


class Rendered(msgspec.Struct, frozen=True, tag="rendered"):
    """A page is rendered, as in `Preview`; `width` x `height` x 4 bytes of pixels follow."""

    width: _Side
    height: _Side
    page: Annotated[int, msgspec.Meta(ge=0, lt=_MAX_PAGES)]
    pages: Annotated[int, msgspec.Meta(ge=1, le=_MAX_PAGES)]
    page_width: _Side
    page_height: _Side
    flaw: Flaw | None = None


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

    def read(self, size: int, /) -> bytes | bytearray:
        """Return `size` bytes."""


class ByteSink(Protocol):
    """A stream that takes a part of what it is given, and returns its length."""

    def write(self, data: bytes | memoryview, /) -> int | None:
        """Write the beginning of `data`."""


class UnaskedAnswerError(Exception):
    """The answer belongs to an earlier job."""


def job_of(request: PreviewRequest, password: str = "") -> RenderPage:
    """Return the job for `request`, with numbers that are far out of range brought near.

    Raises ValueError if the path cannot name a file, and OverflowError if the part cannot be rendered.
    """
    path, part = str(request.path), request.part
    if "\0" in path or len(path.encode()) + len(request.media_type.encode()) > _MAX_JOB_BYTES // 2:
        raise ValueError("the path")
    if part is not None:
        if not (math.isfinite(part.scale) and 0 < part.scale <= _MAX_SCALE):
            raise OverflowError("the scale")
        sides = (min(max(side, -_FAR), _FAR) for side in (part.left, part.top, part.width, part.height))
        part = Part(part.scale, *sides)
    page, edge = min(max(request.page, 0), _MAX_PAGES), min(max(request.edge, 1), MAX_SIDE)
    return RenderPage(path, request.media_type, page, edge, part, request.turns % 4, password)


def write_message(stream: ByteSink, message: Job | Answer, pixels: Pixels = b"", *, number: int = 0) -> None:
    """Write a message of the job `number`, and the pixels that belong to it."""
    body = msgspec.msgpack.encode(message)
    for data in (_HEAD.pack(len(body), number) + body, pixels):
        rest = memoryview(data)
        while rest:
            rest = rest[stream.write(rest) or 0 :]


def read_job(stream: ByteSource) -> tuple[int, Job] | None:
    """Return the number of the next job, and the job; None at the end of the stream."""
    message = _read_message(stream, _MAX_JOB_BYTES)
    return None if message is None else (message[0], _jobs.decode(message[1]))


def read_answer(stream: ByteSource, number: int) -> tuple[Answer, bytes | bytearray] | None:
    """Return the answer to the job `number`, and its pixels.

    Return None if the stream ends before they are whole, or if they make no sense. Raises UnaskedAnswerError.
    """
    message = _read_message(stream, _MAX_ANSWER_BYTES)
    if message is None or message[0] > number:
        return None
    if message[0] < number:
        raise UnaskedAnswerError
    try:
        answer = _answers.decode(message[1])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(answer, Rendered):
        return answer, b""
    if answer.width * answer.height > MAX_PIXELS or answer.page >= answer.pages:
        return None
    size = answer.width * answer.height * 4
    pixels = stream.read(size)
    return (answer, pixels) if len(pixels) == size else None


def _read_message(stream: ByteSource, most: int) -> tuple[int, bytes | bytearray] | None:
    """Return the number and the body of the next message; None if it is not whole or longer than `most`."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    size, number = _HEAD.unpack(head)
    body = stream.read(size) if size <= most else b""
    return (number, body) if len(body) == size else None
