"""The window with cameras that a test feeds."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Theme
from tests.app.ui.conftest import Clock, PatientBot, Person
from tests.support.fake_services import FakeServices
from tests.support.fed_cameras import DESK, FedCameras


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the back end say once that it converts frames without a graphics card; it names no category."""
    for item in items:
        item.add_marker(pytest.mark.qt_log_ignore("No RHI backend. Using CPU conversion"))


@pytest.fixture
def cameras() -> FedCameras:
    """One camera. Tests plug in others, before the dialog is opened or later."""
    return FedCameras(DESK)


@pytest.fixture
def window(
    qtbot: PatientBot,
    fake: FakeServices,
    tasks: Tasks,
    theme: Theme,
    person: Person,
    clock: Clock,
    cameras: FedCameras,
) -> Iterator[MainWindow]:
    """The window, with these cameras."""
    desktop = replace(person.desktop(), cameras=lambda: cameras)
    made = MainWindow(fake.services(), tasks, theme, desktop, proposed_name="asha", clock=lambda: clock.now)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.dialogs.close_all()
    made.sync.stop()
