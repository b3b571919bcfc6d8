"""Pictures of bills: upright, within limits, and honest about broken files."""

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtGui import QColor, QImage, QPainter, QPdfWriter
from PySide6.QtWidgets import QApplication

from app.errors import InputError
from app.ui import previews


@pytest.fixture(autouse=True)
def _application(qapp: QApplication) -> None:
    """Fonts and PDF need an application object."""


def test_a_photo_taken_sideways_stands_upright(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees to the right
    Image.new("RGB", (80, 40), "red").save(path, exif=exif)
    shown = previews.picture(path, "image/jpeg")
    assert (shown.image.width(), shown.image.height()) == (40, 80)


def test_a_large_photo_is_made_smaller(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (4000, 1000), "white").save(path)
    shown = previews.picture(path, "image/png", edge=400)
    assert (shown.image.width(), shown.image.height()) == (400, 100)


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "TIFF", "PNG", "JPEG"])
def test_every_kind_of_picture_is_shown(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "no extension"
    Image.new("RGB", (30, 20), "blue").save(path, format=kind)
    assert previews.picture(path, f"image/{kind.lower()}").image.width() == 30


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/heic", "application/pdf"])
def test_a_broken_file_says_so(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "broken"
    path.write_bytes(b"\x89PNG\r\n\x1a\nnothing of the kind")
    with pytest.raises(InputError, match="damaged"):
        previews.picture(path, kind)


def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (10_000, 9_000)).save(path)
    with pytest.raises(InputError, match="too large"):
        previews.picture(path, "image/png")


def test_each_page_of_a_pdf_is_shown_on_white(tmp_path: Path) -> None:
    path = tmp_path / "two pages.pdf"
    writer = QPdfWriter(str(path))
    painter = QPainter(writer)
    writer.newPage()
    painter.fillRect(0, 0, 20_000, 20_000, QColor("red"))
    painter.end()
    first, second = (previews.picture(path, "application/pdf", page) for page in (0, 1))
    assert (first.page, first.pages, second.page) == (0, 2, 1)
    assert first.image.pixelColor(50, 50) == QColor("white")
    assert second.image.pixelColor(50, 50) == QColor("red")


def test_a_page_beyond_the_end_is_the_last_one(tmp_path: Path) -> None:
    path = tmp_path / "one page.pdf"
    writer = QPdfWriter(str(path))
    QPainter(writer).end()
    assert previews.picture(path, "application/pdf", 7).page == 0


def test_a_pasted_picture_becomes_a_png() -> None:
    image = QImage(10, 10, QImage.Format.Format_RGB32)
    image.fill(QColor("green"))
    assert previews.png_bytes(image).startswith(b"\x89PNG")
    with pytest.raises(InputError):
        previews.png_bytes(QImage())
