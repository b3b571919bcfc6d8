"""Another program on the display that offers a file to be moved, and then does away with its own.

`python -m tests.display.moving_source FILE ACTIONS RESULT`: ACTIONS is `move` or `all`. It deletes FILE when
the window under the mouse says that the drop has ended, and writes the answer to the file RESULT.
"""

import sys
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel

_MOVE = Qt.DropAction.MoveAction
_ACTIONS = {"move": _MOVE, "all": _MOVE | Qt.DropAction.CopyAction | Qt.DropAction.LinkAction}


class MovingSource(QLabel):
    """A window from which the file can be dragged."""

    def __init__(self, file: Path, actions: Qt.DropAction, result: Path) -> None:
        super().__init__("Drag me")
        self.setWindowTitle("source")
        self._file, self._actions, self._result = file, actions, result
        self._answer = Qt.DropAction.IgnoreAction

    def mouseMoveEvent(self, _event: QMouseEvent) -> None:
        """Begin the drag."""
        if not self._file.exists():
            return
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(self._file))])
        data.destroyed.connect(self._ended)
        drag = QDrag(self)
        drag.setMimeData(data)
        self._answer = drag.exec(self._actions, _MOVE)  # returns before the other window has the drop

    def _ended(self) -> None:
        """Delete the file: the other window has answered, and Qt forgets the data."""
        if self._answer is not Qt.DropAction.IgnoreAction:
            self._file.unlink()
            self._result.write_text(self._answer.name or str(self._answer.value), encoding="utf-8")


def main(file: Path, actions: str, result: Path) -> int:
    """Show the window until the process is ended."""
    application = QApplication(["source"])
    window = MovingSource(file, _ACTIONS[actions], result)
    window.setGeometry(40, 620, 300, 150)
    window.show()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
