"""Files and folders that outlive a power cut, and the operating system's errors as StoreError."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import StoreError

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def os_errors_translated(place: Path) -> Iterator[None]:
    """Turn an OSError from work on `place` into a StoreError with a sentence."""
    try:
        yield
    except OSError as error:
        raise _translated(error, place) from error


def make_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it, for this user alone, durably. Raises OSError.

    A folder that is there already is left as it is.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_file(descriptor: int) -> None:
    """Bring what was written to an open file onto the disk. Raises OSError."""
    if sys.platform == "darwin":  # there fsync leaves the bytes in the disk's own cache
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` onto the disk; Windows does so by itself. Raises OSError."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(temporary: Path, final: Path) -> None:
    """Give a synced temporary file its final name, durably. Raises OSError.

    Windows does not replace a file that a viewer holds open; a whole copy under that name stands.
    """
    try:
        temporary.replace(final)
    except PermissionError:
        if not final.is_file() or final.stat().st_size != temporary.stat().st_size:
            raise
        temporary.unlink()
    sync_folder(final.parent)


def _translated(error: OSError, place: Path) -> StoreError:
    if error.errno in _FULL:
        return StoreError(
            "The disk is full: make some room, then try again.", retryable=True, code="disk_full"
        )
    if error.errno in _NOT_ALLOWED:
        return StoreError(f"Bahi cannot write to {place}: please check its permissions.", code="not_allowed")
    reason = error.strerror or type(error).__name__
    return StoreError(f"Bahi could not use {place}: {reason}.", retryable=True, code="disk_error")
