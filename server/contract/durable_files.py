"""Writes files that survive a crash or a power failure: a file is either complete, or as it was before.

It is not part of the protocol. It is here because the program and the server both use it, and this package is
all that both may import. All functions raise OSError.
"""

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from server.contract.private_files import FOLDER_MODE, private_opener


def write_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Replace the file `path` by one with `content`. If it is `private`, other users cannot read it."""
    with temporary_beside(path) as temporary:
        with open(temporary, "xb", opener=private_opener if private else None) as out:
            out.write(content)
            sync_file(out)
        replace_file(temporary, path)


@contextlib.contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Yield a name for a new file in the folder of `path`; remove the file if it is still there at the end.

    A process that is killed leaves the file behind.
    """
    # A random name, so that two processes that write the same file do not mix their bytes. It does not
    # contain the name of `path`, which may already have the maximum length of a file name.
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def replace_file(temporary: Path, final: Path) -> None:
    """Rename a synced file to its final name, durably. On Windows this fails if `final` is open."""
    temporary.replace(final)
    sync_folder(final.parent)


def make_folder(folder: Path) -> None:
    """Create `folder` and its missing parents durably, for this user only. Existing folders do not change."""
    if folder.is_dir():
        return
    if folder != folder.parent:  # a drive of Windows that is missing
        make_folder(folder.parent)
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    sync_folder(folder.parent)


def sync_file(file: IO[bytes]) -> None:
    """Write everything in an open file to the disk."""
    file.flush()
    if sys.platform == "darwin":  # on macOS, fsync leaves the bytes in the cache of the disk
        import fcntl

        with contextlib.suppress(OSError):  # network drives do not support it, only fsync
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
            return
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Write the names in `folder` to the disk. Windows cannot open a folder, and does not need this."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
