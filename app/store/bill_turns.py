"""How bills are turned when they are shown on this computer. Their bytes stay as they are."""

from app.store.database import Database


class BillTurns:
    """The table `bill_turn`. Every method raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, sha256: str) -> int:
        """Return by how many quarters a bill is turned clockwise, 0 to 3."""
        with self._database.read() as connection:
            row = connection.execute("SELECT turns FROM bill_turn WHERE sha256 = ?", (sha256,)).fetchone()
        return 0 if row is None else int(row[0]) % 4

    def turn(self, sha256: str, quarters: int) -> int:
        """Turn a bill clockwise by `quarters` more, and return the sum. It is durable on return."""
        with self._database.write() as connection:
            turns = (self.get(sha256) + quarters) % 4
            connection.execute("DELETE FROM bill_turn WHERE sha256 = ?", (sha256,))
            if turns:
                connection.execute("INSERT INTO bill_turn VALUES (?, ?)", (sha256, turns))
        return turns
