"""The line from a camera to the dialog: which camera, whether it may be used, and what goes wrong with it."""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from app.errors import AppError
from app.ui.camera.source import CameraDevice, CameraSource
from app.ui.camera.trouble import CameraTrouble

if TYPE_CHECKING:
    from app.services import Services
    from app.ui.camera.feed import CameraFeed

CAMERA_KEY: Final = "camera"
"""The setting that stores the `key` of the camera that was chosen last."""


class CameraLine(QObject):
    """Opens a camera, and starts it again when it comes back.

    `opened` is emitted when a camera is being started. `pictured` carries its picture in full size, a QImage.
    `troubled` carries what the system said about the new `trouble`. `listed` is emitted when the list of
    cameras is another one.
    """

    opened = Signal()
    pictured = Signal(QImage)
    troubled = Signal(str)
    listed = Signal()

    def __init__(
        self, make_source: Callable[[], CameraSource], services: "Services", parent: QObject
    ) -> None:
        super().__init__(parent)
        self._make_source = make_source
        self._services = services
        self._source: CameraSource | None = None
        self._feed: CameraFeed | None = None
        self.device: CameraDevice | None = None
        self.trouble: CameraTrouble | None = None

    def devices(self) -> tuple[CameraDevice, ...]:
        """Return the cameras that are plugged in."""
        return self._source.devices() if self._source is not None else ()

    def open(self) -> None:
        """Load what is needed for cameras, and start one. Also begins again after a trouble."""
        if self._source is not None:
            self._source.ask_permission(self._permitted)
            return
        try:
            from app.ui.camera.feed import CameraFeed

            source = self._make_source()
        except ImportError as error:  # of a library of the system
            self._tell(CameraTrouble.NO_LIBRARY, str(error))
            return
        self._source, self._feed = source, CameraFeed(source, self)
        self._feed.pictured.connect(self._pictured)
        self._feed.troubled.connect(self._tell)
        source.changed.connect(self._devices_changed)
        # The list of cameras is read for the first time, which takes a moment too.
        QTimer.singleShot(0, self, self.open)

    def pick(self, device: CameraDevice) -> None:
        """Use `device` from now on, also the next time."""
        with contextlib.suppress(AppError):  # the choice is only not remembered
            self._services.settings.set(CAMERA_KEY, device.key)
        self._start(device)

    def close(self) -> None:
        """Let go of the camera."""
        if self._feed is not None:
            self._feed.stop()

    def _permitted(self, allowed: bool) -> None:
        device = self._chosen() if allowed else None
        if device is not None:
            self._start(device)
        else:
            self._tell(CameraTrouble.NO_CAMERA if allowed else CameraTrouble.NOT_ALLOWED, "")

    def _chosen(self) -> CameraDevice | None:
        """Return the camera that was chosen last, if it is there, or else the first one."""
        devices, key = self.devices(), ""
        with contextlib.suppress(AppError):
            key = self._services.settings.get(CAMERA_KEY)
        return next((each for each in devices if each.key == key), next(iter(devices), None))

    def _start(self, device: CameraDevice) -> None:
        assert self._feed is not None
        self.device, self.trouble = device, None
        self.opened.emit()
        self._feed.start(device)

    def _pictured(self, picture: QImage) -> None:
        self.trouble = None  # a camera that was silent sends pictures again
        self.pictured.emit(picture)

    def _tell(self, trouble: CameraTrouble, said: str) -> None:
        self.trouble = trouble
        self.troubled.emit(said)

    def _devices_changed(self) -> None:
        self.listed.emit()
        devices = self.devices()
        if self.trouble is CameraTrouble.NO_CAMERA and devices:
            self.open()
        elif self.device is None:
            return
        elif self.device not in devices:
            self.close()
            self._tell(CameraTrouble.UNPLUGGED, "")
        elif self.trouble is CameraTrouble.UNPLUGGED:
            self._start(self.device)
