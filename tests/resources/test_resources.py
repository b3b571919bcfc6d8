"""What is bundled: icons, fonts with their licences, and the sample bills."""

from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QFontDatabase, QImage, QPainter, QRawFont
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from resources.samples.make import make
from server.contract.media import sniff

ROOT = Path(__file__).parents[2] / "resources"
ICONS = sorted((ROOT / "icons").glob("*.svg"))
FONTS = sorted([*(ROOT / "fonts").glob("*.otf"), *(ROOT / "fonts").glob("*.ttf")])
NAMES = [
    "wallet",
    "plus-circle",
    "list",
    "plus",
    "download",
    "upload",
    "search",
    "paperclip",
    "folder-open",
    "check",
    "check-double",
    "check-filled",
    "clock",
    "alert",
    "x",
    "x-circle",
    "trash",
    "arrow-up-right",
    "arrow-down-left",
    "chevron-left",
    "chevron-right",
    "chevron-down",
    "chevron-up",
    "zoom-in",
    "zoom-out",
    "external",
    "save",
    "eye",
    "eye-off",
    "sun",
    "moon",
    "monitor",
    "calendar",
    "log-out",
    "refresh",
    "file-pdf",
    "image",
    "info",
    "camera",
    "edit",
    "undo",
    "history",
    "turn-left",
    "turn-right",
    "fit-page",
    "fit-width",
    "bahi",
]
INTER = [font for font in FONTS if font.stem.startswith("Inter-")]
MAX_SAMPLE_BYTES = 600_000
ONE_DIGIT = 24  # grey levels; a changed digit differs by more, another decoder's rounding by less


def _pages(file: Path) -> list[bytes]:
    """Return each page of the PDF as grey pixels, 310x438."""
    with pypdfium2.PdfDocument(file) as document:
        drawn = [page.render(scale=1).to_pil() for page in document]
    return [page.convert("L").resize((310, 438)).tobytes() for page in drawn]


def _thumbnail(image: QImage, size: tuple[int, int]) -> bytes:
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    picture = Image.frombytes(
        "L", (grey.width(), grey.height()), bytes(grey.constBits()), "raw", "L", grey.bytesPerLine()
    )
    return picture.resize(size).tobytes()


def _furthest(ours: bytes, theirs: bytes) -> int:
    """Return the greatest difference of two pixels, 0-255."""
    return max(abs(a - b) for a, b in zip(ours, theirs, strict=True))


def test_every_icon_the_windows_ask_for_is_there() -> None:
    assert set(NAMES) <= {icon.stem for icon in ICONS}


def test_the_picture_of_the_app_icon_shows_its_drawing(qapp: QApplication) -> None:
    drawn = QImage(256, 256, QImage.Format.Format_ARGB32)
    drawn.fill(0)
    painter = QPainter(drawn)
    QSvgRenderer(str(ROOT / "icons" / "bahi.svg")).render(painter)
    painter.end()
    kept = QImage(str(ROOT / "icons" / "bahi-256.png"))
    assert kept.size() == drawn.size()
    assert _furthest(_thumbnail(kept, (64, 64)), _thumbnail(drawn, (64, 64))) <= 4


@pytest.mark.parametrize("icon", ICONS, ids=lambda path: path.stem)
def test_every_icon_can_be_drawn_and_takes_the_colour_of_its_place(qapp: QApplication, icon: Path) -> None:
    text = icon.read_text(encoding="utf-8")
    assert QSvgRenderer(QByteArray(text.encode())).isValid()
    assert icon.stem == "bahi" or "currentColor" in text


@pytest.mark.parametrize("file", FONTS, ids=lambda path: path.stem)
def test_every_font_loads_and_has_its_licence_beside_it(qapp: QApplication, file: Path) -> None:
    assert QFontDatabase.addApplicationFont(str(file)) >= 0
    licence = file.with_name(file.stem.split("-")[0] + "-LICENSE.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "Copyright" in licence


def test_the_text_font_has_the_rupee_sign_and_the_other_one_devanagari(qapp: QApplication) -> None:
    assert QRawFont(str(ROOT / "fonts" / "Inter-Regular.otf"), 16).supportsCharacter(ord("₹"))
    devanagari = QRawFont(str(ROOT / "fonts" / "NotoSansDevanagari-Regular.ttf"), 16)
    assert devanagari.supportsCharacter(ord("क"))


@pytest.mark.parametrize("file", INTER, ids=lambda path: path.stem)
def test_the_text_font_can_set_all_digits_equally_wide(qapp: QApplication, file: Path) -> None:
    face = QRawFont(str(file), 16)
    assert b"tnum" in face.fontTable("GSUB").data()
    assert face.supportsCharacter(ord("₹"))


def test_the_samples_are_small_enough_to_carry_along() -> None:
    sizes = {file.name: file.stat().st_size for file in (ROOT / "samples").glob("*-*.*")}
    assert len(sizes) == 3
    assert max(sizes.values()) < MAX_SAMPLE_BYTES


def test_the_samples_are_what_their_names_say() -> None:
    samples = ROOT / "samples"
    kinds = {file.name: sniff(file.read_bytes()[:1024]) for file in samples.glob("*-*.*")}
    assert kinds == {
        "taxi-receipt.jpg": "image/jpeg",
        "stationery-bill.png": "image/png",
        "hotel-invoice.pdf": "application/pdf",
    }
    with Image.open(samples / "taxi-receipt.jpg") as photo:
        assert photo.getexif()[0x0112] == 6  # a viewer must turn it
    with pypdfium2.PdfDocument(samples / "hotel-invoice.pdf") as document:
        assert len(document) == 2


def test_the_samples_are_made_by_the_script_beside_them(tmp_path: Path) -> None:
    make(tmp_path)
    for name in ("taxi-receipt.jpg", "stationery-bill.png"):
        # pixels, not bytes: another Pillow may compress the same picture differently
        with Image.open(tmp_path / name) as made, Image.open(ROOT / "samples" / name) as kept:
            assert made.size == kept.size
            ours, theirs = (picture.convert("L").reduce(2).tobytes() for picture in (made, kept))
            assert _furthest(ours, theirs) <= ONE_DIGIT
    made_pages, kept_pages = (_pages(folder / "hotel-invoice.pdf") for folder in (tmp_path, ROOT / "samples"))
    assert len(made_pages) == len(kept_pages) == 2
    assert max(map(_furthest, made_pages, kept_pages)) <= ONE_DIGIT


def test_the_script_makes_the_same_bytes_each_time(tmp_path: Path) -> None:
    runs = [tmp_path / "first", tmp_path / "second"]
    for folder in runs:
        folder.mkdir()
        make(folder)
    first, second = ({file.name: file.read_bytes() for file in folder.iterdir()} for folder in runs)
    assert first == second
