"""Draws a picture of a page at any size: quickly, and without losing thin lines when it is much smaller."""

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter

from app.domain.preview import Part
from app.ui.previews import PagePicture

_COARSE: Final = 1.25  # a small picture is stretched by up to this much


def head_of(picture: PagePicture, size: QSize, density: float) -> Part | None:
    """Return the part of the page to render instead of `picture`, if that is too coarse for a frame.

    The frame has `size` logical pixels, each of `density` physical ones, and shows the head of the page: a
    bill is recognized by it.
    """
    page = picture.size
    width, height = round(size.width() * density), round(size.height() * density)
    scale = min(max(width / page.width, height / page.height), 1.0)
    if picture.scale * _COARSE >= scale:
        return None
    left = max(0, round(page.width * scale) - width) // 2
    return Part(
        scale, left, 0, min(width, round(page.width * scale)), min(height, round(page.height * scale))
    )


class PageImage:
    """A picture and its halves. Bilinear drawing skips pixels below half size, so a half is drawn then."""

    def __init__(self, picture: PagePicture) -> None:
        self._picture = picture  # its QImage uses bytes that live as long as it does
        self._halves: list[QImage] = []

    @property
    def byte_size(self) -> int:
        """Return the size of the picture and its halves in memory."""
        return sum(image.sizeInBytes() for image in (self._picture.image, *self._halves))

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

    def draw_head(self, painter: QPainter, frame: QRectF, density: float) -> None:
        """Draw the picture over the whole frame, from its top."""
        size = self._picture.image.size().scaled(
            frame.size().toSize(), Qt.AspectRatioMode.KeepAspectRatioByExpanding
        )
        left = frame.left() + (frame.width() - size.width()) // 2
        self.draw(painter, QRectF(left, frame.top(), size.width(), size.height()), frame, density)

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
