"""What this installation remembers between two starts: small texts by name, and its own id."""

from typing import Final
from uuid import uuid4

from app.store.database import Database

_DEVICE_ID: Final = "device_id"


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
        known = self.get(_DEVICE_ID)
        if known:
            return known
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (_DEVICE_ID, str(uuid4())))
        return self.get(_DEVICE_ID)
