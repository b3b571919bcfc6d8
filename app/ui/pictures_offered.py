"""A picture that a drag or the clipboard offers: read at once, made a file later.

`encoded` may take a second. Call it in a task, not on the GUI thread.
"""

from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData
from PySide6.QtGui import QImage, QImageReader, QImageWriter

from app.errors import InputError

PICTURE_NAME: Final = "Pasted picture"
"""Its extension is added when the kind of file is known."""
_LARGE: Final = 2 * 1024 * 1024
"""In bytes, as a PNG. A photo that would be larger is stored as a JPEG."""
_DENSE: Final = 0.7
"""In bytes of the PNG per pixel. Photos have 1 or more; dense text has at most 0.5, and stays sharp."""
_QUALITY: Final = 93
_STRIPS: Final = 12
_STRIP_ROWS: Final = 48  # more than a line of text
_ALLOCATION_MB: Final = 256
_PNG: Final = "image/png"
_ORIGINALS: Final = ("image/heic", "image/heif", "image/jpeg", "image/webp", _PNG, "image/gif", "image/tiff")
_CONVERTED: Final = "image/bmp"
"""A program that offers this one offers every format it can write, made from its pixels."""
_NO_PICTURE: Final = "What was pasted is not a picture that can be read."


@dataclass(frozen=True, slots=True)
class OfferedPicture:
    """The bytes of a file, or a picture that is not encoded yet."""

    data: bytes = b""
    image: QImage = field(default_factory=QImage)

    def encoded(self) -> bytes:
        """Return the bytes of the file to store. Raises InputError if they are no picture."""
        if not self.data:
            return _file_of(self.image)
        if not self.data.startswith(b"\x89PNG") or len(self.data) <= _LARGE:
            return self.data  # as it was offered
        image = _decoded(self.data)
        photo = len(self.data) > _DENSE * image.width() * image.height() and not _has_transparency(image)
        return _written(image, "jpeg") if photo else self.data


def offers_picture(data: QMimeData) -> bool:
    """Return whether `data` has a picture, without reading it."""
    return data.hasImage() or any(each in data.formats() for each in _ORIGINALS)


def offered_picture(data: QMimeData) -> OfferedPicture | None:
    """Read the picture; None if the other program does not deliver it."""
    formats = data.formats()
    originals = (_PNG,) if _CONVERTED in formats else _ORIGINALS
    for name in originals:
        if name in formats and (found := bytes(data.data(name).data())):
            return OfferedPicture(found)
    image = data.imageData() if data.hasImage() else None
    return OfferedPicture(image=image) if isinstance(image, QImage) and not image.isNull() else None


def _file_of(image: QImage) -> bytes:
    if _is_large_photo(image) and not _has_transparency(image):
        return _written(image, "jpeg")
    return _written(image, "png")


def _is_large_photo(image: QImage) -> bool:
    """Estimate the size of the PNG from some strips. Writing all of a photo takes seconds."""
    pixels = image.width() * image.height()
    if pixels * 4 <= _LARGE:
        return False
    height = min(_STRIP_ROWS, image.height())
    step = max(image.height() // _STRIPS, height)
    strips = [
        image.copy(0, top, image.width(), height) for top in range(0, image.height() - height + 1, step)
    ]
    size = sum(len(_written(strip, "png")) for strip in strips)
    density = size / (image.width() * height * len(strips))
    return density > _DENSE and density * pixels > _LARGE


def _has_transparency(image: QImage) -> bool:
    if not image.hasAlphaChannel():
        return False
    pixels = image.convertToFormat(QImage.Format.Format_RGBA8888)
    opacity = bytes(pixels.constBits())[3::4]
    return opacity.count(255) != len(opacity)


def _written(image: QImage, kind: str) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(kind.encode()))
    if kind == "jpeg":
        writer.setQuality(_QUALITY)
    if image.isNull() or not writer.write(image):
        raise InputError(_NO_PICTURE)
    return bytes(buffer.data().data())


def _decoded(data: bytes) -> QImage:
    QImageReader.setAllocationLimit(_ALLOCATION_MB)
    image = QImage.fromData(data)
    if image.isNull():
        raise InputError(_NO_PICTURE)
    return image
