"""Renders pictures with Pillow and pi-heif: upright, within own limits of memory, honest about damage.

The last decoded picture is kept, so that parts of one bill follow quickly.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from app.domain.preview import Flaw, Refusal
from app.rendering.conversion import Box, scaled
from app.rendering.diagnosis import DAMAGE, reason_of
from app.rendering.kinds import formats_of
from app.rendering.messages import Rendered, RenderPage
from app.rendering.window import RefusalError, Window, turned, window_of

Image.MAX_IMAGE_PIXELS = None  # `_check_memory` decides instead

_MOST_BYTES: Final = 330 * 1024 * 1024  # of a decoded picture, with what its decoder needs beside it
_BYTES_PER_PIXEL: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}  # others have 4
_COPIES: Final = {"WEBP": 3, "AVIF": 3, "HEIF": 3}  # that the decoder makes; others need 1
_ROWS_PER_STRIP: Final = 278  # tags of TIFF
_BITS_PER_SAMPLE: Final = 258
_JPEG_SCALES: Final = (8, 4, 2, 1)

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS: Final = {5, 6, 7, 8}
_QUARTERS: Final = {
    1: Image.Transpose.ROTATE_270,  # Pillow turns counterclockwise
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A decoded page. `shrunk` is the number by which each side was divided while decoding.

    `width` and `height` are those of the upright page at 100 %, `turn` is its EXIF orientation, 1 to 8.
    """

    image: Image.Image
    number: int
    pages: int
    width: int
    height: int
    shrunk: int
    turn: int
    bits: int
    flaw: Flaw | None


class Picture:
    """A file with one picture, or a TIFF with several."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._last: _Decoded | None = None

    def close(self) -> None:
        """Give back the memory."""
        self._last = None

    def render(self, job: RenderPage) -> tuple[Rendered, bytes]:
        """Render what `job` asks for. Raises RefusalError, and MemoryError."""
        decoded = self._decoded(job)
        size = turned(decoded.width, decoded.height, job.turns)
        window = window_of(job, *size, may_grow=False)
        shown = _upright_part(decoded, window.turned_back(job.turns))
        if job.turns:
            shown = shown.transpose(_QUARTERS[job.turns])
        shown.putalpha(255)
        pixels = shown.tobytes("raw", "BGRA")
        return Rendered(*shown.size, decoded.number, decoded.pages, *size, decoded.flaw), pixels

    def _decoded(self, job: RenderPage) -> _Decoded:
        last = self._last
        if last is not None and (last.number == job.page or last.pages == 1):
            wanted = _shrinking(last.width, last.height, job)
            if last.shrunk <= max(wanted, _least_shrinking(last.width, last.height, 4)):
                return last
        self._last = last = None  # before the next one needs the memory
        self._last = _decode(self._data, job)
        return self._last


# --- decoding -----------------------------------------------------------------------------------------


def _decode(data: bytes, job: RenderPage) -> _Decoded:
    try:
        return _decode_strictly(data, job, None)
    except DAMAGE as error:
        if isinstance(error, UnidentifiedImageError | KeyError | NotImplementedError):
            raise RefusalError(reason_of(data)) from error
        flaw = Flaw.END_MISSING if "truncated" in str(error).lower() else Flaw.PARTS_DAMAGED
    try:
        with _leniently():
            decoded = _decode_strictly(data, job, flaw)
    except DAMAGE as error:
        raise RefusalError(reason_of(data)) from error
    if _is_blank(decoded.image):
        raise RefusalError(reason_of(data))
    return decoded


def _is_blank(image: Image.Image) -> bool:
    """Return whether all pixels are equal: then a decoder that tolerates damage has read nothing."""
    extrema = image.getextrema()
    bands = extrema if isinstance(extrema[0], tuple) else (extrema,)
    return all(low == high for low, high in bands)


def _decode_strictly(data: bytes, job: RenderPage, flaw: Flaw | None) -> _Decoded:
    formats = formats_of(data)
    if not formats:
        raise RefusalError(Refusal.UNKNOWN_KIND if data else Refusal.DAMAGED)
    with Image.open(io.BytesIO(data), formats=formats) as image:
        pages = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
        number = min(max(job.page, 0), pages - 1)
        if number:
            image.seek(number)
        width, height = image.size
        shrunk = _shrink(image, job)
        bits = _depth(image)
        _check_memory(image)
        image.load()
        turn = image.getexif().get(ExifTags.Base.Orientation, 1)
        turn = turn if turn in _TURNS else 1
        if image.format == "TIFF":  # the decoder has turned it
            width, height, turn = *image.size, 1
        if turn in _SIDEWAYS:
            width, height = height, width
        # A picture of the same pixels without the file. The public `copy` would need twice the memory.
        plain = image._new(image.im)
        return _Decoded(plain, number, pages, width, height, shrunk, turn, bits, flaw)


def _shrink(image: Image.Image, job: RenderPage) -> int:
    """Let the decoder of JPEG divide each side by 1, 2, 4 or 8. Return the number."""
    if image.format not in {"JPEG", "MPO"}:
        return 1
    width, height = image.size
    number = max(_shrinking(width, height, job), _least_shrinking(width, height, 4))
    image.draft(image.mode, (max(1, width // number), max(1, height // number)))
    return number


def _shrinking(width: int, height: int, job: RenderPage) -> int:
    """Return the largest number by which the sides may be divided without a loss in what `job` shows."""
    scale = job.edge / max(width, height) if job.part is None else job.part.scale
    return next((number for number in _JPEG_SCALES if number * scale <= 1), 1)


def _least_shrinking(width: int, height: int, bytes_per_pixel: int) -> int:
    """Return the smallest number by which the sides must be divided to fit into the memory."""
    whole = width * height * bytes_per_pixel
    return next((number for number in reversed(_JPEG_SCALES) if whole / number**2 <= _MOST_BYTES), 8)


def _check_memory(image: Image.Image) -> None:
    row = image.width * _BYTES_PER_PIXEL.get(image.mode, 4)
    needed = image.height * row * _COPIES.get(image.format or "", 1)
    if needed + _rows_of_a_strip(image) * row > _MOST_BYTES:
        raise RefusalError(Refusal.TOO_LARGE)


def _rows_of_a_strip(image: Image.Image) -> int:
    """Return how many rows of a TIFF are decoded at a time, 0 for other formats."""
    if image.format != "TIFF":
        return 0
    rows = getattr(image, "tag_v2", {}).get(_ROWS_PER_STRIP, image.height)
    return min(rows, image.height) if isinstance(rows, int) else image.height


def _depth(image: Image.Image) -> int:
    """Return the bits of a channel in a TIFF, 16 in other formats."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,)) if image.format == "TIFF" else (16,)
    first = bits[0] if isinstance(bits, tuple) and bits else bits
    return first if isinstance(first, int) and 8 < first <= 16 else 16


@contextmanager
def _leniently() -> Iterator[None]:
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


# --- drawing ------------------------------------------------------------------------------------------


def _upright_part(decoded: _Decoded, window: Window) -> Image.Image:
    """Return the part of the upright page that `window` names, in the mode RGB."""
    box = _stored_box(decoded, window)
    size = window.width, window.height
    if decoded.turn in _SIDEWAYS:
        size = size[1], size[0]
    part = scaled(decoded.image, box, size, decoded.bits)
    return part.transpose(_TURNS[decoded.turn]) if decoded.turn in _TURNS else part


def _stored_box(decoded: _Decoded, window: Window) -> Box:
    """Return the rectangle of the decoded picture, as it is stored, that `window` shows of it upright."""
    left, right = window.left / window.page_width, (window.left + window.width) / window.page_width
    top, bottom = window.top / window.page_height, (window.top + window.height) / window.page_height
    if decoded.turn in _SIDEWAYS:
        left, top, right, bottom = top, left, bottom, right
    if decoded.turn in {2, 3, 7, 8}:
        left, right = 1 - right, 1 - left
    if decoded.turn in {3, 4, 6, 7}:
        top, bottom = 1 - bottom, 1 - top
    width, height = decoded.image.size
    return (
        max(0.0, left * width),
        max(0.0, top * height),
        min(float(width), right * width),
        min(float(height), bottom * height),
    )
