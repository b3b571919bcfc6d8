"""Translates errors of the operating system to StoreError, for work on this computer's files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import storage_error


@contextmanager
def os_errors_translated(path: Path) -> Iterator[None]:
    """Turn an OSError from work on `path` into a StoreError with a sentence."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error
