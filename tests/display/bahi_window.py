"""The real windows on a real display, over services in memory but with the real store of bills.

It writes what a test must know to the file STATE, after each change: `python -m tests.display.bahi_window
FOLDER STATE`.
"""

import json
import sys
from pathlib import Path

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.ui.desktop import Desktop
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme
from tests.support.fake_services import NOON, FakeServices, shop_entries

_EVERY_MS = 50


def _middle(widget: QWidget) -> list[int]:
    point = widget.mapToGlobal(QPoint(widget.width() // 2, widget.height() // 2))
    return [point.x(), point.y()]


def _state(window: MainWindow, fake: FakeServices) -> dict[str, object]:
    documents, overlay = window.entry.documents, window.findChild(QWidget, "drop_overlay")
    return {
        "ready": window.signed_in and window.isVisible(),
        "middle": _middle(window),
        "documents": _middle(documents),
        "amount": _middle(window.entry.form.amount),
        "amount_text": window.entry.form.amount.text(),
        "refusal": documents.refusal.text(),
        "overlay": overlay is not None and overlay.isVisible(),
        "bills": [
            [bill.file_name, bill.sha256, str(fake.files.path(bill.sha256))]
            for bill in documents.attachments()
        ],
    }


def main(folder: Path, state: Path) -> int:
    """Open the window until the process is ended."""
    application = QApplication(["bahi"])
    theme, tasks = Theme(application, Mode.LIGHT), Tasks(application)
    fake = FakeServices(folder, shop_entries())
    fake.accounts.sign_in_local("Asha Rao", "")
    window = MainWindow(fake.services(), tasks, theme, Desktop(now=lambda: NOON), proposed_name="asha")
    window.setGeometry(640, 40, 740, 700)
    window.show()
    window.start()

    def write() -> None:
        partial = state.with_suffix(".part")
        partial.write_text(json.dumps(_state(window, fake)), encoding="utf-8")
        partial.replace(state)

    timer = QTimer()
    timer.timeout.connect(write)
    timer.start(_EVERY_MS)
    return application.exec()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
