"""Fixtures of the whole suite: one PostgreSQL for each worker, started by the first test that asks."""

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import BookApi
from tests.support.examples import register_profiles
from tests.support.memory import MEMORY, has_room
from tests.support.postgres import Cluster, running_cluster
from tests.support.servers import RunningServer, region_config, running_server

# If the caller ignores SIGINT (`trap '' INT`, a script's background job), all processes started here do too,
# and Python raises no KeyboardInterrupt in them. A handler is not inherited: children get the default.
signal.signal(signal.SIGINT, signal.default_int_handler)

register_profiles()

# Here pytest makes the folders of the tests, thousands of small files. On a disk that others use too, to
# remove them takes longer than many a test.
if has_room():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(autouse=True)
def _log_of_this_test_alone() -> Iterator[None]:
    """Take back what a command run in here did to the log: its stream ends with the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The worker's PostgreSQL."""
    with running_cluster(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture
def database_url(cluster: Cluster) -> Iterator[str]:
    """A migrated database of this test's own."""
    with cluster.database() as url:
        yield url


@pytest.fixture
def empty_database_url(cluster: Cluster) -> Iterator[str]:
    """A database of this test's own without a table."""
    with cluster.database(migrated=False) as url:
        yield url


@pytest.fixture(scope="session")
def server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that the worker's tests share: each registers a book of its own. For what looks at whole
    tables, moves the clock or breaks something, take `start_server`."""
    with cluster.database() as url:
        config = region_config(url, tmp_path_factory.mktemp("server"), pool_size=8)
        with running_server(config) as running:
            yield running


@pytest.fixture
def start_server(database_url: str, tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Start a server on a database of this test's own: `start_server(clock=…, registration="closed")`."""
    with ExitStack() as running:

        def start(clock: Callable[[], float] | None = None, **settings: Any) -> RunningServer:
            config = region_config(database_url, tmp_path / "server", **settings)
            started = running_server(config, clock) if clock else running_server(config)
            return running.enter_context(started)

        yield start


@pytest.fixture
def book(server: RunningServer) -> BookApi:
    """A new book on the shared server, signed in."""
    return server.api().register()
