"""Files that survive a crash and a power cut: under its name a file is whole, or as it was before.

The program and the server write their files by this module. It is no part of the wire, but both may import
nothing else that they share. Everything here raises OSError.
"""

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

_OWNER_ONLY: Final = 0o600
_AS_UMASK_SAYS: Final = 0o666


def write_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write `content` to `path`, durably, in place of what was there; `private` closes it to other users."""
    mode = _OWNER_ONLY if private else _AS_UMASK_SAYS
    with temporary_beside(path) as temporary:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as out:
            out.write(content)
            sync_file(out)
        replace_file(temporary, path)


@contextlib.contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Yield a name for a new file in the folder of `path`; remove the file if it is still there at the end.

    A killed process leaves it behind. The name is new each time, so that two who write the same file at once
    never mix their bytes; it does not hold the name of `path`, which may be as long as names can be.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def replace_file(temporary: Path, final: Path) -> None:
    """Give a synced file its final name, durably. Windows refuses this if somebody has `final` open."""
    temporary.replace(final)
    sync_folder(final.parent)


def make_folder(folder: Path) -> None:
    """Make `folder` and its missing parents durably, for this user alone; leave one that exists as it is."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_file(file: IO[bytes]) -> None:
    """Bring all that was written to an open file onto the disk."""
    file.flush()
    if sys.platform == "darwin":  # there fsync leaves the bytes in the disk's own cache
        import fcntl

        with contextlib.suppress(OSError):  # network drives cannot; fsync is what they have
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
            return
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` onto the disk. Windows cannot open a folder, and need not."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
