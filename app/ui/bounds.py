"""The limits that the screens say aloud and the kinds of file they show.

They repeat `server.contract` (which this room may not import); a test holds the two together.
"""

from typing import Final

from app.domain.money import group_digits

MAX_DOCUMENTS: Final = 20
MAX_CATEGORY: Final = 100
MAX_DESCRIPTION: Final = 500
MAX_SEARCH: Final = 100
MAX_USER_NAME: Final = 64
MAX_PASSWORD: Final = 256

EXTENSIONS: Final[dict[str, str]] = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "image/gif": ".gif",
    "image/tiff": ".tif",
    "application/pdf": ".pdf",
}
"""The types that may be handed to the system's viewer, with the extension that their copy gets."""

FILE_PATTERNS: Final = "*.jpg *.jpeg *.png *.webp *.heic *.heif *.gif *.tif *.tiff *.pdf"
PDF: Final = "application/pdf"
HEIC: Final = "image/heic"


def size_text(byte_size: int) -> str:
    """Return a size in bytes for a person: `812 B`, `34 KB`, `2.4 MB`."""
    if byte_size < 1024:
        return f"{byte_size} B"
    if byte_size < 1024 * 1024:
        return f"{round(byte_size / 1024)} KB"
    return f"{byte_size / 1024 / 1024:.1f} MB"


def count_text(count: int, one: str, many: str) -> str:
    """Return `1 entry` or `12,345 entries`, the number grouped the Indian way."""
    return f"{group_digits(str(count))} {one if count == 1 else many}"
