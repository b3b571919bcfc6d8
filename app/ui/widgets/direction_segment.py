"""The choice between Debit and Credit."""

from app.domain.entry import Direction
from app.ui.widgets.segment import Choice, Segment


def direction_segment(prefix: str = "") -> Segment:
    """Return a segment for an entry's direction. Its values are those of `Direction`."""
    return Segment(
        [
            Choice(Direction.DEBIT.value, "Debit · money out", f"{prefix}debit_button", "arrow-up-right"),
            Choice(Direction.CREDIT.value, "Credit · money in", f"{prefix}credit_button", "arrow-down-left"),
        ],
        f"{prefix}direction_segment",
        "Debit or Credit",
    )
