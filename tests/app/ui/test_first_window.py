"""What the first window does not need is not imported before the window takes a key."""

import os
import subprocess
import sys
from pathlib import Path

_LIBRARIES = [
    "requests",
    "urllib3",
    "jwt",
    "cryptography",
    "keyring",
    "truststore",
    "PIL",
    "pi_heif",
    "pypdfium2",
    "importlib.metadata",
    "PySide6.QtMultimedia",
    "PySide6.QtPdf",
    "PySide6.QtTest",
]
_SERVERS = [
    "app.remote.client",
    "app.remote.api",
    "app.remote.auth",
    "app.remote.session_runner",
    "app.remote.failed_calls",
    "server.app",
    "server.http",
    "server.db",
    "psycopg",
]
_NOT_SHOWN = [
    "app.ui.views.listing_view",
    "app.ui.views.outbox_view",
    "app.ui.views.details_panel",
    "app.ui.widgets.page_canvas",
    "app.ui.models.entries_model",
    "app.ui.camera.camera_dialog",
    "app.ui.dialogs.about_dialog",
    "app.ui.dialogs.account_dialog",
    "app.ui.dialogs.crash_dialog",
    "app.ui.dialogs.export_dialog",
    "app.ui.dialogs.forgotten_password",
    "app.ui.dialogs.history_dialog",
    "app.ui.dialogs.help_dialog",
    "app.ui.dialogs.licences_dialog",
    "app.licences",
    "app.ui.dialogs.move_dialog",
    "app.ui.dialogs.recovery_code_dialog",
]

_NOT_WHILE_OPENING = [
    "app.services",
    "app.store.database",
    "app.ui.desktop",
    "app.ui.icons",
    "app.ui.main_window",
    "decimal",
    "logging.handlers",
    "msgspec",
    "subprocess",
    "PySide6.QtNetwork",
    "PySide6.QtSvg",
]

_PROGRAM = """
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.bootstrap import make_desk
from app.paths import Paths
from app.ui.first_paint import FirstPaint
from app.ui.theme import Theme

application = QApplication(["bahi"])
desk = make_desk(Paths(Path(sys.argv[1])))

from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks

window = MainWindow(desk.services, Tasks(application), Theme(application))
FirstPaint(window, application.quit)
window.show()
application.exec()
print(*sorted(sys.modules))
desk.close()
"""


def loaded_by(program: str, *arguments: str) -> set[str]:
    """Return the modules that `program` has loaded at its end."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=60)
    return set(done.stdout.split())


def test_what_the_opening_window_does_not_need_is_not_imported() -> None:
    loaded = loaded_by("import sys, app.bootstrap, app.ui.application; print(*sys.modules)")
    assert "app.ui.opening" in loaded
    assert [name for name in _NOT_WHILE_OPENING if name in loaded] == []


def test_what_the_first_window_does_not_need_is_not_imported(tmp_path: Path) -> None:
    loaded = loaded_by(_PROGRAM, str(tmp_path / "Bahi"))
    assert {"app.services", "app.ui.main_window", "app.ui.views.entry_view"} <= loaded
    assert [name for name in (*_LIBRARIES, *_SERVERS, *_NOT_SHOWN) if name in loaded] == []
