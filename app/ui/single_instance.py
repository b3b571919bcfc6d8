"""One program a user and data folder: a second start only brings the first window to the front."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCryptographicHash, QLockFile, QObject, Signal

if TYPE_CHECKING:
    from PySide6.QtNetwork import QLocalServer

_WAIT_MS = 1_000


class SingleInstance(QObject):
    """`raised` says that somebody started the program again."""

    raised = Signal()

    def __init__(self, home: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        home.mkdir(parents=True, exist_ok=True)
        # The folder belongs to one user, so its name stands for the user's too.
        self._name = "bahi-" + _hash(str(home.resolve()))[:16]
        self._lock = QLockFile(str(home / "program.lock"))
        self._lock.setStaleLockTime(0)
        self._server: QLocalServer | None = None

    def claim(self) -> bool:
        """Be the one, which then may `listen`; False where another is, which is told to show itself.

        Where the lock cannot be written (a full disk) this is the one, whose window then says what is wrong.
        """
        if self._lock.tryLock(0) or self._lock.error() is not QLockFile.LockError.LockFailedError:
            return True
        self._call_first()
        return False

    def listen(self) -> None:
        """Hear of later starts; apart from `claim`, for QtNetwork can wait for the first paint."""
        from PySide6.QtNetwork import QLocalServer

        QLocalServer.removeServer(self._name)  # left by a program that was killed; the lock says it is gone
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._called)
        self._server.listen(self._name)

    def release(self) -> None:
        """Let another start."""
        if self._server is not None:
            self._server.close()
        self._lock.unlock()

    def _call_first(self) -> None:
        from PySide6.QtNetwork import QLocalSocket

        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if socket.waitForConnected(_WAIT_MS):
            socket.disconnectFromServer()

    def _called(self) -> None:
        assert self._server is not None
        connection = self._server.nextPendingConnection()
        if connection is not None:
            connection.deleteLater()
        self.raised.emit()


def _hash(text: str) -> str:
    """Return the SHA-256 in hexadecimal; by Qt, for `hashlib` is a third of what the first paint may wait."""
    digest = QCryptographicHash.hash(text.encode(), QCryptographicHash.Algorithm.Sha256)
    return bytes(digest.data()).hex()
