"""Previews of bills: what is asked of the renderer, and what it answers.

The size of a page at 100 % is in pixels: of a picture, its own size when it is upright; of a PDF, 96 pixels
an inch. Pages count from 0.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Final


class Urgency(IntEnum):
    """Which preview is rendered first: the lowest value."""

    IN_VIEW = 0
    BESIDE = 1
    IN_BACKGROUND = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a page at a scale (1.0 = 100 %), in pixels at that scale, from the top left.

    It is one of the page as it is shown: turned, if it is turned. The whole page has
    `round(page_width * scale)` by `round(page_height * scale)` pixels at that scale, see `Preview`. What lies
    outside the page is cut off, so the preview can be smaller than `width` and `height`.
    """

    scale: float
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """A page of a file: whole, with at most `edge` pixels on its longer side, or a part of it.

    A page that is out of range gives the nearest one. A whole page is never larger than at 100 % if it is a
    picture. The page is turned clockwise by `turns` quarters.
    """

    path: Path
    media_type: str
    page: int = 0
    edge: int = 1600
    part: Part | None = None
    turns: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """Pixels of a page, four bytes each (B, G, R, unused), row by row without padding, on white.

    `page_width` and `page_height` are the size of the whole page at 100 %, as it is turned. `note` is a
    sentence if the file is shown, but not whole (its end is missing); "" otherwise.
    """

    pixels: bytes | bytearray
    width: int
    height: int
    page: int
    pages: int
    page_width: int
    page_height: int
    note: str = ""


class Flaw(StrEnum):
    """Why a file is shown, but not whole."""

    END_MISSING = "end_missing"
    PARTS_DAMAGED = "parts_damaged"


class Refusal(StrEnum):
    """Why a page is not shown. The value is the `code` of the InputError."""

    DAMAGED = "damaged"
    HAS_PASSWORD = "locked"  # noqa: S105 - the name of a reason
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a reason
    UNKNOWN_CIPHER = "unknown_cipher"
    TOO_LARGE = "too_large"
    UNKNOWN_KIND = "unknown_kind"
    UNREADABLE = "unreadable"
    TOO_COSTLY = "too_costly"
    NO_WORKER = "no_worker"


SENTENCES: Final = {
    Refusal.DAMAGED: "This file is damaged and cannot be shown. The original is kept as it is.",
    Refusal.HAS_PASSWORD: "This PDF has a password.",
    Refusal.WRONG_PASSWORD: "Wrong password. Try again.",
    Refusal.UNKNOWN_CIPHER: "Bahi cannot open this kind of locked PDF. The original is kept as it is.",
    Refusal.TOO_LARGE: "This bill is too large to show here. The original is kept as it is.",
    Refusal.UNKNOWN_KIND: "Files of this kind are not shown here. The original is kept as it is.",
    Refusal.UNREADABLE: "This file cannot be read on this computer.",
    Refusal.TOO_COSTLY: "This file cannot be shown here. The original is kept as it is.",
    Refusal.NO_WORKER: "This bill cannot be shown at the moment. Please try again.",
}

NOTES: Final = {
    None: "",
    Flaw.END_MISSING: "The end of this file is missing. What is there is shown.",
    Flaw.PARTS_DAMAGED: "Parts of this file are damaged. What can be read is shown.",
}
