"""The cameras of this computer."""

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QCameraPermission, QCoreApplication, QObject, Qt

from app.ui.camera.backend import QtMultimedia
from app.ui.camera.source import CameraDevice, CameraSource

_MOST_PIXELS: Final = 13_000_000
"""Of a frame: more would not make a bill easier to read, and each frame takes time."""
_LEAST_RATE: Final = 5.0
"""In frames per second: with fewer, the preview cannot be followed."""
_GRANTED: Final = Qt.PermissionStatus.Granted


class SystemCameras(CameraSource):
    """Finds cameras through Qt."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._list = QtMultimedia.QMediaDevices(self)
        self._list.videoInputsChanged.connect(self.changed)
        self._camera: QtMultimedia.QCamera | None = None
        self._session: QtMultimedia.QMediaCaptureSession | None = None

    def ask_permission(self, answered: Callable[[bool], None]) -> None:
        """Ask the user if the system wants that."""
        application, wanted = QCoreApplication.instance(), QCameraPermission()
        assert application is not None
        status = application.checkPermission(wanted)
        if status is Qt.PermissionStatus.Undetermined:
            application.requestPermission(
                wanted, self, lambda found: answered(_status_of(application, found) is _GRANTED)
            )
        else:
            answered(status is _GRANTED)

    def devices(self) -> tuple[CameraDevice, ...]:
        """Return the cameras, the system's own choice first."""
        found = [_device(each) for each in QtMultimedia.QMediaDevices.videoInputs()]
        first = _device(QtMultimedia.QMediaDevices.defaultVideoInput())
        return tuple(sorted(found, key=lambda each: each.key != first.key))

    def attach(self, session: QtMultimedia.QMediaCaptureSession, device: CameraDevice) -> None:
        """Let `session` receive the pictures of `device`, as large as is of use."""
        self.detach()
        inputs = QtMultimedia.QMediaDevices.videoInputs()
        chosen = next((each for each in inputs if _device(each) == device), None)
        if chosen is None:
            self.failed.emit("")
            return
        camera = QtMultimedia.QCamera(chosen, self)
        self._session, self._camera = session, camera
        formats = chosen.videoFormats()
        best = best_format([(_pixels(each), each.maxFrameRate()) for each in formats])
        if best is not None:
            camera.setCameraFormat(formats[best])
        session.setCamera(camera)
        camera.start()
        # Not by the first signal: an error can be there before the camera is started.
        camera.errorOccurred.connect(lambda _error, _text: self._check(camera))
        self._check(camera)

    def _check(self, camera: QtMultimedia.QCamera) -> None:
        if camera is self._camera and camera.error() is not QtMultimedia.QCamera.Error.NoError:
            self.failed.emit(camera.errorString())

    def detach(self) -> None:
        """Stop the camera."""
        camera, session, self._camera, self._session = self._camera, self._session, None, None
        if camera is not None and session is not None:
            camera.stop()
            session.setCamera(None)  # type: ignore[arg-type] # the stubs forget None
            camera.deleteLater()


def best_format(formats: Sequence[tuple[int, float]]) -> int | None:
    """Return the number of the format with the most pixels that are of use; of equal ones, the fastest.

    A format is its number of pixels and its frames per second. Return None if none fits; the camera then
    uses its own.
    """
    fit = [at for at, (pixels, rate) in enumerate(formats) if pixels <= _MOST_PIXELS and rate >= _LEAST_RATE]
    return max(fit, key=lambda at: formats[at], default=None)


def _pixels(each: QtMultimedia.QCameraFormat) -> int:
    return each.resolution().width() * each.resolution().height()


def _device(device: QtMultimedia.QCameraDevice) -> CameraDevice:
    key = bytes(device.id().data()).decode(errors="replace")
    return CameraDevice(key, device.description() or "Camera")


def _status_of(application: QCoreApplication, _permission: object) -> Qt.PermissionStatus:
    return application.checkPermission(QCameraPermission())
