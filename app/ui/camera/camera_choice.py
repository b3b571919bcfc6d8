"""The button that chooses one of several cameras."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QPushButton

from app.domain.file_names import shown_name
from app.ui.camera.source import CameraDevice
from app.ui.icons import put_icon

_LONGEST = 40


class CameraChoice(QPushButton):
    """Shows the camera that is used, and the others in a menu. `picked` carries a CameraDevice.

    With fewer than two cameras there is nothing to choose, and it is hidden.
    """

    picked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("camera_choice")
        self.setProperty("role", "chip")
        self.setAutoDefault(False)
        put_icon(self, "chevron-down")
        self._menu = QMenu(self)
        self._menu.setObjectName("camera_menu")
        self.setMenu(self._menu)
        self.hide()

    def show_devices(self, devices: Sequence[CameraDevice], used: CameraDevice | None) -> None:
        """Show these cameras."""
        self._menu.clear()
        for device in devices:
            action = self._menu.addAction(_name(device).replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(device == used)
            action.triggered.connect(partial(self._pick, device))
        self.setText(_name(used).replace("&", "&&") if used is not None else "Choose a camera")
        self.setAccessibleName(f"Camera: {self.text()}")
        self.setToolTip("Choose another camera")
        self.setVisible(len(devices) > 1)

    def _pick(self, device: CameraDevice, _checked: bool = False) -> None:
        self.picked.emit(device)


def _name(device: CameraDevice) -> str:
    return shown_name(device.name[:_LONGEST])
