"""A lock that gives a data folder to one server. The operating system releases it if the server dies."""

import os
import sys
import time
from pathlib import Path
from typing import IO

from server.contract.durable_files import make_folder
from server.contract.private_files import check_own_file, check_own_folder, private_opener
from server.errors import StartError

# The name must never change: an older server must not start on the folder of a newer one, or vice versa.
_LOCK_FILE = "server.lock"
_PAUSE_SECONDS = 0.05


def lock_folder(folder: Path, timeout: float = 0.0) -> IO[str]:
    """Lock `folder` until the returned file is closed. The folder is created if it does not exist.

    Raises StartError if the folder is still locked after `timeout` seconds, or cannot be used: also if it or
    its lock is another user's, if every user may write in it, or if the lock is no regular file.
    """
    try:
        # Only its owner may read the folder: it holds keys, passwords and bills.
        make_folder(folder)
        check_own_folder(folder)
        check_own_file(folder / _LOCK_FILE)
        descriptor = private_opener(str(folder / _LOCK_FILE), os.O_RDWR | os.O_APPEND | os.O_CREAT)
        file = os.fdopen(descriptor, "a+", encoding="utf-8")
    except OSError as error:
        raise StartError(
            f"The data folder {folder} cannot be used: {error.strerror or type(error).__name__}."
        ) from error
    try:
        _lock_within(file, timeout)
    except OSError as error:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        who = f" (process {holder})" if holder else ""
        raise StartError(f"The data folder {folder} is in use by another Bahi program{who}.") from error
    # The process id is for the message above only; the lock itself does not depend on it.
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


def _lock_within(file: IO[str], timeout: float) -> None:
    deadline = time.monotonic() + timeout
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
        # Windows makes a locked byte unreadable. The byte at 1 GiB leaves the process id readable.
        file.seek(1 << 30)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
