"""The real windows over real services, servers as real processes, everything below one temporary folder."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.bootstrap import Desk, make_desk
from app.domain.send_schedule import Draw
from app.local_server import LocalServer, forget_server_data
from app.paths import Paths
from app.ui.desktop import Desktop
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme
from tests.support.ports import steady_port
from tests.tour.driver import Driver


@dataclass
class ServerProcess:
    """A regional server on one port, to be stopped and started again."""

    data: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    more: str = ""
    """Further keys of its configuration."""

    @property
    def url(self) -> str:
        """What clients call."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait for the ready line."""
        config = self.data / "server.toml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(
            f'data = "{self.data / "data"}"\nport = {self.port}\nserver_id = "in-mum-1"\n'
            f'region = "ap-south-1"\nregion_letter = "M"\nregistration = "open"\n{self.more}',
            encoding="utf-8",
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server", "--quiet", "run", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        assert json.loads(self.process.stdout.readline())["ready"] is True

    def stop(self) -> None:
        """End it as an operator does."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None


@pytest.fixture
def regional_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that takes new accounts."""
    server = ServerProcess(tmp_path / "region", steady_port())
    server.start()
    yield server
    server.stop()
    forget_server_data(tmp_path / "region" / "data")


@pytest.fixture
def samples() -> Path:
    """The sample bills."""
    return Path(__file__).parents[2] / "resources" / "samples"


Opened = tuple[Driver, Desk]


@pytest.fixture
def open_program(qapp: QApplication, tmp_path: Path) -> Iterator[Callable[[Desktop], object]]:
    """Open the program on this test's own folders, as often as wanted; pictures go to the folder PICTURES."""
    paths = Paths(tmp_path / "home")
    pictures = Path(os.environ["PICTURES"]) if os.environ.get("PICTURES") else None
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def opened(desktop: Desktop, home: Path | None = None, draw: Draw = random.uniform) -> Iterator[Opened]:
        # With a home of its own the server's folder stays where there is room for a database.
        local = LocalServer(paths.server) if home else None
        desk = make_desk(Paths(home) if home else paths, local, draw)
        problems: list[Exception] = []
        theme, tasks = Theme(qapp, Mode.LIGHT), Tasks(qapp)
        tasks.crashed.connect(problems.append)
        window = MainWindow(desk.services, tasks, theme, desktop, proposed_name="Asha")
        driver = Driver(window, theme, pictures)
        window.show()
        window.start()
        try:
            yield driver, desk
        finally:
            window.close()
            tasks.shutdown()
            desk.close()
            window.deleteLater()
            theme.deleteLater()
        assert problems == []

    yield opened
    forget_server_data(paths.server)
