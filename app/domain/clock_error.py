"""The sentence about a clock of this computer that is wrong."""

from datetime import datetime, timedelta
from typing import Final

from app.domain.dates import format_date

_TOLERATED: Final = timedelta(minutes=5)
_TOLERATED_AT_MIDNIGHT: Final = timedelta(minutes=2)  # if the date is another one
_UNITS: Final = (
    (timedelta(days=365), "year"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


def clock_error(here: datetime, there: datetime) -> str:
    """Return the sentence about this computer's clock if it is wrong, otherwise "".

    `here` is this computer's time and `there` the server's, both in this computer's time zone. A clock is
    wrong if it is more than five minutes off, or more than two if its date is another one.
    """
    off = here - there
    same_day = here.date() == there.date()
    if abs(off) <= (_TOLERATED if same_day else _TOLERATED_AT_MIDNIGHT):
        return ""
    way = "ahead" if off > timedelta() else "behind"
    return (
        f"This computer's clock is {_span(abs(off))} {way}. Bahi uses the right date, "
        f"{format_date(there.date())}. Please set the clock."
    )


def _span(time: timedelta) -> str:
    unit, name = next(each for each in _UNITS if time >= each[0])
    count = round(time / unit)
    return f"{count} {name}" if count == 1 else f"{count} {name}s"
