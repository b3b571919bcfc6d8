"""Cameras without hardware: pictures are fed to the real capture session of the dialog."""

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QImage

from app.ui.camera.backend import QtMultimedia
from app.ui.camera.source import CameraDevice, CameraSource

DESK = CameraDevice("/dev/video0", "Desk camera")
LID = CameraDevice("/dev/video2", "Lid camera")


def plain(colour: str, width: int = 320, height: int = 240) -> QImage:
    """Return a picture in one colour."""
    made = QImage(width, height, QImage.Format.Format_RGB32)
    made.fill(QColor(colour))
    return made


class FedCameras(CameraSource):
    """Each of its cameras sends `picture`, unless it is `silent`.

    `pause_ms` is the time between two frames. `refuses` is what the system says when a camera is started, ""
    if it starts.
    """

    def __init__(self, *devices: CameraDevice, silence_ms: int = 60_000) -> None:
        super().__init__()
        self.silence_ms = silence_ms
        self.plugged = list(devices)
        self.picture = plain("#336699")
        self.silent = False
        self.refuses = ""
        self.allowed = True
        self.used: list[CameraDevice] = []
        self.pause_ms = 15
        self._input: QtMultimedia.QVideoFrameInput | None = None
        self._session: QtMultimedia.QMediaCaptureSession | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._send)

    @property
    def attached(self) -> bool:
        """Return whether a camera is in use."""
        return self._session is not None

    def ask_permission(self, answered: Callable[[bool], None]) -> None:
        """Answer at once."""
        answered(self.allowed)

    def devices(self) -> tuple[CameraDevice, ...]:
        """Return the cameras that are plugged in."""
        return tuple(self.plugged)

    def attach(self, session: QtMultimedia.QMediaCaptureSession, device: CameraDevice) -> None:
        """Begin to feed `session`."""
        self.detach()
        self.used.append(device)
        if self.refuses:
            self.failed.emit(self.refuses)
            return
        self._session, self._input = session, QtMultimedia.QVideoFrameInput(self)
        session.setVideoFrameInput(self._input)
        self._timer.start(self.pause_ms)

    def detach(self) -> None:
        """Stop feeding."""
        self._timer.stop()
        if self._session is not None:
            self._session.setVideoFrameInput(None)  # type: ignore[arg-type] # the stubs forget None
        self._session = self._input = None

    def plug(self, *devices: CameraDevice) -> None:
        """Have exactly these cameras from now on."""
        self.plugged = list(devices)
        self.changed.emit()

    def _send(self) -> None:
        if self._input is not None and not self.silent:
            self._input.sendVideoFrame(QtMultimedia.QVideoFrame(self.picture))
