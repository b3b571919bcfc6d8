"""A data folder with its embedded PostgreSQL, made once for the tests that start processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import remove_cluster
from tests.support.servers import server_process


@pytest.fixture(scope="session")
def kept_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder that a local server was started on once; tests use it one after the other."""
    folder = tmp_path_factory.mktemp("local") / "book with a space"
    try:
        with server_process("local", "--data", str(folder), secret="s") as server:
            assert server.end() == 0
        yield folder
    finally:
        remove_cluster(folder)


@pytest.fixture
def fresh_data(tmp_path: Path) -> Iterator[Path]:
    """A data folder that is not there yet; PostgreSQL's files of it are removed at the end."""
    folder = tmp_path / "data"
    yield folder
    remove_cluster(folder)
