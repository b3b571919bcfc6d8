"""Pictures as phones, scanners and shops make them, each with what a person must see of it.

A maker writes a file and returns the picture that it shows: upright, RGB, on white.
"""

import struct
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Final

import pillow_heif
from PIL import Image, ImageDraw

Maker = Callable[[Path], Image.Image]
_ORIENTATION: Final = 0x0112
_INVERSE: Final = {  # of the turn that a viewer makes
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def receipt() -> Image.Image:
    """Return a picture of 144 x 96 without any symmetry: colours, a gradient, lines."""
    return _receipt().copy()  # Pillow notes in a picture how it was saved last


@cache
def _receipt() -> Image.Image:
    picture = Image.linear_gradient("L").resize((144, 96)).convert("RGB")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 40, 30), fill=(200, 40, 30))
    pen.rectangle((100, 0, 143, 20), fill=(30, 60, 190))
    pen.ellipse((90, 40, 130, 90), fill=(40, 160, 70))
    for line in range(40, 90, 12):
        pen.line((8, line, 70, line), fill=(10, 10, 10), width=3)
    return picture


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    return exif.tobytes()


def _turned(kind: str, orientation: int, path: Path) -> Image.Image:
    inverse = _INVERSE[orientation]
    stored = receipt() if inverse is None else receipt().transpose(inverse)
    if kind == "TIFF":
        stored.save(path, kind, tiffinfo={_ORIENTATION: orientation})
    else:
        stored.save(path, kind, exif=_exif(orientation), quality=95)
    return receipt()


def _turned_heic(path: Path) -> Image.Image:
    stored = receipt().transpose(Image.Transpose.ROTATE_90)
    pillow_heif.from_pillow(stored).save(path, exif=_exif(6), quality=95)
    return receipt()


def _saved(mode: str, kind: str, path: Path, **options: object) -> Image.Image:
    made = receipt().convert(mode)
    made.save(path, kind, **options)
    return made.convert("RGB")


def _see_through(mode: str, kind: str, path: Path, **options: object) -> Image.Image:
    """A picture that is transparent on the left."""
    made = receipt().convert(mode)
    mask = Image.new("L", made.size, 255)
    mask.paste(0, (0, 0, 72, 96))
    made.putalpha(mask)
    made.save(path, kind, **options)
    page = Image.new("RGB", made.size, "white")
    page.paste(made.convert("RGB"), mask=mask)
    return page


def _see_through_palette(kind: str, path: Path) -> Image.Image:
    made = receipt().quantize(64)
    made.save(path, kind, transparency=0)
    page = made.convert("RGB")
    page.paste("white", mask=made.point([255] + [0] * 255, "L"))
    return page


def _deep_gray(kind: str, path: Path) -> Image.Image:
    gray = receipt().convert("L")
    wide = b"".join(struct.pack("<H", value * 257) for value in gray.tobytes())
    Image.frombytes("I;16", gray.size, wide).save(path, kind)
    return gray.convert("RGB")


def _deep_gray_of_a_mac(path: Path) -> Image.Image:
    """16 bits, the higher byte first."""
    gray = receipt().convert("L")
    gray.convert("I").point(lambda value: value * 257).convert("I;16B").save(path, "TIFF")
    return gray.convert("RGB")


def _deep_png(path: Path) -> Image.Image:
    """16 bits for each of red, green and blue."""
    picture = receipt()
    row = picture.width * 3
    data = bytes(picture.tobytes())
    rows = (data[at : at + row] for at in range(0, len(data), row))
    wide = b"".join(b"\0" + b"".join(struct.pack(">H", value * 257) for value in each) for each in rows)
    header = struct.pack(">IIBBBBB", *picture.size, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(wide)), (b"IEND", b""))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks
        )
    )
    return picture


def _deep_tiff(path: Path) -> Image.Image:
    """16 bits for each of red, green and blue."""
    picture = receipt()
    wide = b"".join(struct.pack("<H", value * 257) for value in picture.tobytes())
    write_tiff(path, picture.size, wide, bits=(16, 16, 16), photometric=2)
    return picture


def _twelve_bits(path: Path) -> Image.Image:
    gray = receipt().convert("L")
    values = [value * 4095 // 255 for value in gray.tobytes()]
    pairs = zip(values[::2], values[1::2], strict=True)
    packed = b"".join(bytes((a >> 4, (a & 15) << 4 | b >> 8, b & 255)) for a, b in pairs)
    write_tiff(path, gray.size, packed, bits=(12,), photometric=1)
    return gray.convert("RGB")


def _white_is_zero(path: Path) -> Image.Image:
    gray = receipt().convert("L")
    write_tiff(path, gray.size, bytes(255 - value for value in gray.tobytes()), bits=(8,), photometric=0)
    return gray.convert("RGB")


def _old_jpeg(path: Path) -> Image.Image:
    """A TIFF as old scanners write it: a whole JPEG file, named by two tags that are obsolete now."""
    receipt().save(path, "JPEG", quality=95, subsampling=0)
    write_tiff(
        path, receipt().size, path.read_bytes(), bits=(8, 8, 8), photometric=6, compression=6, jpeg=True
    )
    return receipt()


def write_tiff(
    path: Path,
    size: tuple[int, int],
    data: bytes,
    *,
    bits: tuple[int, ...],
    photometric: int,
    compression: int = 1,
    jpeg: bool = False,
) -> None:
    """Write a TIFF with one strip of `data` as it is. `jpeg` adds the old tags for a JPEG file in it."""
    count, samples = 12 if jpeg else 10, len(bits)
    at_bits = 8 + 2 + count * 12 + 4
    at_data = at_bits + 8
    entries = [
        (256, 4, 1, size[0]),
        (257, 4, 1, size[1]),
        (258, 3, samples, bits[0] if samples == 1 else at_bits),
        (259, 3, 1, compression),
        (262, 3, 1, photometric),
        (273, 4, 1, at_data),
        (277, 3, 1, samples),
        (278, 4, 1, size[1]),
        (279, 4, 1, len(data)),
        (284, 3, 1, 1),
        *([(513, 4, 1, at_data), (514, 4, 1, len(data))] if jpeg else []),
    ]
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    depth = struct.pack("<4H", *(bits + (0,) * 4)[:4])
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + depth + data)


def _lab(path: Path) -> Image.Image:
    from PIL import ImageCms

    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    made = ImageCms.profileToProfile(receipt(), srgb, lab, outputMode="LAB")
    assert made is not None
    made.save(path, "TIFF")
    return receipt()


def _heic(mode: str, path: Path) -> Image.Image:
    made = receipt().convert(mode)
    pillow_heif.from_pillow(made).save(path, quality=95)
    return made.convert("RGB")


def _see_through_heic(path: Path) -> Image.Image:
    page = _see_through("RGB", "PNG", path)
    with Image.open(path) as made:
        made.load()
    pillow_heif.from_pillow(made).save(path, quality=95)
    return page


def second_page(path: Path) -> Image.Image:
    """Write a TIFF of two pages; return the second one."""
    first = Image.new("L", (60, 80), 255)
    first.save(path, "TIFF", save_all=True, append_images=[receipt()], compression="tiff_lzw")
    return receipt()


def _two_eyes(path: Path) -> Image.Image:
    """A JPEG of which a camera keeps a second picture in the same file."""
    receipt().save(path, "MPO", save_all=True, append_images=[Image.new("RGB", (10, 10))], quality=95)
    return receipt()


PICTURES: Final[dict[str, Maker]] = {
    **{
        f"{kind.lower()} turned {orientation}": partial(_turned, kind, orientation)
        for kind in ("JPEG", "PNG", "WEBP", "TIFF")
        for orientation in range(1, 9)
    },
    "avif turned 6": partial(_turned, "AVIF", 6),
    "heic turned": _turned_heic,
    "heic colour": partial(_heic, "RGB"),
    "heic gray": partial(_heic, "L"),
    "heic alpha": _see_through_heic,
    "jpeg gray": partial(_saved, "L", "JPEG", quality=95),
    "jpeg progressive": partial(_saved, "RGB", "JPEG", quality=95, progressive=True),
    "jpeg cmyk": partial(_saved, "CMYK", "JPEG", quality=95),
    "jpeg of two eyes": _two_eyes,
    "png palette": partial(_saved, "P", "PNG"),
    "png one bit": partial(_saved, "1", "PNG"),
    "png 16 bit gray": partial(_deep_gray, "PNG"),
    "png 16 bit colour": _deep_png,
    "png alpha": partial(_see_through, "RGB", "PNG"),
    "png gray alpha": partial(_see_through, "L", "PNG"),
    "png palette alpha": partial(_see_through_palette, "PNG"),
    "webp lossless": partial(_saved, "RGB", "WEBP", lossless=True),
    "webp alpha": partial(_see_through, "RGB", "WEBP", lossless=True),
    "gif": partial(_saved, "P", "GIF", interlace=0),
    "gif alpha": partial(_see_through_palette, "GIF"),
    "bmp": partial(_saved, "RGB", "BMP"),
    "bmp palette": partial(_saved, "P", "BMP"),
    "avif": partial(_saved, "RGB", "AVIF", quality=95),
    "avif alpha": partial(_see_through, "RGB", "AVIF", quality=95),
    "tiff lzw": partial(_saved, "RGB", "TIFF", compression="tiff_lzw"),
    "tiff deflate": partial(_saved, "RGB", "TIFF", compression="tiff_adobe_deflate"),
    "tiff packbits": partial(_saved, "P", "TIFF", compression="packbits"),
    "tiff group 3": partial(_saved, "1", "TIFF", compression="group3"),
    "tiff group 4": partial(_saved, "1", "TIFF", compression="group4"),
    "tiff jpeg": partial(_saved, "RGB", "TIFF", compression="jpeg", quality=95),
    "tiff jpeg gray": partial(_saved, "L", "TIFF", compression="jpeg", quality=95),
    "tiff old jpeg": _old_jpeg,
    "tiff cmyk": partial(_saved, "CMYK", "TIFF"),
    "tiff cmyk jpeg": partial(_saved, "CMYK", "TIFF", compression="jpeg", quality=95),
    "tiff alpha": partial(_see_through, "RGB", "TIFF"),
    "tiff 12 bit": _twelve_bits,
    "tiff 16 bit gray": partial(_deep_gray, "TIFF"),
    "tiff 16 bit gray of a Mac": _deep_gray_of_a_mac,
    "tiff 16 bit colour": _deep_tiff,
    "tiff white is zero": _white_is_zero,
    "tiff float": partial(_saved, "F", "TIFF"),
    "tiff lab": _lab,
}
