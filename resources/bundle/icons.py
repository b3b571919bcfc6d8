"""The icons of the program's menu entry, drawn from their SVG files."""

import os
from pathlib import Path
from typing import Final

from PySide6.QtCore import QRectF
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from app import resources

SIZES: Final = (16, 22, 24, 32, 48, 64, 128, 256, 512)
LARGEST_SMALL: Final = 32
"""Up to this size the icon has fewer details."""

DRAWING: Final = resources.ROOT / "icons" / "bahi.svg"
SMALL_DRAWING: Final = Path(__file__).parent / "linux" / "icon-small.svg"


def write_icons(theme: Path, name: str) -> list[Path]:
    """Draw the icon `name` in all sizes into the folder of an icon theme; return the files, also the SVG."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QGuiApplication.instance() or QGuiApplication([])
    written = [_draw(theme / f"{size}x{size}" / "apps" / f"{name}.png", size) for size in SIZES]
    scalable = theme / "scalable" / "apps" / f"{name}.svg"
    scalable.parent.mkdir(parents=True, exist_ok=True)
    scalable.write_bytes(DRAWING.read_bytes())
    del application
    return [*written, scalable]


def _draw(file: Path, size: int) -> Path:
    picture = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(0)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    drawing = SMALL_DRAWING if size <= LARGEST_SMALL else DRAWING
    QSvgRenderer(str(drawing)).render(painter, QRectF(0, 0, size, size))
    painter.end()
    file.parent.mkdir(parents=True, exist_ok=True)
    if not picture.save(str(file)):
        raise OSError(f"{file} could not be written.")
    return file
