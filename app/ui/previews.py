"""Pictures of bills: photos turned upright, PDF pages, HEIC. Run these in tasks, not on the GUI thread.

A bill is an untrusted file, so every decoder has a limit on memory. A damaged file raises InputError.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from app.errors import AppError, InputError
from app.ui.bounds import HEIC, PDF

_ALLOCATION_MB: Final = 256
_MAX_PIXELS: Final = 80_000_000
_MAX_EDGE: Final = 2600  # enough for zooming into a photo of a bill
_BROKEN: Final = "damaged"
_PROTECTED: Final = "locked"
_TOO_LARGE: Final = "too_large"
_SENTENCES: Final = {
    _BROKEN: "This file is damaged and cannot be shown. The original is kept as it is.",
    _PROTECTED: "This PDF has a password. Please open it in your system's viewer.",
    _TOO_LARGE: "This picture is too large to show here. The original is kept as it is.",
}
_NOTES: Final = {
    _BROKEN: "seems to be damaged. It is attached as it is.",
    _PROTECTED: "has a password. It is attached as it is.",
    _TOO_LARGE: "is too large to show here. It is attached as it is.",
}


@dataclass(frozen=True, slots=True)
class PagePicture:
    """One page of a document: its picture, its number from 0, and the number of pages."""

    image: QImage
    page: int
    pages: int


def picture(path: Path, media_type: str, page: int = 0, edge: int = _MAX_EDGE) -> PagePicture:
    """Return a page of a file; its longer side has at most `edge` pixels. Raises InputError.

    `page` counts from 0; a number out of range gives the nearest page.
    """
    if media_type == PDF:
        return _pdf_page(path, page, edge)
    if media_type == HEIC:
        return PagePicture(_fit(_heic(path), edge), 0, 1)
    return PagePicture(_image(path, edge), 0, 1)


def attachment_note(error: AppError) -> str:
    """Return the end of a sentence about a new bill that begins with its name, for an error of `picture`;
    "" if the file itself is not the reason."""
    return _NOTES.get(error.code, "")


def _image(path: Path, edge: int) -> QImage:
    QImageReader.setAllocationLimit(_ALLOCATION_MB)
    reader = QImageReader(str(path))
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    size = reader.size()  # read from the header, without decoding
    if size.isValid():
        _check_room(size, reader)
        reader.setScaledSize(_within(size, edge))
    image = reader.read()
    if image.isNull():
        raise _refusal(_BROKEN)
    return _fit(image, edge)


def _check_room(size: QSize, reader: QImageReader) -> None:
    pixels = size.width() * size.height()
    bits = QImage.toPixelFormat(reader.imageFormat()).bitsPerPixel() or 32
    whole = bytes(reader.format().data()) != b"jpeg"  # libjpeg scales down while it decodes
    if pixels > _MAX_PIXELS or (whole and pixels * bits // 8 > _ALLOCATION_MB * 1024 * 1024):
        raise _refusal(_TOO_LARGE)


def _heic(path: Path) -> QImage:
    import pi_heif  # imported late: it is a large library, and most bills are not HEIC

    try:
        photo = pi_heif.open_heif(str(path), convert_hdr_to_8bit=True)
        width, height = photo.size
        if width * height > _MAX_PIXELS:
            raise _refusal(_TOO_LARGE)
        alpha = photo.mode == "RGBA"
        kind = QImage.Format.Format_RGBA8888 if alpha else QImage.Format.Format_RGB888
        return QImage(bytes(photo.data), width, height, photo.stride, kind).copy()  # QImage borrows the bytes
    except (ValueError, OSError, RuntimeError, SyntaxError, EOFError) as error:
        raise _refusal(_BROKEN) from error


def _pdf_page(path: Path, page: int, edge: int) -> PagePicture:
    from PySide6.QtPdf import QPdfDocument  # imported late, when the first PDF is shown

    document = QPdfDocument()
    try:
        status = document.load(str(path))
        if status is QPdfDocument.Error.IncorrectPassword:
            raise _refusal(_PROTECTED)
        pages = document.pageCount()
        if status is not QPdfDocument.Error.None_ or pages < 1:
            raise _refusal(_BROKEN)
        shown = min(max(page, 0), pages - 1)
        points = document.pagePointSize(shown)
        whole = QSize(max(1, round(points.width())), max(1, round(points.height())))
        drawn = document.render(shown, whole.scaled(edge, edge, Qt.AspectRatioMode.KeepAspectRatio))
    finally:
        document.close()
    if drawn.isNull():
        raise _refusal(_BROKEN)
    return PagePicture(_on_white(drawn), shown, pages)  # the background of a PDF page is transparent


def _refusal(reason: str) -> InputError:
    return InputError(_SENTENCES[reason], code=reason)


def _on_white(image: QImage) -> QImage:
    from PySide6.QtGui import QPainter

    page = QImage(image.size(), QImage.Format.Format_RGB32)
    page.fill(Qt.GlobalColor.white)
    painter = QPainter(page)
    painter.drawImage(0, 0, image)
    painter.end()
    return page


def _within(size: QSize, edge: int) -> QSize:
    if max(size.width(), size.height()) <= edge:
        return size
    return size.scaled(edge, edge, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(1, 1))


def _fit(image: QImage, edge: int) -> QImage:
    size = _within(image.size(), edge)
    if size == image.size():
        return image
    return image.scaled(size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
