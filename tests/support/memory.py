"""Files that are kept in memory if there is room: no test needs its files after a power failure."""

import os
import shutil
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
_ROOM: Final = 3 * 1024**3
"""Bytes: three workers with a PostgreSQL each, and the folders of the tests."""


def has_room() -> bool:
    """Return whether `MEMORY` exists here and has room for the files of a run."""
    return os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > _ROOM
