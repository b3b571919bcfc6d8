"""Draws a picture of a page at any size: quickly, and without losing thin lines when it is much smaller."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from app.ui.previews import PagePicture


class PageImage:
    """A picture and its halves. Bilinear drawing skips pixels below half size, so a half is drawn then."""

    def __init__(self, picture: PagePicture) -> None:
        self._picture = picture  # its QImage uses bytes that live as long as it does
        self._halves: list[QImage] = []

    def draw(self, painter: QPainter, target: QRectF, seen: QRectF, density: float) -> None:
        """Draw what lies in `seen` of the picture, which fills `target`.

        Both are in logical pixels, of which each has `density` physical ones.
        """
        shown = target & seen
        if shown.isEmpty():
            return
        image = self._level(target.width() * density)
        across, down = image.width() / target.width(), image.height() / target.height()
        source = QRectF(
            (shown.left() - target.left()) * across,
            (shown.top() - target.top()) * down,
            shown.width() * across,
            shown.height() * down,
        )
        painter.drawImage(shown, image, source)

    def _level(self, pixels: float) -> QImage:
        image, number = self._picture.image, 0
        while image.width() > 2 * pixels and min(image.width(), image.height()) > 1:
            if number == len(self._halves):
                self._halves.append(_half(image))
            image, number = self._halves[number], number + 1
        return image


def _half(image: QImage) -> QImage:
    return image.scaled(
        max(1, image.width() // 2),
        max(1, image.height() // 2),
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
