"""Which decoder of pictures a file is for, by its first bytes."""

from collections.abc import Callable
from typing import Final

from server.contract.media import SNIFF_BYTES, sniff


def formats_of(data: bytes) -> tuple[str, ...]:
    """Return Pillow's names of the formats to try, with their decoders loaded; () if none is known."""
    head = data[:SNIFF_BYTES]
    kind = sniff(head) or _further_kind(head)
    if kind not in _FORMATS:
        return ()
    formats, load = _FORMATS[kind]
    load()
    return formats


def _further_kind(head: bytes) -> str:
    """Return the kind of a picture that cannot be attached by itself, "" if it is none."""
    if head.startswith(b"BM"):
        return "image/bmp"
    if head.startswith((b"II+\x00", b"MM\x00+")):
        return "image/tiff"
    if head[4:12] in {b"ftypavif", b"ftypavis"}:
        return "image/avif"
    return ""


# Each plugin is imported only when it is needed. Pillow would import all of them, which takes much longer,
# and some of them start other programs.


def _jpeg() -> None:
    from PIL import JpegImagePlugin  # noqa: F401


def _png() -> None:
    from PIL import PngImagePlugin  # noqa: F401


def _gif() -> None:
    from PIL import GifImagePlugin  # noqa: F401


def _tiff() -> None:
    from PIL import JpegImagePlugin, TiffImagePlugin  # noqa: F401


def _webp() -> None:
    from PIL import WebPImagePlugin  # noqa: F401


def _bmp() -> None:
    from PIL import BmpImagePlugin  # noqa: F401


def _avif() -> None:
    from PIL import AvifImagePlugin

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread takes address space, which is limited


def _heif() -> None:
    import pi_heif

    pi_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
    _avif()  # the brand "mif1" stands for both


_FORMATS: Final[dict[str, tuple[tuple[str, ...], Callable[[], None]]]] = {
    "image/jpeg": (("JPEG",), _jpeg),
    "image/png": (("PNG",), _png),
    "image/gif": (("GIF",), _gif),
    "image/tiff": (("TIFF",), _tiff),
    "image/webp": (("WEBP",), _webp),
    "image/bmp": (("BMP",), _bmp),
    "image/avif": (("AVIF",), _avif),
    "image/heic": (("HEIF", "AVIF"), _heif),
}
