"""One look at a setting before the store is open: for the first paint, which waits for nothing else."""

import sqlite3
from contextlib import closing
from pathlib import Path


def kept_setting(path: Path, key: str) -> str:
    """Return what `client.sqlite` at `path` holds for `key`; "" where there is none or it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
    except sqlite3.Error:
        return ""
    return str(row[0]) if row else ""
