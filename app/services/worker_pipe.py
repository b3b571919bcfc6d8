"""Pipes to a child process that can be given up while they wait."""

import os
import select
import sys
from collections.abc import Callable
from io import FileIO
from typing import IO, Final, cast

_LOOK_SECONDS: Final = 0.2  # between two looks at whether the pipe is given up


class WorkerPipe:
    """One end of a pipe. A process that keeps the other end open cannot hold the reader or the writer.

    `is_given_up` is called several times a second while the pipe waits.
    """

    def __init__(self, stream: IO[bytes], is_given_up: Callable[[], bool]) -> None:
        self._stream = cast(FileIO, stream)  # as Popen makes it with `bufsize=0`
        self._is_given_up = is_given_up
        if sys.platform != "win32":
            os.set_blocking(stream.fileno(), False)

    def read(self, size: int, /) -> bytes | bytearray:
        """Return `size` bytes; fewer if the stream ends or is given up before.

        They are read into one block. Pieces would leave holes in the memory of the program, which grows then.
        """
        data, filled = bytearray(size), 0
        with memoryview(data) as room:
            while filled < size and self._wait(to_write=False):
                count = self._stream.readinto(room[filled:])
                if count == 0:
                    break
                filled += count or 0  # None: there was nothing to read after all
        return data if filled == size else data[:filled]

    def write(self, data: bytes | memoryview, /) -> int:
        """Write the beginning of `data`; return its length. Raises OSError if it cannot be written."""
        if not self._wait(to_write=True):
            raise BrokenPipeError
        try:
            return os.write(self._stream.fileno(), data)
        except BlockingIOError:  # some systems want more room than the wait promised
            return 0

    def has_data(self) -> bool:
        """Return whether there is something to read, or the other end is closed. Always False on Windows."""
        return sys.platform != "win32" and _is_ready(self._stream.fileno(), to_write=False, seconds=0)

    def _wait(self, *, to_write: bool) -> bool:
        while not self._is_given_up():
            if _is_ready(self._stream.fileno(), to_write=to_write, seconds=_LOOK_SECONDS):
                return True
        return False


def _is_ready(descriptor: int, *, to_write: bool, seconds: float) -> bool:
    """Return whether a pipe takes bytes, has some, or is closed, after `seconds` at most.

    Windows cannot wait for a pipe: there it is always True, and the end of the child ends a read or write.
    """
    if sys.platform == "win32":
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT if to_write else select.POLLIN)
    return bool(poll.poll(seconds * 1000))
