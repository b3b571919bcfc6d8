"""Files and folders that only their owner can read: the data of the program and of a server.

Each file is created with these modes, whatever the umask of the process is. The umask itself is not changed:
the programs that open a bill would inherit it, and what the user saves for himself must follow his own umask.

It is not part of the protocol. It is here because the program and the server both use it. On Windows the
modes have no effect; there the rights of the user's profile folder apply.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
_OTHERS: Final = 0o077


def private_opener(name: str, flags: int) -> int:
    """Open a file, and create it for its owner only. Pass it to `open` as `opener`."""
    return os.open(name, flags, FILE_MODE)


def make_private_folder(folder: Path) -> None:
    """Create `folder` and its missing parents for this user only. Existing folders do not change.

    Raises OSError. `Path.mkdir(parents=True)` creates the parents as the umask says, whatever the mode is.
    """
    if folder.is_dir():
        return
    if folder != folder.parent:  # a drive of Windows that is missing
        make_private_folder(folder.parent)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)


def restrict(path: Path) -> None:
    """Take all rights of other users from a file or folder that belongs to this user.

    A symbolic link, a file of another user, and a file system that refuses are left as they are.
    """
    with contextlib.suppress(OSError):
        status = path.lstat()
        is_plain = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
        # By name, not by a descriptor: closing a descriptor of an SQLite file would drop the locks on it.
        if is_plain and status.st_mode & _OTHERS and _is_own(status):
            path.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS)


def restrict_own(folder: Path, patterns: Iterable[str]) -> None:
    """Restrict what matches the glob `patterns` below `folder`: the names that Bahi itself gives."""
    for pattern in patterns:
        with contextlib.suppress(OSError):
            for path in folder.glob(pattern):
                restrict(path)


def _is_own(status: os.stat_result) -> bool:
    return os.name == "nt" or status.st_uid == os.geteuid()
