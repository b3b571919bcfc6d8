"""What the dialog needs of cameras, so that tests can feed it pictures of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QMediaCaptureSession

_SILENCE_MS: Final = 5000


@dataclass(frozen=True, slots=True)
class CameraDevice:
    """A camera: `key` is the same each time that it is plugged in, `name` is shown."""

    key: str
    name: str


class CameraSource(QObject):
    """The cameras of a computer, of which one at a time is attached.

    `changed` is emitted when a camera was plugged in or unplugged. `failed` is emitted when the attached
    camera cannot be used, or no longer; it carries what the system said, for a tool tip. A camera that sends
    no picture for `silence_ms` is taken for broken.
    """

    changed = Signal()
    failed = Signal(str)
    silence_ms: int = _SILENCE_MS

    def ask_permission(self, answered: Callable[[bool], None]) -> None:
        """Ask the user if the system wants that; call `answered`, at once or later, with the answer."""
        raise NotImplementedError

    def devices(self) -> tuple[CameraDevice, ...]:
        """Return the cameras, the system's own choice first."""
        raise NotImplementedError

    def attach(self, session: "QMediaCaptureSession", device: CameraDevice) -> None:
        """Let `session` receive the pictures of `device`, in place of an earlier one."""
        raise NotImplementedError

    def detach(self) -> None:
        """Stop the camera. If none is attached, do nothing."""
        raise NotImplementedError
