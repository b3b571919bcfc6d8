"""How the program ended last time: a file that a clean end removes, and that a crash writes a trace into."""

import contextlib
import faulthandler
import os
from pathlib import Path
from typing import IO, Final

from server.contract.private_files import private_opener

_MOST_BYTES: Final = 64 * 1024


class EndMark:
    """Marks in the file `path` that the program runs.

    `left` is the trace of a program that has ended unexpectedly: "" if it was killed and could write none,
    None if the last one ended cleanly. If the file cannot be written, the program runs without it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.left = _left(path)
        self._file: IO[bytes] | None = None
        with contextlib.suppress(OSError):
            self._file = open(path, "wb", buffering=0, opener=private_opener)  # noqa: SIM115 - until `close`
            # Written by the handler of the fatal signal itself: no code of Python runs any more then.
            faulthandler.enable(self._file, all_threads=True)

    def close(self) -> None:
        """Note that the program ends cleanly."""
        if self._file is None:
            return
        faulthandler.disable()
        self._file.close()
        self._file = None
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _left(path: Path) -> str | None:
    """Return what is in the file, at most 64 KiB; None if there is none, or if it is no file of this user."""
    try:
        with open(path, "rb", opener=private_opener) as file:
            status = os.fstat(file.fileno())
            if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
                return None
            return file.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return None
