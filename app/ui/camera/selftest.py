"""Checks that pictures get through the capture session, as `bahi --selftest` does. No camera is needed."""

import sys

from PySide6.QtCore import QCoreApplication, QEventLoop, QSize, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QImage

_SIZE = QSize(320, 240)
_COLOUR = QColor(51, 102, 153)
_TOLERANCE = 4
"""Of each colour channel: a frame may be stored as brightness and colour on its way."""
_PAUSE_MS = 20


def frames_arrive(seconds: float) -> bool:
    """Feed frames to a capture session; return whether one arrives, equal in size and colour, in time.

    It runs an event loop; if there is no application yet, it makes one. Raises ImportError if a library of
    the system is missing.
    """
    from app.ui.camera.backend import QtMultimedia

    application = QCoreApplication.instance() or QGuiApplication(sys.argv[:1])
    session, sink = QtMultimedia.QMediaCaptureSession(), QtMultimedia.QVideoSink()
    source, loop, timer = QtMultimedia.QVideoFrameInput(), QEventLoop(), QTimer(interval=_PAUSE_MS)
    session.setVideoSink(sink)
    session.setVideoFrameInput(source)
    picture = QImage(_SIZE, QImage.Format.Format_RGB32)
    picture.fill(_COLOUR)
    arrived: list[QImage] = []

    def take(frame: QtMultimedia.QVideoFrame) -> None:
        arrived.append(frame.toImage())
        loop.quit()

    sink.videoFrameChanged.connect(take)
    timer.timeout.connect(lambda: source.sendVideoFrame(QtMultimedia.QVideoFrame(picture)))
    QTimer.singleShot(round(seconds * 1000), loop, loop.quit)
    timer.start()
    loop.exec()
    timer.stop()
    session.setVideoFrameInput(None)  # type: ignore[arg-type] # the stubs forget None
    session.setVideoSink(None)  # type: ignore[arg-type]
    assert application is not None  # it lives at least as long as the session
    return bool(arrived) and _is_equal(arrived[-1])


def _is_equal(picture: QImage) -> bool:
    if picture.size() != _SIZE:
        return False
    found = picture.pixelColor(_SIZE.width() // 2, _SIZE.height() // 2)
    differences = (
        found.red() - _COLOUR.red(),
        found.green() - _COLOUR.green(),
        found.blue() - _COLOUR.blue(),
    )
    return all(abs(each) <= _TOLERANCE for each in differences)
