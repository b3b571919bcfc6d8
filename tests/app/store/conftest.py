"""A real SQLite file for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.database import Database
from app.store.outbox import Outbox


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """`client.sqlite` in a folder of its own."""
    opened = Database(tmp_path / "client.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def outbox(database: Database) -> Outbox:
    """An empty outbox."""
    return Outbox(database)
