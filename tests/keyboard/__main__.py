"""`python -m tests.keyboard DIR`: use the program with the keyboard alone; write keys and seconds to DIR."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtWidgets import QApplication

from app.bootstrap import make_desk
from app.local_server import forget_server_data
from app.paths import Paths
from app.ui.desktop import Desktop
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme
from tests.keyboard.session import Part, Session
from tests.support.keyboard_hands import HandsError


def main(arguments: Sequence[str]) -> int:
    """Run the session over an empty book of its own; return the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.keyboard DIR\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bahi-keyboard-") as home:
        paths = Paths(Path(home))
        try:
            return _run(paths, folder)
        finally:
            forget_server_data(paths.server)


def _run(paths: Paths, folder: Path) -> int:
    application = QApplication([])
    desk, tasks = make_desk(paths), Tasks(application)
    csv = folder / "keyboard.csv"
    csv.unlink(missing_ok=True)
    desktop = Desktop(choose_save_path=lambda _parent, _name: csv, confirm=lambda *_: True)
    window = MainWindow(desk.services, tasks, Theme(application, Mode.LIGHT), desktop, "Asha Rao")
    window.show()
    window.activateWindow()
    window.start()
    session, trouble = Session(window, csv), ""
    try:
        session.run()
    except HandsError as error:
        trouble = str(error)
    _write(session.parts, folder / "keyboard.txt", trouble)
    window.close()
    tasks.shutdown()
    desk.close()
    return 1 if trouble else 0


def _write(parts: Sequence[Part], file: Path, trouble: str) -> None:
    total = Part("together", sum(part.keys for part in parts), sum(part.seconds for part in parts))
    lines = [f"{part.name:14}{part.keys:6} keys{part.seconds:8.1f} s" for part in (*parts, total)]
    text = "\n".join([*lines, *([f"stopped: {trouble}"] if trouble else [])]) + "\n"
    file.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
