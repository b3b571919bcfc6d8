"""An error of the disk is told in plain words, with what to do."""

import errno
import os
from pathlib import Path

import pytest

from app.errors import storage_error

_FILE = Path("/media/stick/book.csv")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "The disk is full. Please free some space"),
        (errno.EROFS, "can only be read. Please use another one."),
        (errno.EACCES, "please check its permissions"),
        (errno.ENOENT, "cannot be found"),
        (errno.EISDIR, "is a folder"),
        (errno.ENAMETOOLONG, "is too long"),
        (errno.EFBIG, "too large for this disk"),
        (errno.EIO, "no longer connected"),
    ],
)
def test_the_sentence_is_not_that_of_the_system(number: int, said: str) -> None:
    sentence = storage_error(OSError(number, os.strerror(number)), _FILE).message
    assert said in sentence
    assert os.strerror(number) not in sentence
