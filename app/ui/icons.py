"""Icons: SVG files drawn in the current theme's colours, sharp at any scale. `retint` redraws them."""

from functools import lru_cache
from typing import Final, TypeAlias

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QIcon, QIconEngine, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton, QWidget

from app import resources
from app.ui.theme import active

_NAME: Final = "iconName"
_TOKENS: Final = "iconTokens"
_SIZE: Final = "iconSide"
_GAP: Final = 5

Iconed: TypeAlias = QAbstractButton | QAction | QLabel


def pixmap(name: str, token: str, size: int = 18, scale: float = 1.0) -> QPixmap:
    """Return the icon `name` in the colour `token`. Its sides are `size` logical pixels long."""
    made = QPixmap.fromImage(_draw(name, str(getattr(active(), token)), round(size * scale)))
    made.setDevicePixelRatio(scale)
    return made


def icon(name: str, token: str, on_token: str = "", gap: int = 0) -> QIcon:
    """Return the icon of a button or action. It is drawn when it is first shown.

    `on_token` is its colour when checked. `gap` is the empty space on its right, in logical pixels.
    """
    return QIcon(_DrawnWhenShown(name, token, on_token or token, gap))


class _DrawnWhenShown(QIconEngine):
    """Draws an icon in the size, state and scale in which a widget is painted."""

    def __init__(self, name: str, token: str, on_token: str, gap: int) -> None:
        super().__init__()
        self._icon = (name, token, on_token, gap)

    def clone(self) -> QIconEngine:
        """Return a copy, which Qt asks for when an icon is changed."""
        return _DrawnWhenShown(*self._icon)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the icon in `rect`."""
        painter.drawPixmap(rect, self.scaledPixmap(rect.size(), mode, state, 1.0))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the icon, `size` pixels large."""
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        """Return the icon for a screen with `scale`. `size` is in the pixels of that screen."""
        name, off, on, gap = self._icon
        tint = on if state is QIcon.State.On else off
        if mode is QIcon.Mode.Disabled:
            tint = "disabled"
        side = min(size.width() - round(gap * scale), size.height())
        drawn = QPixmap.fromImage(_draw(name, str(getattr(active(), tint)), side))
        drawn.setDevicePixelRatio(scale)
        return _spaced(drawn, gap)


def put_icon(target: Iconed, name: str, tint: str = "text_muted", on_token: str = "", size: int = 18) -> None:
    """Set the icon of `target`, and store its parameters so that `retint` can redraw it."""
    target.setProperty(_NAME, name)
    target.setProperty(_TOKENS, f"{tint} {on_token}".strip())
    target.setProperty(_SIZE, size)
    _paint(target)


def retint(root: QWidget) -> None:
    """Redraw every icon below `root` in the current theme's colours."""
    targets: list[Iconed] = [
        *root.findChildren(QAbstractButton),
        *root.findChildren(QLabel),
        *root.findChildren(QAction),
    ]
    for target in targets:
        if target.property(_NAME):
            _paint(target)


def _paint(target: Iconed) -> None:
    name, size = str(target.property(_NAME)), int(target.property(_SIZE))
    tokens = str(target.property(_TOKENS)).split()
    if isinstance(target, QLabel):
        target.setPixmap(pixmap(name, tokens[0], size, target.devicePixelRatioF()))
        return
    gap = _GAP if isinstance(target, QPushButton) else 0  # its text may be set later
    target.setIcon(icon(name, tokens[0], tokens[1] if len(tokens) > 1 else "", gap))
    if isinstance(target, QPushButton):
        target.setIconSize(QSize(size + gap, size))


def _spaced(drawn: QPixmap, gap: int) -> QPixmap:
    """Return `drawn` with `gap` empty pixels on its right; Qt's own gap before the text is too small."""
    if not gap:
        return drawn
    scale = drawn.devicePixelRatio()
    wider = QPixmap(drawn.width() + round(gap * scale), drawn.height())
    wider.setDevicePixelRatio(scale)
    wider.fill(Qt.GlobalColor.transparent)
    painter = QPainter(wider)
    painter.drawPixmap(0, 0, drawn)
    painter.end()
    return wider


@lru_cache(maxsize=512)  # images instead of pixmaps: a pixmap must not outlive the application object
def _draw(name: str, colour: str, pixels: int) -> QImage:
    text = resources.icon_text(name).replace("currentColor", colour)
    renderer = QSvgRenderer(QByteArray(text.encode()))
    made = QImage(pixels, pixels, QImage.Format.Format_ARGB32_Premultiplied)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    renderer.render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    return made
