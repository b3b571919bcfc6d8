"""Allows one program per user and data folder; a second start only raises the window of the first."""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCryptographicHash, QLockFile, QObject, QSysInfo, QThread, Signal

from app.paths import check_own_file, check_own_folder, make_private_folder, restrict

if TYPE_CHECKING:
    from PySide6.QtNetwork import QLocalServer

ANSWER_MS: Final = 5_000
"""How long the first program may take to answer. It may just be starting."""
_PAUSE_MS: Final = 50
_END_SECONDS: Final = 5.0
_ANSWER: Final = b"raised\n"


class SingleInstance(QObject):
    """`raised` is emitted when the program is started again."""

    raised = Signal()

    def __init__(self, home: Path, parent: QObject | None = None, answer_ms: int = ANSWER_MS) -> None:
        """Create the folder `home` if necessary, and take the rights of other users from it.

        Raises OSError, also if another user owns it, or its lock is no regular file of this user.
        """
        super().__init__(parent)
        make_private_folder(home)  # `durable_files` would import `hashlib`
        restrict(home)
        check_own_folder(home)
        check_own_file(home / "program.lock")  # Qt would wait for a pipe, and follow a link
        # The folder belongs to one user, so the name need not contain the user too.
        self._name = "bahi-" + _hash(str(home.resolve()))[:16]
        self._lock_file = home / "program.lock"
        self._lock = QLockFile(str(self._lock_file))
        self._lock.setStaleLockTime(0)  # the program may run for days; only a dead process frees the lock
        self._server: QLocalServer | None = None
        self._answer_ms = answer_ms
        self.answered = False
        """Whether the other program answered the last `claim`."""

    def claim(self) -> bool:
        """Return whether this is the only instance. If another one is running, ask it to raise its window.

        `answered` is then whether it did. If the lock file cannot be written (the disk is full), return True:
        the window then shows the error.
        """
        if self._acquired():
            return True
        deadline = time.monotonic() + self._answer_ms / 1000
        while True:
            self.answered = self._call_first(deadline)
            if self.answered:
                return False
            # After a power failure or a change of the computer's name, Qt cannot tell whose lock it is. A
            # program that runs holds a lock of the system on the file, and then it cannot be removed.
            if self._lock.removeStaleLockFile() and self._acquired():
                return True
            if time.monotonic() >= deadline:
                return False
            QThread.msleep(_PAUSE_MS)

    def listen(self) -> None:
        """Listen for later starts. Separate from `claim`, to import QtNetwork after the first paint."""
        from PySide6.QtNetwork import QLocalServer

        if self._server is not None:
            return
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

    def end_other(self) -> bool:
        """End the program that holds the lock and does not answer. Return whether the lock is free."""
        pid, host, _program = self._lock.getLockInfo()
        if pid <= 0 or host != QSysInfo.machineHostName():
            return False
        for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
            with contextlib.suppress(OSError):
                os.kill(pid, number)
            deadline = time.monotonic() + _END_SECONDS
            while time.monotonic() < deadline:
                if self._lock.removeStaleLockFile() or not self._lock_file.exists():
                    return True
                QThread.msleep(_PAUSE_MS)
        return False

    def _acquired(self) -> bool:
        if self._lock.tryLock(0):
            restrict(self._lock_file)  # Qt creates it as the umask says
            return True
        return self._lock.error() is not QLockFile.LockError.LockFailedError

    def _call_first(self, deadline: float) -> bool:
        """Ask the first program to raise its window. Return whether it answered before `deadline`."""
        from PySide6.QtNetwork import QLocalSocket

        socket = QLocalSocket()
        socket.connectToServer(self._name)
        left = max(int((deadline - time.monotonic()) * 1000), 1)
        # The system also accepts a connection to a program that hangs. Only an answer shows that it does not.
        if socket.waitForConnected(left) and not socket.bytesAvailable():
            socket.waitForReadyRead(left)
        answered = socket.bytesAvailable() > 0
        socket.abort()
        return answered

    def _called(self) -> None:
        assert self._server is not None
        connection = self._server.nextPendingConnection()
        if connection is not None:
            connection.disconnected.connect(connection.deleteLater)
            connection.write(_ANSWER)
            connection.flush()
            connection.disconnectFromServer()
        self.raised.emit()


def _hash(text: str) -> str:
    """Return the SHA-256 in hexadecimal."""
    # By Qt: importing `hashlib` would take a third of the time allowed until the first paint.
    digest = QCryptographicHash.hash(text.encode(), QCryptographicHash.Algorithm.Sha256)
    return bytes(digest.data()).hex()
