"""Bills as people have them, and as strangers may send them: long, filled in, cut off, or hostile."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

_FONT: Final = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
_WITH_FONT: Final = b"/Resources<</Font<</F 5 0 R>>>>"
RED: Final = b"1 0 0 rg"
BLUE: Final = b"0 0 1 rg"


# --- PDF ------------------------------------------------------------------------------------------


def write_pdf(path: Path, objects: list[bytes]) -> Path:
    """Write a PDF of `objects`, numbered from 1; the first is the catalog."""
    body, offsets = b"%PDF-1.6\n", []
    for number, text in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    path.write_bytes(body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer)
    return path


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


def _one_page(box: bytes, entries: bytes, catalog: bytes = b"") -> list[bytes]:
    return [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog,
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[%s]%s>>" % (box, entries),
    ]


def stamped_pdf(path: Path) -> Path:
    """Write an invoice of 300 by 150 points whose left half is covered by a red stamp, an annotation."""
    appearance = _stream(RED + b" 0 0 150 150 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 150 150]")
    stamp = b"<</Type/Annot/Subtype/Stamp/Rect[0 0 150 150]/F 4/AP<</N 7 0 R>>>>"
    page = _one_page(b"0 0 300 150", b"/Contents 4 0 R/Annots[6 0 R]" + _WITH_FONT)
    text = _stream(b"BT /F 12 Tf 180 100 Td (Invoice) Tj ET")
    return write_pdf(path, [*page, text, _FONT, stamp, appearance])


def filled_form_pdf(path: Path) -> Path:
    """Write a form of 300 by 150 points whose left half is a field for the amount, filled with blue."""
    appearance = _stream(
        b"/Tx BMC " + BLUE + b" 0 0 150 150 re f EMC", b"/Type/XObject/Subtype/Form/BBox[0 0 150 150]"
    )
    field = (
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(amount)/V(4,200)/F 4/Rect[0 0 150 150]/P 3 0 R"
        b"/DA(/F 12 Tf 0 g)/AP<</N 7 0 R>>>>"
    )
    catalog = b"/AcroForm<</Fields[6 0 R]/DA(/F 12 Tf 0 g)/DR<</Font<</F 5 0 R>>>>>>"
    page = _one_page(b"0 0 300 150", b"/Contents 4 0 R/Annots[6 0 R]" + _WITH_FONT, catalog)
    return write_pdf(path, [*page, _stream(b"BT /F 12 Tf 180 100 Td (Rs) Tj ET"), _FONT, field, appearance])


def till_roll_pdf(path: Path) -> Path:
    """Write a receipt of 80 mm by 2 m: 227 by 5669 points, a line of text each 10 points."""
    lines = b"".join(b"(%04d  Rice 1 kg   62.50) ' " % number for number in range(560))
    text = _stream(b"BT /F 9 Tf 10 TL 6 5660 Td " + lines + b"ET")
    return write_pdf(path, [*_one_page(b"0 0 227 5669", b"/Contents 4 0 R" + _WITH_FONT), text, _FONT])


def endless_page_pdf(path: Path) -> Path:
    """Write a PDF whose page is two thousand million points wide."""
    return write_pdf(path, _one_page(b"0 0 2000000000 150", b""))


def self_drawing_pdf(path: Path) -> Path:
    """Write a PDF with a form that draws itself three times, so that it is never finished."""
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 90 90]/Resources<</XObject<</S 5 0 R>>>>"
    page = _one_page(b"0 0 210 210", b"/Contents 4 0 R/Resources<</XObject<</S 5 0 R>>>>")
    return write_pdf(path, [*page, _stream(b"/S Do " * 3000), _stream(b"/S Do /S Do /S Do", form)])


def dense_pdf(path: Path) -> Path:
    """Write a drawing that is one path of 800,000 pieces."""
    curves = b"0 0 m " + b"3 2 l 9 7 120 90 205 200 c " * 400_000 + b"S"
    return write_pdf(path, [*_one_page(b"0 0 210 210", b"/Contents 4 0 R"), _stream(curves)])


# --- pictures -------------------------------------------------------------------------------------


def tall_screenshot(path: Path, height: int = 12_000) -> Path:
    """Write a screenshot of 1000 pixels width, a numbered line of text each 50 pixels."""
    made = Image.new("RGB", (1000, height), "white")
    pen = ImageDraw.Draw(made)
    for top in range(0, height, 50):
        pen.text((20, top), f"{top // 50:04d}  Paid to Sharma Stores  Rs {top}.50", "black", font_size=30)
    made.save(path)
    return path


def two_page_tiff(path: Path) -> Path:
    """Write a scan of two pages, the first red, the second blue."""
    first, second = Image.new("RGB", (200, 280), "red"), Image.new("RGB", (200, 280), "blue")
    first.save(path, save_all=True, append_images=[second], compression="tiff_lzw")
    return path


def sideways_webp(path: Path) -> Path:
    """Write a photo that was taken with the camera turned: stored 90 by 60, upright 60 by 90, its top red."""
    stored = Image.new("RGB", (90, 60), "white")
    stored.paste((255, 0, 0), (0, 0, 30, 60))
    exif = Image.Exif()
    exif[0x0112] = 6  # the left side of what is stored is the top
    stored.save(path, exif=exif, lossless=True)
    return path


def cut_off_jpeg(path: Path) -> Path:
    """Write a photo that ends in the middle, as after a broken download."""
    noisy_photo(path, 600, 800)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def photo_of_108_megapixels(path: Path) -> Path:
    """Write a photo of 12000 by 9000 pixels, as large phones take it, in one colour."""
    Image.new("RGB", (12_000, 9_000), (120, 160, 200)).save(path, quality=30)
    return path


def noisy_photo(path: Path, width: int, height: int, quality: int = 80) -> Path:
    """Write a photo whose every pixel differs from its neighbours."""
    Image.effect_noise((width, height), 90).convert("RGB").save(path, quality=quality)
    return path


def photo_of_25_mb(path: Path) -> Path:
    """Write a JPEG file of somewhat less than the most that a bill may have."""
    noisy_photo(path, 6_000, 4_500, quality=92)
    assert 20 * 1024 * 1024 < path.stat().st_size < 25 * 1024 * 1024, path.stat().st_size
    return path


HOSTILE: Final[dict[str, Callable[[Path], Path]]] = {
    "draws-itself.pdf": self_drawing_pdf,
    "dense.pdf": dense_pdf,
    "endless-page.pdf": endless_page_pdf,
}
"""What must not stop the program, by file name."""
