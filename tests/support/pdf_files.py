"""PDF bills as shops, offices and people make them. Each maker writes a file."""

import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import pikepdf
from PIL import Image

from tests.support.picture_files import receipt
from tests.support.previewing import drawing_pdf

PdfMaker = Callable[[Path], object]

_INK: Final = (
    b"0.2 0.5 0.3 rg 10 120 80 60 re f 0.8 0.1 0.1 rg 60 20 120 40 re f "
    b"0 g BT /F1 18 Tf 20 90 Td (TOTAL 1,234.50) Tj ET 4 w 0 0 1 RG 10 10 m 190 190 l S"
)
_page: Final = partial(drawing_pdf, content=_INK, width=200, height=200)


def stream(content: bytes, extra: bytes = b"") -> bytes:
    """Return a stream object; `extra` is added to its dictionary."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), extra, content)


def _appearance(content: bytes, width: int, height: int) -> bytes:
    fonts = b"/Resources << /Font << /F1 4 0 R >> >>"
    return stream(content, b"/Type /XObject /Subtype /Form /BBox [0 0 %d %d] %s" % (width, height, fonts))


def _text_field(path: Path) -> None:
    field = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (amount) /V (98765.00) /F 4 /Rect [20 130 180 180]"
        b" /DA (/F1 24 Tf 0 g) /AP << /N 101 0 R >> >>"
    )
    look = _appearance(b"0.9 0.9 0.5 rg 0 0 160 50 re f 0 g BT /F1 24 Tf 5 15 Td (98765.00) Tj ET", 160, 50)
    _with_fields(path, {100: field, 101: look}, "100 0 R")


def _field_without_look(path: Path) -> None:
    """A field as a program fills it in that leaves the drawing to the viewer."""
    field = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (amount) /V (98765.00) /F 4 /Rect [20 20 180 180]"
        b" /DA (/F1 24 Tf 0 g) /MK << /BG [0.9 0.7 0.3] >> >>"
    )
    _with_fields(path, {100: field}, "100 0 R", anew=True)


def _field_with_an_old_look(path: Path) -> None:
    """A field that was filled in anew: its value is right, its look is not."""
    field = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (amount) /V (NEW) /F 4 /Rect [20 20 180 180]"
        b" /DA (/F1 24 Tf 0 g) /MK << /BG [0.9 0.7 0.3] >> /AP << /N 101 0 R >> >>"
    )
    look = _appearance(b"0 g 0 0 160 160 re f", 160, 160)
    _with_fields(path, {100: field, 101: look}, "100 0 R", anew=True)


def _check_box(path: Path) -> None:
    box = (
        b"<< /Type /Annot /Subtype /Widget /FT /Btn /T (paid) /V /Yes /AS /Yes /F 4 /Rect [20 20 120 120]"
        b" /AP << /N << /Yes 101 0 R /Off 102 0 R >> >> >>"
    )
    yes = _appearance(b"0 0.4 0 rg 10 10 80 80 re f 1 g 30 30 40 40 re f", 100, 100)
    off = _appearance(b"0 G 2 w 1 1 98 98 re S", 100, 100)
    _with_fields(path, {100: box, 101: yes, 102: off}, "100 0 R")


def _with_fields(path: Path, objects: dict[int, bytes], fields: str, *, anew: bool = False) -> None:
    form = f"/AcroForm << /Fields [{fields}] /DR << /Font << /F1 4 0 R >> >> /DA (/F1 0 Tf 0 g)"
    form += " /NeedAppearances true >>" if anew else " >>"
    drawing_pdf(
        path,
        b"",
        width=200,
        height=200,
        objects=objects,
        page_extra=f"/Annots [{fields}]",
        catalog_extra=form,
    )


def _stamp(path: Path) -> None:
    stamp = b"<< /Type /Annot /Subtype /Stamp /F 4 /Rect [20 60 180 140] /AP << /N 101 0 R >> >>"
    look = _appearance(b"0.8 0 0 rg 0 0 160 80 re f 1 g BT /F1 40 Tf 20 25 Td (PAID) Tj ET", 160, 80)
    _page(path, page_extra="/Annots [100 0 R]", objects={100: stamp, 101: look})


def _marks(path: Path) -> None:
    """A text over the page, a square and a drawing by hand, with their looks."""
    kinds = (
        b"/Subtype /FreeText /DA (/F1 12 Tf)",
        b"/Subtype /Square",
        b"/Subtype /Ink",
    )
    rects = (b"[10 85 190 110]", b"[110 110 190 190]", b"[10 10 60 60]")
    looks = (
        b"1 1 0 rg 0 0 180 25 re f",
        b"1 0 1 RG 6 w 3 3 74 74 re S",
        b"0 0.5 1 RG 5 w 5 5 m 45 45 l S",
    )
    sizes = ((180, 25), (80, 80), (50, 50))
    objects = dict[int, bytes]()
    for number, (kind, rect, look, size) in enumerate(zip(kinds, rects, looks, sizes, strict=True)):
        objects[100 + number] = b"<< /Type /Annot %s /F 4 /Rect %s /InkList [] /AP << /N %d 0 R >> >>" % (
            kind,
            rect,
            110 + number,
        )
        objects[110 + number] = _appearance(look, *size)
    _page(path, page_extra="/Annots [100 0 R 101 0 R 102 0 R]", objects=objects)


def _annotation(path: Path, kind: bytes, look: bytes = b"") -> None:
    """An annotation that has no look of its own, unless `look` gives one of 160 x 80."""
    appearance = b"/AP << /N 101 0 R >>" if look else b""
    objects = {100: b"<< /Type /Annot %s %s >>" % (kind, appearance), 101: _appearance(look, 160, 80)}
    _page(path, page_extra="/Annots [100 0 R]", objects=objects)


def _jpeg_2000(path: Path) -> None:
    receipt().save(path, "JPEG2000")
    _drawn_image(path, path.read_bytes(), b"/Width 144 /Height 96 /Filter /JPXDecode")


def _soft_mask(path: Path) -> None:
    """A picture that fades out."""
    size = b"/Width 144 /Height 96 /BitsPerComponent 8 /Filter /FlateDecode"
    mask = zlib.compress(Image.linear_gradient("L").resize((144, 96)).tobytes())
    masks = {101: stream(mask, size + b" /Type /XObject /Subtype /Image /ColorSpace /DeviceGray")}
    picture = zlib.compress(receipt().tobytes())
    _drawn_image(path, picture, size + b" /ColorSpace /DeviceRGB /SMask 101 0 R", masks)


def _drawn_image(path: Path, data: bytes, extra: bytes, more: dict[int, bytes] | None = None) -> None:
    image = stream(data, b"/Type /XObject /Subtype /Image " + extra)
    drawing_pdf(
        path,
        b"0 0 1 rg 0 0 200 30 re f q 180 0 0 120 10 40 cm /I Do Q",
        width=200,
        height=200,
        page_extra="/Resources << /XObject << /I 100 0 R >> >>",
        objects={100: image, **(more or {})},
    )


def _image(path: Path, mode: str, space: str, *, jpeg: bool = False) -> None:
    picture = receipt().convert(mode)
    if jpeg:
        picture.save(path, "JPEG", quality=95)
        data, coding = path.read_bytes(), "/DCTDecode"
        space += " /Decode [1 0 1 0 1 0 1 0]" if mode == "CMYK" else ""  # Adobe's JPEGs are inverted
    else:
        data, coding = zlib.compress(picture.tobytes()), "/FlateDecode"
    bits = 1 if mode == "1" else 8
    extra = (
        f"/Type /XObject /Subtype /Image /Width {picture.width} /Height {picture.height}"
        f" /BitsPerComponent {bits} /ColorSpace {space} /Filter {coding}"
    )
    drawing_pdf(
        path,
        b"q 180 0 0 120 10 40 cm /I Do Q",
        width=200,
        height=200,
        page_extra="/Resources << /XObject << /I 100 0 R >> >>",
        objects={100: stream(data, extra.encode())},
    )


def _shading(path: Path) -> None:
    shade = (
        "/Resources << /Shading << /S << /ShadingType 2 /ColorSpace /DeviceRGB /Coords [0 0 200 200]"
        " /Function << /FunctionType 2 /Domain [0 1] /C0 [1 0 0] /C1 [0 0 1] /N 1 >>"
        " /Extend [true true] >> >> >>"
    )
    drawing_pdf(path, b"/S sh", width=200, height=200, page_extra=shade)


def _transparency(path: Path) -> None:
    look = "/Resources << /ExtGState << /G << /ca 0.5 >> >> >>"
    content = b"1 0 0 rg 20 20 120 120 re f /G gs 0 0 1 rg 60 60 120 120 re f"
    drawing_pdf(path, content, width=200, height=200, page_extra=look)


def _saved(path: Path, **options: Any) -> None:
    _page(path)
    with pikepdf.Pdf.open(path, allow_overwriting_input=True) as document:
        document.save(path, **options)


def locked(path: Path, *, user: str = "secret") -> None:
    """Write a PDF with the passwords `owner` and `user`; if `user` is "", anybody may open it."""
    _saved(path, encryption=pikepdf.Encryption(owner="owner", user=user))


PDFS: Final[dict[str, PdfMaker]] = {
    "plain": _page,
    "text field": _text_field,
    "check box": _check_box,
    "stamp": _stamp,
    "field without a look": _field_without_look,
    "field with an old look": _field_with_an_old_look,
    "marks": _marks,
    "highlight": partial(
        _annotation,
        kind=b"/Subtype /Highlight /C [1 1 0] /F 4 /Rect [10 85 190 110]"
        b" /QuadPoints [10 110 190 110 10 85 190 85]",
    ),
    "square": partial(
        _annotation,
        kind=b"/Subtype /Square /C [1 0 1] /IC [0 1 1] /BS << /W 6 >> /F 4 /Rect [110 110 190 190]",
    ),
    "hidden stamp": partial(
        _annotation, kind=b"/Subtype /Stamp /F 2 /Rect [20 60 180 140]", look=b"0.8 0 0 rg 0 0 160 80 re f"
    ),
    "password of the owner": partial(locked, user=""),
    **{f"rotated {turn}": partial(_page, page_extra=f"/Rotate {turn}") for turn in (90, 180, 270, -90)},
    "crop box": partial(_page, page_extra="/CropBox [50 10 180 150]"),
    "crop box turned": partial(_page, page_extra="/CropBox [50 10 180 150] /Rotate 90"),
    "crop box beyond the page": partial(_page, page_extra="/CropBox [-50 100 400 400]"),
    "negative origin": partial(
        drawing_pdf,
        content=b"0.5 g -90 -60 100 90 re f",
        page_extra="/CropBox [-100 -80 80 70] /MediaBox [-100 -80 80 70]",
    ),
    "corners exchanged": partial(_page, page_extra="/CropBox [180 150 50 10]"),
    "user unit": partial(_page, page_extra="/UserUnit 2.5"),
    "image": partial(_image, mode="RGB", space="/DeviceRGB"),
    "image gray": partial(_image, mode="L", space="/DeviceGray"),
    "image one bit": partial(_image, mode="1", space="/DeviceGray"),
    "image jpeg": partial(_image, mode="RGB", space="/DeviceRGB", jpeg=True),
    "image cmyk": partial(_image, mode="CMYK", space="/DeviceCMYK"),
    "image cmyk jpeg": partial(_image, mode="CMYK", space="/DeviceCMYK", jpeg=True),
    "image jpeg 2000": _jpeg_2000,
    "image that fades": _soft_mask,
    "shading": _shading,
    "transparency": _transparency,
    "object streams": partial(_saved, object_stream_mode=pikepdf.ObjectStreamMode.generate),
}
