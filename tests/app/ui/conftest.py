"""What the tests of the screens share: fakes, a theme, tasks and a window, all offscreen."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from pytestqt.wait_signal import SignalBlocker
from shiboken6 import isValid

from app.ui import tasks as tasks_module
from app.ui.desktop import Desktop
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme
from tests.support.fake_services import NOON, FakeServices, shop_entries

_PATIENCE_MS: Final = 40_000
"""For what comes at once where it comes: a busy machine is no failure."""


class PatientBot(QtBot):
    """Waits for longer than the five seconds of pytest-qt."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = _PATIENCE_MS) -> None:
        """Return as soon as `callback` says yes."""
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = _PATIENCE_MS, **more: Any) -> SignalBlocker:
        """Wait at the end of the block until `signal` has come."""
        return super().waitSignal(signal, timeout=timeout, **more)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    """The hand at the windows."""
    return PatientBot(request)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the offscreen platform say what it cannot do; every other Qt message fails a test."""
    for item in items:
        item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support"))


@dataclass
class Person:
    """Answers the questions of the desktop, and remembers them."""

    save_path: Path | None = None
    files: list[Path] = field(default_factory=list)
    agrees: bool = True
    folder: Path | None = None
    copies: list[Path] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    explanations: list[str] = field(default_factory=list)
    opened: list[Path] = field(default_factory=list)
    now: datetime = NOON
    """The time of the computer's clock."""
    opens: bool = True
    """Whether the system has a program for what is to be opened."""
    starts: list[str | Path | None] = field(default_factory=list)

    def choose_save_path(self, _parent: QWidget, proposed: str) -> Path | None:
        """Choose where to save."""
        self.starts.append(proposed)
        return self.save_path

    def choose_files(self, _parent: QWidget, folder: Path | None) -> list[Path]:
        """Choose bills."""
        self.starts.append(folder)
        return self.files

    def choose_folder(self, _parent: QWidget, folder: Path | None) -> Path | None:
        """Choose a folder."""
        self.starts.append(folder)
        return self.folder

    def confirm(self, _parent: QWidget, question: str, explanation: str, _yes: str, _no: str) -> bool:
        """Answer a question."""
        self.questions.append(question)
        self.explanations.append(explanation)
        return self.agrees

    def open_path(self, path: Path) -> bool:
        """Note what would be opened."""
        self.opened.append(path)
        return self.opens

    def desktop(self) -> Desktop:
        """Return a desktop that asks this person."""
        return Desktop(
            choose_save_path=self.choose_save_path,
            choose_files=self.choose_files,
            choose_copies=lambda _parent, _folder: self.copies,
            choose_folder=self.choose_folder,
            confirm=self.confirm,
            open_path=self.open_path,
            now=lambda: self.now,
        )


@dataclass
class Clock:
    """Seconds that pass only when a test says so."""

    now: float = 100.0


@pytest.fixture
def clock() -> Clock:
    """The clock of the toast."""
    return Clock()


@pytest.fixture
def person() -> Person:
    """A person who agrees to everything."""
    return Person()


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """The light theme."""
    made = Theme(qapp, Mode.LIGHT)
    yield made
    made.deleteLater()


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeServices]:
    """A shop with 120 confirmed entries."""
    folder = tmp_path / "bills"
    folder.mkdir()
    made = FakeServices(folder, shop_entries())
    yield made
    made.close()


@pytest.fixture
def tasks(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tasks]:
    """Tasks; a crash in one fails the test."""
    monkeypatch.setattr(tasks_module, "_SHUTDOWN_MS", _PATIENCE_MS)
    made = Tasks()
    crashes: list[Exception] = []
    made.crashed.connect(crashes.append)
    yield made
    assert made.shutdown()
    assert crashes == []


@pytest.fixture
def window(
    qtbot: QtBot, fake: FakeServices, tasks: Tasks, theme: Theme, person: Person, clock: Clock
) -> Iterator[MainWindow]:
    """The window at its start, shown but not started."""
    made = MainWindow(
        fake.services(), tasks, theme, person.desktop(), proposed_name="asha", clock=lambda: clock.now
    )
    qtbot.addWidget(made)
    made.show()
    yield made
    if isValid(made):  # some tests close and delete it
        made.book.stop_making_pages()
    made.sync.stop()


@pytest.fixture
def owner(fake: FakeServices) -> None:
    """Whose book the window opens: that of this computer, without a password. Modules have another one."""
    fake.accounts.sign_in_local("Asha Rao", "")


@pytest.fixture
def book(qtbot: QtBot, window: MainWindow, fake: FakeServices, tasks: Tasks, owner: None) -> MainWindow:
    """The window with the book open, at rest."""
    window.start()
    qtbot.waitUntil(lambda: window.listing.model.rowCount() > 0 and not tasks.busy)
    return window


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of a bill, 60 by 80 pixels."""
    return make_photo(tmp_path / "bill.png")


def make_photo(path: Path, colour: str = "#aabbcc") -> Path:
    """Write a small picture in one colour."""
    image = QImage(60, 80, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    assert image.save(str(path))
    return path
