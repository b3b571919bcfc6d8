"""One server a data folder: a lock that the operating system frees when its holder dies."""

import os
import sys
import time
from pathlib import Path
from typing import IO

from server.errors import StartError

_PAUSE_SECONDS = 0.05


def lock_folder(folder: Path, patience: float = 0.0) -> IO[str]:
    """Lock `folder` until the returned file is closed.

    Raises StartError where it is still in use after `patience` seconds, or no folder.
    Made here, it is closed to the other users of this computer: it holds keys, passwords and bills.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (folder / "server.node.folder_lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise StartError(f"The data folder {folder} cannot be used: {error.strerror}.") from error
    try:
        _lock_within(file, patience)
    except OSError as error:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        who = f" (process {holder})" if holder else ""
        raise StartError(f"The data folder {folder} is in use by another Bahi server{who}.") from error
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


def _lock_within(file: IO[str], patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            return _lock(file)
        except OSError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(_PAUSE_SECONDS)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        # Byte 1 GiB, far behind the text, so that the holder's number stays readable.
        file.seek(1 << 30)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
