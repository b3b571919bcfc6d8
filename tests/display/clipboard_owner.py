"""Another program on the display that has copied a photo.

`python -m tests.display.clipboard_owner PHOTO READY`: it writes READY when the photo is on the clipboard.
"""

import sys
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication


def main(photo: Path, ready: Path) -> int:
    """Keep the clipboard until the process is ended."""
    application = QGuiApplication(["owner"])
    data = QMimeData()
    data.setData("image/jpeg", photo.read_bytes())
    application.clipboard().setMimeData(data)
    application.processEvents()
    ready.touch()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
