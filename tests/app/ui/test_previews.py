"""Pictures of bills: upright, within limits, and honest about broken files."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtGui import QColor, QPainter, QPdfWriter
from PySide6.QtWidgets import QApplication

from app import resources
from app.errors import InputError, OfflineError
from app.ui import previews
from tests.support.pictures import GREY, blank_png, overfull_png, wordy_png

SAMPLES = resources.ROOT / "samples"


@pytest.fixture(autouse=True)
def _application(qapp: QApplication) -> None:
    """Fonts and PDF need an application object."""


def test_a_photo_taken_sideways_is_turned_upright(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees to the right
    Image.new("RGB", (80, 40), "red").save(path, exif=exif)
    shown = previews.picture(path, "image/jpeg")
    assert (shown.image.width(), shown.image.height()) == (40, 80)


def test_a_large_photo_is_scaled_down(tmp_path: Path) -> None:
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
def test_a_damaged_file_is_refused(tmp_path: Path, kind: str) -> None:
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


def preview_in_a_process(path: Path, kind: str) -> tuple[str, int]:
    """Return what showing `path` says, and how many MB more the process held at its peak."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.app.ui.preview_memory", str(path), kind],
        capture_output=True,
        text=True,
        check=True,
    )
    said, more = done.stdout.split()
    return said, int(more)


def test_a_picture_of_300_megapixels_is_refused_without_using_memory(tmp_path: Path) -> None:
    path = blank_png(tmp_path / "site plan.png", 20_000, 15_000, GREY)
    said, more = preview_in_a_process(path, "image/png")
    assert said == "too_large"
    assert more < 20, f"{more} MB"


def test_a_decompression_bomb_uses_little_memory(tmp_path: Path) -> None:
    said, more = preview_in_a_process(overfull_png(tmp_path / "bomb.png", 1 << 30), "image/png")
    assert said in {"100x100", "damaged"}
    assert more < 50, f"{more} MB"


def test_a_compressed_comment_of_a_gigabyte_uses_little_memory(tmp_path: Path) -> None:
    said, more = preview_in_a_process(wordy_png(tmp_path / "wordy.png", 1 << 30), "image/png")
    assert said in {"100x100", "damaged"}
    assert more < 50, f"{more} MB"


def test_a_picture_with_a_high_bit_depth_is_refused_as_too_large(tmp_path: Path) -> None:
    path = blank_png(tmp_path / "scan.png", 9_900, 7_100)  # 70 megapixels of 4 bytes
    with pytest.raises(InputError, match="too large"):
        previews.picture(path, "image/png")


def test_a_heic_photo_is_shown_and_a_huge_one_is_refused_without_using_memory(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")  # writes HEIC; the program only reads it
    small, huge = tmp_path / "phone.heic", tmp_path / "huge.heic"
    pillow_heif.from_pillow(Image.new("RGB", (300, 200), "red")).save(small)
    shown = previews.picture(small, "image/heic").image
    assert (shown.width(), shown.height()) == (300, 200)
    assert shown.pixelColor(10, 10).red() > 240
    pillow_heif.from_pillow(Image.new("RGB", (64, 64), "red")).save(huge)
    huge.write_bytes(_claiming(huge.read_bytes(), 64, 20_000))
    said, more = preview_in_a_process(huge, "image/heic")
    assert said in {"too_large", "damaged"}
    assert more < 50, f"{more} MB"


def _claiming(heic: bytes, side: int, claimed: int) -> bytes:
    """Return the file with another size in its header (the `ispe` box)."""
    at = heic.index(b"ispe") + 8
    assert heic[at : at + 8] == side.to_bytes(4, "big") * 2
    return heic[:at] + claimed.to_bytes(4, "big") * 2 + heic[at + 8 :]


def locked_pdf(path: Path) -> Path:
    pikepdf = pytest.importorskip("pikepdf")
    with pikepdf.open(SAMPLES / "hotel-invoice.pdf") as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(owner="owner", user="user"))
    return path


def test_a_pdf_with_a_password_is_refused_with_that_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has a password") as told:
        previews.picture(locked_pdf(tmp_path / "statement.pdf"), "application/pdf")
    assert previews.attachment_note(told.value).startswith("has a password")


def test_half_a_pdf_is_refused_as_damaged(tmp_path: Path) -> None:
    whole = (SAMPLES / "hotel-invoice.pdf").read_bytes()
    (tmp_path / "half.pdf").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged") as told:
        previews.picture(tmp_path / "half.pdf", "application/pdf")
    assert previews.attachment_note(told.value).startswith("seems to be damaged")


def test_an_error_unrelated_to_the_file_gives_no_note() -> None:
    assert previews.attachment_note(OfflineError()) == ""
