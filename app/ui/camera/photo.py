"""Makes a bill of a shot: cut out, straightened, and encoded without metadata.

Call `developed` in a task: a shot of 12 megapixels takes half a second.
"""

import time
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPointF, Qt
from PySide6.QtGui import QImage, QImageWriter, QPainter, QPolygonF, QTransform

from app.domain.bill_corners import find_bill
from app.domain.bounds import MAX_DOCUMENT_BYTES
from app.domain.quadrilateral import Quadrilateral, whole
from app.errors import InputError

_QUALITIES: Final = (90, 75, 60)
"""The first one is used, unless its file is too large for a bill."""
_STRIP: Final = 32
"""In rows. Qt holds the interpreter's lock while it draws, so a large picture is drawn in strips."""
THUMB: Final = 160
"""The longer side of the small picture, in pixels."""
_LOOK: Final = 160
"""The longer side of the picture in which a bill is looked for: it takes 20 ms."""
_NO_MEMORY: Final = "There is not enough memory for this picture. Please close other programs and try again."


@dataclass(frozen=True, slots=True)
class Photo:
    """The bytes of a JPEG file, and a small picture of it."""

    data: bytes
    thumb: QImage


def developed(shot: QImage, shape: Quadrilateral, most: int = MAX_DOCUMENT_BYTES) -> Photo:
    """Return the part `shape` of a shot as a rectangle. Raises InputError.

    The file has at most `most` bytes, unless even a coarse one is larger; the store refuses that.
    """
    picture = straightened(shot, shape)
    return Photo(_encoded(picture, most), smaller(picture, THUMB, THUMB))


def straightened(shot: QImage, shape: Quadrilateral) -> QImage:
    """Return the part `shape` of a shot as a new rectangular picture. Raises InputError."""
    width, height = shape.sides()
    made = QImage(width, height, QImage.Format.Format_RGB32)
    if made.isNull() or shot.isNull():
        raise InputError(_NO_MEMORY)
    transform = _transform(shape, whole((width, height)))
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    for top in range(0, height, _STRIP):
        painter.resetTransform()
        painter.setClipRect(0, top, width, _STRIP)
        painter.fillRect(0, top, width, _STRIP, Qt.GlobalColor.white)
        painter.setTransform(transform)
        painter.drawImage(0, 0, shot)
        time.sleep(0)  # lets a thread go on that waits for the lock
    painter.end()
    return made


def bill_in(shot: QImage) -> Quadrilateral | None:
    """Return the corners of the bill in a shot, in its pixels; None if it is not certain where it is."""
    small = smaller(shot, _LOOK, _LOOK).convertToFormat(QImage.Format.Format_Grayscale8)
    width, height, line = small.width(), small.height(), small.bytesPerLine()
    if small.isNull():
        return None
    padded = bytes(small.constBits())
    gray = b"".join(padded[line * y : line * y + width] for y in range(height))
    found = find_bill(gray, width, height)
    return found.scaled(shot.width() / width, shot.height() / height) if found else None


def smaller(picture: QImage, width: int, height: int) -> QImage:
    """Return `picture` so that it fits into `width` × `height` pixels; never larger than it is."""
    size = picture.size().scaled(width, height, Qt.AspectRatioMode.KeepAspectRatio)
    if size.width() >= picture.width():
        return picture
    # First quickly to twice the size: smooth scaling of a large picture takes too long for a live one.
    twice = picture.scaled(size * 2) if size.width() * 3 < picture.width() else picture
    return twice.scaled(
        size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )


def _transform(source: Quadrilateral, target: Quadrilateral) -> QTransform:
    made = QTransform()
    if not QTransform.quadToQuad(_polygon(source), _polygon(target), made):
        raise InputError("These corners are not those of a bill. Please drag them apart.")
    return made


def _polygon(shape: Quadrilateral) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in shape.corners])


def _encoded(picture: QImage, most: int) -> bytes:
    for quality in _QUALITIES:
        data = _jpeg(picture, quality)
        if len(data) <= most:
            break
    return data


def _jpeg(picture: QImage, quality: int) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"jpeg"))
    writer.setQuality(quality)
    if not writer.write(picture):
        raise InputError(_NO_MEMORY)
    return bytes(buffer.data().data())
