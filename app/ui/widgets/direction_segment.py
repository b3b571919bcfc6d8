"""Debit or Credit, as one segment."""

from app.domain.entry import Direction
from app.ui.widgets.segment import Choice, Segment


def direction_segment() -> Segment:
    """Return the segment of the Add Entry screen; its values are those of `Direction`."""
    return Segment(
        [
            Choice(Direction.DEBIT.value, "Debit", "debit_button", "arrow-up-right"),
            Choice(Direction.CREDIT.value, "Credit", "credit_button", "arrow-down-left"),
        ],
        "direction_segment",
        "Debit or Credit",
    )
