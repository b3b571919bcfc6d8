"""Translates errors of the operating system to StoreError, for work on this computer's files."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import StoreError

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def os_errors_translated(path: Path) -> Iterator[None]:
    """Turn an OSError from work on `path` into a StoreError with a sentence."""
    try:
        yield
    except OSError as error:
        raise _translated(error, path) from error


def _translated(error: OSError, path: Path) -> StoreError:
    if error.errno in _FULL:
        return StoreError(
            "The disk is full. Please free some space, then try again.", retryable=True, code="disk_full"
        )
    if error.errno in _NOT_ALLOWED:
        return StoreError(f"Bahi cannot write to {path}: please check its permissions.", code="not_allowed")
    reason = error.strerror or type(error).__name__
    return StoreError(f"Bahi could not use {path}: {reason}.", retryable=True, code="disk_error")
