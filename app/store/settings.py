"""What this installation remembers between two starts: small texts by name, and its own id."""

import secrets
from typing import Final
from uuid import uuid4

from app.store.database import Database

_DEVICE_ID: Final = "device_id"
_DEVICE_SECRET: Final = "device_secret"  # noqa: S105 - a setting's name


class Settings:
    """Texts by key, in `client.sqlite`. Raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, default: str = "") -> str:
        """Return what was set last for `key`."""
        with self._database.read() as connection:
            row = connection.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return default if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Remember `value` for `key`, durably."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO setting VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )

    def device_id(self) -> str:
        """Return this installation's UUID; made at the first call, the same ever after."""
        return self.get(_DEVICE_ID) or self._made_once(_DEVICE_ID, str(uuid4()))

    def device_secret(self) -> str:
        """Return what proves to a server that this installation logged in there before; made like the id.

        It opens nothing: with it a wrong password is counted as this installation's, not as a stranger's.
        """
        return self.get(_DEVICE_SECRET) or self._made_once(_DEVICE_SECRET, secrets.token_urlsafe(32))

    def _made_once(self, key: str, value: str) -> str:
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (key, value))
        return self.get(key)
