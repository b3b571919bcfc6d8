"""The reference for `first_key`: PySide6 and a window of the same size with one text field."""

import sys

from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow

from tests.bench.programs.first_key import FirstKey, tell


def main() -> None:
    """Show it until the field takes a key."""
    application = QApplication(sys.argv)
    window = QMainWindow()
    window.resize(1180, 760)
    field = QLineEdit()
    window.setCentralWidget(field)
    FirstKey(window, lambda at: tell(at=at))
    window.show()
    field.setFocus()
    application.exec()


if __name__ == "__main__":
    main()
