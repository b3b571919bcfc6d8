"""The file name of a picture that was taken with a camera."""

from collections.abc import Collection
from datetime import datetime


def photo_name(moment: datetime, taken: Collection[str]) -> str:
    """Return a name that is not in `taken`, such as `Photo 2026-11-29 14.03.27.jpg`.

    Every system can write it. Its parts are in an order by which names sort by time.
    """
    stem = f"Photo {moment:%Y-%m-%d %H.%M.%S}"
    name, number = f"{stem}.jpg", 2
    while name in taken:
        name, number = f"{stem} ({number}).jpg", number + 1
    return name
