"""Run as a program: shows one file as a preview and prints what it said and how many MB more that took."""

import os
import resource
import sys
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtGui import QGuiApplication, QImage

from app.errors import AppError
from app.ui import previews


def peak_mb() -> float:
    """Return the most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Show the file of the arguments: path, media type."""
    application = QGuiApplication([])
    QImage(10, 10, QImage.Format.Format_RGB32)
    if sys.argv[2] == "image/heic":
        import pi_heif  # noqa: F401 - the library's own size is not the picture's
    before = peak_mb()
    try:
        shown = previews.picture(Path(sys.argv[1]), sys.argv[2])
        said = f"{shown.image.width()}x{shown.image.height()}"
    except AppError as error:
        said = error.code
    print(f"{said} {peak_mb() - before:.0f}")
    application.quit()


main()
