"""The choice between Debit and Credit."""

from typing import Final

from app.domain.entry import Direction
from app.ui.widgets.segment import Choice, Segment

DEBIT_WORDS: Final = "Debit · money out"
CREDIT_WORDS: Final = "Credit · money in"


def direction_segment(prefix: str = "") -> Segment:
    """Return a segment for an entry's direction. Its values are those of `Direction`."""
    return Segment(
        [
            Choice(Direction.DEBIT.value, DEBIT_WORDS, f"{prefix}debit_button", "arrow-up-right"),
            Choice(Direction.CREDIT.value, CREDIT_WORDS, f"{prefix}credit_button", "arrow-down-left"),
        ],
        f"{prefix}direction_segment",
        "Debit or Credit",
    )
