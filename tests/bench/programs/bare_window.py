"""The reference for `first_paint`: PySide6 and an empty QMainWindow of the same size."""

import sys

from PySide6.QtWidgets import QApplication, QMainWindow

from tests.bench.programs.first_key import FirstKey, tell


def main() -> None:
    """Show it until it takes a key."""
    application = QApplication(sys.argv)
    window = QMainWindow()
    window.resize(1180, 760)
    FirstKey(window, lambda at: tell(at=at))
    window.show()
    application.exec()


if __name__ == "__main__":
    main()
