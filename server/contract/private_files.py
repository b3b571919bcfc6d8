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
_MOST_BYTES: Final = 1024 * 1024
AT_ONCE: Final = (
    getattr(os, "O_NONBLOCK", 0)  # a pipe without a writer would block
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)  # Windows
    | getattr(os, "O_NOINHERIT", 0)  # Windows
)
"""The flags with which a file that may be none is opened, before its status is looked at."""
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)


def private_opener(name: str, flags: int) -> int:
    """Open a file, and create it for its owner only. Pass it to `open` as `opener`.

    Raises OSError, at once, if `name` is a symbolic link or no regular file.
    """
    with contextlib.suppress(FileNotFoundError):
        _check_regular(os.lstat(name), name)
    return regular_opener(name, flags | _NO_LINK)


def regular_opener(name: str, flags: int) -> int:
    """Open a file as `private_opener` does, but follow symbolic links: an operator may have made them."""
    with contextlib.suppress(FileNotFoundError):  # before it is opened: opening a device can have an effect
        _check_regular(os.stat(name), name)  # noqa: PTH116
    descriptor = os.open(name, flags | AT_ONCE, FILE_MODE)
    try:
        _check_regular(os.fstat(descriptor), name)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read_private(path: Path, *, own: bool = True) -> bytes:
    """Return the content of a file in a data folder, at most 1 MiB.

    Raises OSError, at once, if it is a symbolic link, no regular file, too large, or, if `own` is set, of
    another user.
    """
    with open(path, "rb", opener=private_opener) as file:
        if own:
            _check_owner(os.fstat(file.fileno()), str(path))
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise _unusable(str(path), "is too large")
    return content


def check_own_file(path: Path) -> None:
    """Raise OSError if there is something at `path` that is not a regular file of this user."""
    with contextlib.suppress(FileNotFoundError):
        status = path.lstat()
        _check_regular(status, str(path))
        _check_owner(status, str(path))


def check_own_folder(folder: Path) -> None:
    """Raise OSError if another user owns `folder`, or if every user may write in it.

    The system's administrator may own it. What others put there could be a link or a pipe.
    """
    status = folder.stat()
    _check_owner(status, str(folder))
    if os.name != "nt" and status.st_mode & stat.S_IWOTH:
        raise _unusable(str(folder), "can be written by every user of this computer: take that right away")


def _check_regular(status: os.stat_result, name: str) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise _unusable(name, "is a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        raise _unusable(name, "is not a regular file")


def _check_owner(status: os.stat_result, name: str) -> None:
    if os.name != "nt" and status.st_uid not in {os.geteuid(), 0}:
        raise _unusable(name, "belongs to another user")


def _unusable(name: str, reason: str) -> OSError:
    return OSError(errno.EINVAL, f"{os.path.basename(name)} {reason}", name)  # noqa: PTH119


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
