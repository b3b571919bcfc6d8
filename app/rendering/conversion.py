"""Turns pictures of every mode into plain RGB on white, scaled, without much more memory than the result."""

import math
from functools import cache
from typing import Final

from PIL import Image, ImageCms

Box = tuple[float, float, float, float]

_BAND_BYTES: Final = 16 * 1024 * 1024
_PLAIN: Final = {"L", "RGB"}
_DEEP: Final = {"I;16", "I;16L", "I;16B", "I;16N"}
_FILTER: Final = Image.Resampling.BICUBIC
_GAP: Final = 3.0  # shrinks by whole numbers first: several times faster, the same to the eye


def scaled(
    image: Image.Image, box: Box, size: tuple[int, int], bits: int = 16, *, band_bytes: int = _BAND_BYTES
) -> Image.Image:
    """Return the rectangle `box` (left, top, right, bottom) of a picture in `size`, in the mode RGB.

    `bits` is the depth of a pixel if the picture has one channel of more than 8 bits. About `band_bytes` of
    the picture are converted at a time.
    """
    if image.mode in _PLAIN and not image.has_transparency_data:
        made = image.resize(size, _FILTER, box, _GAP)
        return made if made.mode == "RGB" else made.convert("RGB")
    # The conversion needs 4 bytes a pixel or more, so a large picture is converted in bands.
    source_bytes = max(1.0, (box[2] - box[0]) * (box[3] - box[1]) * 4)
    rows = max(1, math.floor(size[1] * band_bytes / source_bytes))
    if rows >= size[1]:
        return _band(image, box, size, bits)
    whole = Image.new("RGB", size)
    step = (box[3] - box[1]) / size[1]
    for top in range(0, size[1], rows):
        bottom = min(top + rows, size[1])
        part = (box[0], box[1] + top * step, box[2], box[1] + bottom * step)
        whole.paste(_band(image, part, (size[0], bottom - top), bits), (0, top))
    return whole


def _band(image: Image.Image, box: Box, size: tuple[int, int], bits: int) -> Image.Image:
    # The filter looks at neighbours, so they are converted too.
    reach = math.ceil(2 * max(1.0, (box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1])) + 2
    left, top = max(0, math.floor(box[0]) - reach), max(0, math.floor(box[1]) - reach)
    right = min(image.width, math.ceil(box[2]) + reach)
    bottom = min(image.height, math.ceil(box[3]) + reach)
    plain = _plain(image.crop((left, top, right, bottom)), bits)
    return plain.resize(size, _FILTER, (box[0] - left, box[1] - top, box[2] - left, box[3] - top), _GAP)


def _plain(image: Image.Image, bits: int) -> Image.Image:
    """Return a picture as RGB on white."""
    if image.mode in _DEEP or image.mode in {"I", "F"}:
        return _eight_bits(image, bits).convert("RGB")
    if image.mode == "LAB":
        transformed = ImageCms.applyTransform(image, _lab_to_rgb())
        assert transformed is not None
        return transformed
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    page = Image.new("RGB", layer.size, "white")
    page.paste(layer, mask=layer.getchannel("A"))
    return page


def _eight_bits(image: Image.Image, bits: int) -> Image.Image:
    if image.mode in _DEEP:
        deep = image if image.mode == "I;16" else image.convert("I")
        return _times(deep, 255 / ((1 << bits) - 1)).convert("L")
    # 32 bits or a fraction: there is no telling what is white, so the brightest pixel is.
    extrema = image.getextrema()
    darkest, brightest = float(extrema[0]), float(extrema[1])  # type: ignore[arg-type]
    span = brightest - darkest
    if not math.isfinite(span) or span <= 0:
        return Image.new("L", image.size, "white")
    return image.convert("F").point(lambda value: (value - darkest) * (255 / span)).convert("L")


def _times(image: Image.Image, factor: float) -> Image.Image:
    return image.point(lambda value: value * factor)


@cache
def _lab_to_rgb() -> ImageCms.ImageCmsTransform:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
