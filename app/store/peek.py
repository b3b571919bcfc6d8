"""Reads a setting before the store is open, so that the first window need not wait for the store."""

import sqlite3
from contextlib import closing
from pathlib import Path


def kept_setting(path: Path, key: str) -> str:
    """Return the setting `key` in the database at `path`; "" if there is none or it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
    except sqlite3.Error:
        return ""
    return str(row[0]) if row else ""
