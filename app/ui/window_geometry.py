"""The geometry of the main window: a first one, or that of the last time, as far as a screen shows it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QMargins, QPoint, QRect, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

GEOMETRY_KEY: Final = "window_geometry"
"""The setting that stores the geometry of the window: `x y width height` and, if so, `maximized`."""
DETAILS_KEY: Final = "details_width"
"""The setting that stores the width of the details in the listing; 0 if it follows the window."""
LEAST_SIZE: Final = QSize(880, 480)
"""Of a window. Every view can be used at this size; what does not fit scrolls."""
_FRAME: Final = QMargins(4, 36, 4, 4)
"""Of a window, before the window manager has said how wide its frame is."""
_FIRST: Final = QSize(1440, 940)
_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class WindowGeometry:
    """The area of a window without its frame, in device-independent pixels, and whether it is maximized."""

    area: QRect
    maximized: bool = False

    @classmethod
    def of(cls, window: QMainWindow) -> "WindowGeometry":
        """Return the geometry of `window`. The area of a maximized window is the one it would go back to."""
        maximized = window.isMaximized() or window.isFullScreen()
        return cls(window.normalGeometry() if maximized else window.geometry(), maximized)

    def text(self) -> str:
        """Return the text that `read_geometry` reads."""
        numbers = f"{self.area.x()} {self.area.y()} {self.area.width()} {self.area.height()}"
        return f"{numbers} maximized" if self.maximized else numbers


def read_geometry(text: str) -> WindowGeometry | None:
    """Return the geometry in a text of `WindowGeometry.text`; None if it is not one."""
    words = text.split()
    try:
        x, y, width, height = (int(word) for word in words[:4])
    except ValueError:
        return None
    if min(width, height) <= 0 or max(abs(x), abs(y), width, height) > 100_000:
        return None
    return WindowGeometry(QRect(x, y, width, height), words[4:] == ["maximized"])


def read_width(text: str) -> int:
    """Return the width in a text of the setting `DETAILS_KEY`; 0 if it is not one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def fitted(wanted: QRect, screens: Sequence[QRect], frame: QMargins = _FRAME) -> QRect:
    """Return `wanted`, moved and made smaller until it lies with its frame on one of `screens`.

    `screens` are the areas that panels leave free, the main screen first. It is the screen that shows most of
    `wanted`, or the first one if none shows any of it.
    """
    best = max(screens, key=lambda screen: _shared(screen, wanted))
    room = best.marginsRemoved(frame)
    size = wanted.size().boundedTo(room.size())
    x = min(max(wanted.x(), room.x()), room.x() + room.width() - size.width())
    y = min(max(wanted.y(), room.y()), room.y() + room.height() - size.height())
    return QRect(QPoint(x, y), size)


def first_area(screen: QRect, frame: QMargins = _FRAME) -> QRect:
    """Return the area of a window that is opened for the first time: in the middle of `screen`."""
    room = screen.marginsRemoved(frame)
    share = QSize(int(room.width() * _SHARE), int(room.height() * _SHARE))
    size = share.boundedTo(_FIRST).expandedTo(QSize(1180, 760)).boundedTo(room.size())
    area = QRect(QPoint(0, 0), size)
    area.moveCenter(room.center())
    return area


def free_screens() -> list[QRect]:
    """Return the areas of the screens without panels, the main screen first."""
    first = QGuiApplication.primaryScreen()
    others = [screen for screen in QGuiApplication.screens() if screen is not first]
    return [screen.availableGeometry() for screen in (first, *others)]


def restore_geometry(window: QMainWindow, stored: str) -> None:
    """Give `window` the geometry in the text `stored`, or a first one. Call it before the window is shown."""
    screens = free_screens()
    geometry = read_geometry(stored)
    area = fitted(geometry.area, screens) if geometry is not None else first_area(screens[0])
    window.setMinimumSize(LEAST_SIZE.boundedTo(area.size()))
    window.setGeometry(area)
    if geometry is not None and geometry.maximized:
        window.setWindowState(window.windowState() | window.windowState().WindowMaximized)


def copy_geometry(window: QMainWindow, other: QMainWindow) -> None:
    """Put `window` where `other` is, before it is shown."""
    geometry = WindowGeometry.of(other)
    window.setMinimumSize(other.minimumSize())
    window.setGeometry(geometry.area)
    if geometry.maximized:
        window.setWindowState(window.windowState() | window.windowState().WindowMaximized)


def store_geometry(window: QMainWindow, keep: Callable[[str, str], None]) -> None:
    """Call `keep(GEOMETRY_KEY, text)` with the geometry of `window`."""
    keep(GEOMETRY_KEY, WindowGeometry.of(window).text())


def _shared(screen: QRect, area: QRect) -> int:
    both = screen.intersected(area)
    return both.width() * both.height() if both.isValid() else 0
