"""The preview worker: a process that reads jobs from its standard input and writes pixels to its output.

It ends when its input closes, so it never outlives the program; on Linux it is killed when the program is.
The decoders are imported when the first file needs them.
"""

import os
import signal
import stat
import sys
from typing import IO, BinaryIO, Final, Protocol

from app.domain.preview import Refusal
from app.rendering.limits import allow_cpu, confine
from app.rendering.messages import (
    Pixels,
    Refused,
    Release,
    Rendered,
    RenderPage,
    read_job,
    write_message,
)
from app.rendering.window import RefusalError
from server.contract.allocator import trim
from server.contract.limits import MAX_DOCUMENT_BYTES

_CPU_SECONDS: Final = 6
_PIPE_BYTES: Final = 1024 * 1024  # the fastest; the usual 64 KB take about twice as long
_PDF: Final = "application/pdf"


class _Bill(Protocol):
    def render(self, job: RenderPage) -> tuple[Rendered, Pixels]: ...

    def close(self) -> None: ...


class Renderer:
    """Renders pages of bills. Keeps the last one open."""

    def __init__(self) -> None:
        self._bill: _Bill | None = None
        self._key: tuple[object, ...] = ()

    def answer(self, job: RenderPage) -> tuple[Rendered | Refused, Pixels]:
        """Return the page that `job` asks for with its pixels, or why it is not shown."""
        try:
            return self._open(job).render(job)
        except RefusalError as refusal:
            return Refused(refusal.reason), b""
        except OSError:
            return Refused(Refusal.UNREADABLE), b""
        except MemoryError:
            self.release()
            return Refused(Refusal.TOO_LARGE), b""

    def release(self) -> None:
        """Close the last bill."""
        bill, self._bill, self._key = self._bill, None, ()
        if bill is not None:
            bill.close()

    def _open(self, job: RenderPage) -> _Bill:
        with open(job.path, "rb", buffering=0, opener=_open_at_once) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise RefusalError(Refusal.UNREADABLE)
            key = (job.path, job.media_type, job.password, found.st_size, found.st_mtime_ns)
            if self._bill is None or self._key != key:
                self.release()
                self._bill, self._key = _opened(_content(file), job), key
        return self._bill


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting: a named pipe would wait for its writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))


def _content(file: IO[bytes]) -> bytes:
    """Return the bytes of a file. Raises RefusalError if they are too many, also if it grows meanwhile."""
    pieces, room = list[bytes](), MAX_DOCUMENT_BYTES + 1
    while piece := file.read(room):
        pieces.append(piece)
        room -= len(piece)
    if room < 1:
        raise RefusalError(Refusal.TOO_LARGE)
    return b"".join(pieces)


def _opened(data: bytes, job: RenderPage) -> _Bill:
    if job.media_type == _PDF:
        from app.rendering.pdf import Pdf

        return Pdf(data, job.password)
    from app.rendering.pictures import Picture

    return Picture(data)


def main() -> int:
    """Answer jobs until the input closes; return the exit status."""
    answers = _take_output()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is for the program, which ends this
    confine()
    renderer = Renderer()
    while (asked := read_job(sys.stdin.buffer)) is not None:
        number, job = asked
        if isinstance(job, Release):
            renderer.release()
            trim()  # not after each page: the next one needs the memory again
            continue
        allow_cpu(_CPU_SECONDS)
        try:
            write_message(answers, *renderer.answer(job), number=number)
        except BrokenPipeError:
            break
    return 0


def _take_output() -> BinaryIO:
    """Return the standard output. What a library prints from now on is lost instead of garbling answers."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
    if sys.platform == "linux":
        import contextlib
        import fcntl

        with contextlib.suppress(OSError):  # not a pipe, or the user has too many large ones
            fcntl.fcntl(answers, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return answers
