"""The settings of this installation: short texts by key, and its own id."""

import secrets
from pathlib import Path
from typing import Final
from uuid import uuid4

from app.store.database import Database

_DEVICE_ID: Final = "device_id"
_DEVICE_SECRET: Final = "device_secret"  # noqa: S105 - a setting's name


class Settings:
    """The table `setting`. Every method raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def folder(self) -> Path:
        """The folder with the data of this program on this computer."""
        return self._database.folder

    def get(self, key: str, default: str = "") -> str:
        """Return the value of `key`, or `default` if it was never set."""
        with self._database.read() as connection:
            row = connection.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return default if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Set `key` to `value`. It is durable on return."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO setting VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )

    def device_id(self) -> str:
        """Return the UUID of this installation. The first call generates it."""
        return self.get(_DEVICE_ID) or self._made_once(_DEVICE_ID, str(uuid4()))

    def device_secret(self) -> str:
        """Return the secret that shows a server that this installation has logged in before.

        It gives no access. The server counts wrong passwords of known installations separately, so that a
        stranger who guesses passwords cannot lock out the user.
        """
        return self.get(_DEVICE_SECRET) or self._made_once(_DEVICE_SECRET, secrets.token_urlsafe(32))

    def _made_once(self, key: str, value: str) -> str:
        with self._database.write() as connection:  # if two threads come here, the first value wins
            connection.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (key, value))
        return self.get(key)
