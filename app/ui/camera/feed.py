"""The live picture: frames of the attached camera, as often as the window can draw them."""

import time
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from app.ui.camera.backend import QtMultimedia
from app.ui.camera.source import CameraDevice, CameraSource
from app.ui.camera.trouble import CameraTrouble

_LEAST_PAUSE_MS: Final = 25
_PAUSES: Final = 2.0
"""How many times longer than the conversion of a frame the pause after it is: so the window stays usable."""


class CameraFeed(QObject):
    """Turns frames into pictures. `pictured` carries a QImage of full size.

    `troubled` carries a CameraTrouble, and what the system said about it. Call `stop` at the end.
    """

    pictured = Signal(QImage)
    troubled = Signal(object, str)

    def __init__(self, source: CameraSource, parent: QObject) -> None:
        super().__init__(parent)
        self._source = source
        self._session = QtMultimedia.QMediaCaptureSession(self)
        self._sink = QtMultimedia.QVideoSink(self)  # without an output, a session takes no frames
        self._session.setVideoSink(self._sink)
        self._sink.videoFrameChanged.connect(self._frame_came)
        self._frame: QtMultimedia.QVideoFrame | None = None
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self._convert)
        self._silence = QTimer(self, singleShot=True, interval=source.silence_ms)
        self._silence.timeout.connect(lambda: self.troubled.emit(CameraTrouble.SILENT, ""))
        source.failed.connect(self._failed)
        self._device: CameraDevice | None = None
        self._had_picture = False

    def start(self, device: CameraDevice) -> None:
        """Show the pictures of `device`."""
        self.stop()
        self._device = device
        self._silence.start()
        self._source.attach(self._session, device)

    def stop(self) -> None:
        """Let go of the camera, so that other programs can use it."""
        self._device, self._frame, self._had_picture = None, None, False
        self._silence.stop()
        self._pause.stop()
        self._source.detach()

    def _frame_came(self, frame: QtMultimedia.QVideoFrame) -> None:
        if self._device is None or not frame.isValid():
            return
        self._silence.start()
        self._frame = frame
        if not self._pause.isActive():
            self._convert()

    def _convert(self) -> None:
        frame, self._frame = self._frame, None
        if frame is None:
            return
        begun = time.monotonic()
        picture = frame.toImage()
        took_ms = (time.monotonic() - begun) * 1000
        self._pause.start(max(_LEAST_PAUSE_MS, round(took_ms * _PAUSES)))
        if not picture.isNull():
            self._had_picture = True
            self.pictured.emit(picture)

    def _failed(self, said: str) -> None:
        device, had_picture = self._device, self._had_picture
        if device is None:
            return
        self.stop()
        if device not in self._source.devices():
            self.troubled.emit(CameraTrouble.UNPLUGGED, said)
        else:
            self.troubled.emit(CameraTrouble.STOPPED if had_picture else CameraTrouble.NOT_STARTED, said)
