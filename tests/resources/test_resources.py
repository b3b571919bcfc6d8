"""What is bundled: icons, fonts with their licences, and the sample bills."""

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QFontDatabase, QRawFont
from PySide6.QtPdf import QPdfDocument
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from resources.samples.make import make
from server.contract.media import sniff

ROOT = Path(__file__).parents[2] / "resources"
ICONS = sorted((ROOT / "icons").glob("*.svg"))
FONTS = sorted([*(ROOT / "fonts").glob("*.otf"), *(ROOT / "fonts").glob("*.ttf")])


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


def test_the_samples_are_what_their_names_say(qapp: QApplication) -> None:
    samples = ROOT / "samples"
    kinds = {file.name: sniff(file.read_bytes()[:1024]) for file in samples.glob("*-*.*")}
    assert kinds == {
        "taxi-receipt.jpg": "image/jpeg",
        "stationery-bill.png": "image/png",
        "hotel-invoice.pdf": "application/pdf",
    }
    with Image.open(samples / "taxi-receipt.jpg") as photo:
        assert photo.getexif()[0x0112] == 6  # a viewer must turn it
    document, device = QPdfDocument(), QBuffer()
    device.setData((samples / "hotel-invoice.pdf").read_bytes())
    device.open(QIODevice.OpenModeFlag.ReadOnly)
    document.load(device)
    assert document.pageCount() == 2


def test_the_samples_are_made_by_the_script_beside_them(tmp_path: Path) -> None:
    make(tmp_path)
    for name in ("taxi-receipt.jpg", "stationery-bill.png"):
        # pixels, not bytes: another Pillow may compress the same picture differently
        with Image.open(tmp_path / name) as made, Image.open(ROOT / "samples" / name) as kept:
            assert made.size == kept.size
            ours, theirs = made.convert("RGB").resize((60, 60)), kept.convert("RGB").resize((60, 60))
            assert max(abs(a - b) for a, b in zip(ours.tobytes(), theirs.tobytes(), strict=True)) <= 4
    assert (tmp_path / "hotel-invoice.pdf").read_bytes().startswith(b"%PDF-")
