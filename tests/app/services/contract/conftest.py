"""The contract's tests run twice: over the real services and over the fakes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import keyring
import pytest

from app.store import vault
from tests.app.services.contract.stages import Desk, FakeStage, RealStage, Stage
from tests.support.fake_keyring import FakeKeyring

StartStage = Callable[..., Stage]


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest) -> str:
    """Whose contract it is."""
    return str(request.param)


@pytest.fixture
def key_store(monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    """The system's keyring."""
    made = FakeKeyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: made)
    monkeypatch.setattr(vault, "_TRUSTED", (FakeKeyring.__module__,))
    return made


@pytest.fixture
def start_stage(
    kind: str, key_store: FakeKeyring, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[StartStage]:
    """Start a server that is this test's own, and may be stopped: `start_stage(registration="closed")`."""
    with ExitStack() as running:

        def start(**settings: Any) -> Stage:
            if kind == "fake":
                return running.enter_context(closing(FakeStage(tmp_path, key_store=key_store, **settings)))
            cluster = request.getfixturevalue("cluster")
            return running.enter_context(closing(RealStage(cluster, tmp_path, None, **settings)))

        yield start


@pytest.fixture
def stage(
    kind: str, key_store: FakeKeyring, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Stage]:
    """A server that other tests use too."""
    made: FakeStage | RealStage
    if kind == "fake":
        made = FakeStage(tmp_path, key_store=key_store)
    else:
        made = RealStage(request.getfixturevalue("cluster"), tmp_path, request.getfixturevalue("server"))
    with closing(made):
        yield made


@pytest.fixture
def desk(stage: Stage) -> Desk:
    """An installation on which nobody is signed in."""
    return stage.desk()


@pytest.fixture
def book(desk: Desk) -> Desk:
    """An installation with a new book open, at a server."""
    desk.register()
    return desk
