"""Allows one program per user and data folder; a second start only raises the window of the first."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCryptographicHash, QLockFile, QObject, Signal

from app.paths import make_private_folder, restrict

if TYPE_CHECKING:
    from PySide6.QtNetwork import QLocalServer

_WAIT_MS = 1_000


class SingleInstance(QObject):
    """`raised` is emitted when the program is started again."""

    raised = Signal()

    def __init__(self, home: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        make_private_folder(home)  # `durable_files` would import `hashlib`
        # The folder belongs to one user, so the name need not contain the user too.
        self._name = "bahi-" + _hash(str(home.resolve()))[:16]
        self._lock_file = home / "program.lock"
        self._lock = QLockFile(str(self._lock_file))
        self._lock.setStaleLockTime(0)  # the program may run for days; only a dead process frees the lock
        self._server: QLocalServer | None = None

    def claim(self) -> bool:
        """Return whether this is the only instance. If another one is running, ask it to raise its window.

        If the lock file cannot be written (the disk is full), return True: the window then shows the error.
        """
        if self._lock.tryLock(0):
            restrict(self._lock_file)  # Qt creates it as the umask says
            return True
        if self._lock.error() is not QLockFile.LockError.LockFailedError:
            return True
        self._call_first()
        return False

    def listen(self) -> None:
        """Listen for later starts. Separate from `claim`, to import QtNetwork after the first paint."""
        from PySide6.QtNetwork import QLocalServer

        # A killed program may have left its socket. This one has the lock, so that program is gone.
        QLocalServer.removeServer(self._name)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._called)
        self._server.listen(self._name)

    @property
    def address(self) -> str:
        """The socket that later starts call; "" if nobody listens."""
        return self._server.fullServerName() if self._server is not None else ""

    def release(self) -> None:
        """Release the lock, so that another instance can start."""
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
    """Return the SHA-256 in hexadecimal."""
    # By Qt: importing `hashlib` would take a third of the time allowed until the first paint.
    digest = QCryptographicHash.hash(text.encode(), QCryptographicHash.Algorithm.Sha256)
    return bytes(digest.data()).hex()
