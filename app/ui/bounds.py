"""Limits and file types of the windows, and texts for sizes and counts."""

from typing import Final

from app.domain.money import group_digits

FILE_PATTERNS: Final = "*.jpg *.jpeg *.png *.webp *.heic *.heif *.gif *.tif *.tiff *.pdf"
PDF: Final = "application/pdf"
HEIC: Final = "image/heic"
LONGEST_LINK: Final = 2_400
"""Of an invite link, in characters. Includes the line breaks and marks that a mail program inserts."""


def size_text(byte_size: int) -> str:
    """Return a size in bytes as text: `812 B`, `34 KB`, `2.4 MB`."""
    if byte_size < 1024:
        return f"{byte_size} B"
    if byte_size < 1024 * 1024:
        return f"{round(byte_size / 1024)} KB"
    return f"{byte_size / 1024 / 1024:.1f} MB"


def count_text(count: int, one: str, many: str) -> str:
    """Return `1 entry` or `12,345 entries`. The number is grouped as in India."""
    return f"{group_digits(str(count))} {one if count == 1 else many}"
