"""Pictures of the clipboard: the original bytes if there are any, else a PNG, or a JPEG for a large photo."""

import io
import os
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QColor, QFont, QImage, QPainter

from app.errors import InputError
from app.ui.pictures_offered import OfferedPicture, offered_picture, offers_picture
from app.ui.theme import load_fonts
from tests.support.drags import data_of

pytestmark = pytest.mark.usefixtures("qapp")  # text is painted

PNG, JPEG = b"\x89PNG", b"\xff\xd8\xff"
LARGE = 2 * 1024 * 1024


def noisy(width: int, height: int, kind: QImage.Format = QImage.Format.Format_RGB888) -> QImage:
    """Return a picture that no lossless format makes small, like a photo."""
    per_pixel = 4 if kind is not QImage.Format.Format_RGB888 else 3
    data = bytearray(os.urandom(width * height * per_pixel))
    if per_pixel == 4:
        data[3::4] = b"\xff" * (width * height)
    return QImage(bytes(data), width, height, width * per_pixel, kind).copy()


def flat(width: int, height: int, points: int = 11) -> QImage:
    """Return a page of dense text. Its font does not depend on what other tests loaded."""
    load_fonts()
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setFont(QFont("Inter", points))
    for line in range(20, height, 24):
        painter.drawText(20, line, "Total 1,234.50 and much more of a page of a web shop " * 4)
    painter.end()
    return image


def saved(image: Image.Image, kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize(
    "kind", [QImage.Format.Format_RGB888, QImage.Format.Format_RGBA8888, QImage.Format.Format_RGBX8888]
)
def test_a_large_photo_becomes_a_jpeg_of_good_quality(kind: QImage.Format) -> None:
    image = noisy(1600, 1200, kind)
    data = OfferedPicture(image=image).encoded()
    assert data.startswith(JPEG)
    shown = QImage.fromData(data)
    assert shown.size() == image.size()
    assert len(data) < 1600 * 1200 * 3


def test_a_smooth_photo_keeps_its_colours() -> None:
    image = QImage(2400, 1800, QImage.Format.Format_RGB32)
    small = noisy(120, 90)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(image.rect(), small)
    painter.end()
    data = OfferedPicture(image=image).encoded()
    assert data.startswith(JPEG)
    shown = QImage.fromData(data)
    for x, y in ((100, 100), (1200, 900), (2300, 1700)):
        one, other = image.pixelColor(x, y), shown.pixelColor(x, y)
        assert abs(one.red() - other.red()) + abs(one.green() - other.green()) < 24


@pytest.mark.parametrize("points", [9, 16])
@pytest.mark.parametrize("size", [(300, 200), (1920, 1080), (1080, 15_000), (1, 9000), (3840, 2160)])
def test_a_screenshot_becomes_a_png(size: tuple[int, int], points: int) -> None:
    image = flat(*size, points)
    data = OfferedPicture(image=image).encoded()
    assert data.startswith(PNG)
    assert QImage.fromData(data).convertToFormat(QImage.Format.Format_RGB32) == image


def test_a_small_photo_stays_a_png() -> None:
    assert OfferedPicture(image=noisy(400, 300)).encoded().startswith(PNG)


def test_a_large_picture_with_transparency_stays_a_png() -> None:
    image = noisy(1600, 1200, QImage.Format.Format_RGBA8888)
    image.setPixelColor(5, 5, QColor(0, 0, 0, 0))
    assert OfferedPicture(image=image).encoded().startswith(PNG)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_the_bytes_that_the_other_program_offers_are_stored_as_they_are(kind: str) -> None:
    original = saved(Image.effect_noise((200, 100), 40).convert("RGB"), kind)
    data = data_of({f"image/{kind}": original, "text/html": b"<img>"})
    assert offers_picture(data)
    found = offered_picture(data)
    assert found is not None
    assert found.encoded() == original


def test_of_the_formats_that_a_toolkit_converts_the_lossless_one_is_taken() -> None:
    picture = Image.effect_noise((200, 100), 40).convert("RGB")
    made = {f"image/{kind}": saved(picture, kind) for kind in ("jpeg", "bmp", "png", "tiff")}
    found = offered_picture(data_of(made))
    assert found is not None
    assert found.encoded() == made["image/png"]


def test_the_large_png_of_a_photo_becomes_a_jpeg() -> None:
    original = saved(Image.frombytes("RGB", (1200, 900), os.urandom(1200 * 900 * 3)), "png")
    assert len(original) > LARGE
    assert OfferedPicture(original).encoded().startswith(JPEG)


def test_a_picture_without_bytes_is_none_and_one_that_is_broken_is_refused() -> None:
    assert offered_picture(data_of({"image/png": b""})) is None
    assert offered_picture(QMimeData()) is None
    with pytest.raises(InputError):
        OfferedPicture(image=QImage()).encoded()
    with pytest.raises(InputError):
        OfferedPicture(PNG + bytes(3 * LARGE)).encoded()
