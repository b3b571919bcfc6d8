"""Tells a picture of a kind that no decoder here knows from a damaged one, after all decoders failed."""

import io
import struct
import zlib
from typing import Final

from app.domain.preview import Refusal
from server.contract.media import SNIFF_BYTES, sniff

DAMAGE: Final = (
    *(OSError, SyntaxError, EOFError, AttributeError, TypeError, ArithmeticError, LookupError, ValueError),
    *(RuntimeError, AssertionError, struct.error, zlib.error),
)
"""What decoders raise for bytes that make no sense to them."""

_TIFF_TAGS: Final = (256, 257, 259, 262)  # width, height, compression, meaning of the values
_FRAMES: Final = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # markers of JPEG that begin a picture
_KNOWN_FRAMES: Final = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}  # not: lossless, hierarchical, JPEG-LS
_BITS: Final = 8


def reason_of(data: bytes) -> Refusal:
    """Return why no decoder reads the file `data`."""
    known = {"image/tiff": _is_whole_tiff, "image/jpeg": _is_other_jpeg, "image/heic": _is_other_heif}
    kind = sniff(data[:SNIFF_BYTES])
    is_unknown = kind in known and known[kind](data)
    return Refusal.UNKNOWN_KIND if is_unknown else Refusal.DAMAGED


def _is_whole_tiff(data: bytes) -> bool:
    """Return whether a TIFF has a readable directory: then its kind of pixels is the reason."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    try:
        directory = ImageFileDirectory_v2(data[:8])
        file = io.BytesIO(data)
        file.seek(directory.next)
        directory.load(file)
        return all(tag in directory for tag in _TIFF_TAGS)
    except DAMAGE:
        return False


def _is_other_jpeg(data: bytes) -> bool:
    """Return whether a JPEG has 12 bits, or is of a kind such as lossless."""
    at = 2
    while at + 5 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            return marker not in _KNOWN_FRAMES or data[at + 4] != _BITS
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def _is_other_heif(data: bytes) -> bool:
    """Return whether a HEIF file holds pictures of another coding than HEVC."""
    import pi_heif

    try:
        return len(pi_heif.open_heif(io.BytesIO(data))) == 0
    except IndexError:  # raised if it finds none
        return True
    except DAMAGE as error:
        return "unsupported" in str(error).lower()
