"""The kinds of file that can be attached to an entry. They are recognised by content, never by name."""

from typing import Final

EXTENSIONS: Final[dict[str, str]] = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "image/gif": ".gif",
    "image/tiff": ".tif",
    "application/pdf": ".pdf",
}
SNIFF_BYTES: Final = 1024
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})


def sniff(head: bytes) -> str | None:
    """Return the media type of a file that begins with `head`, or None if it is not an accepted kind.

    The first `SNIFF_BYTES` bytes are enough.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith((b"II*\x00", b"MM\x00*")):
        return "image/tiff"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "image/heic"
    # A PDF may have up to 1,024 bytes before its header (ISO 32000-1, Annex H, note 13).
    if b"%PDF-" in head[:SNIFF_BYTES]:
        return "application/pdf"
    return None
