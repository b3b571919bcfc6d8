"""Ids, versions and codes that this computer generates without a server."""

import re
from typing import Final
from uuid import UUID

ID_RANDOM_BYTES: Final = 8
"""The number of random bytes that `new_id` uses."""
LATEST_VERSION: Final = 253_402_300_799_999_999
"""The end of the year 9999 in µs: an id has room for some more."""
MAX_COUNTER: Final = 999_999_999
_PREFIX = re.compile(r"[0-9A-Z]{3}")
_HUMAN_CODE = re.compile(r"[0-9A-Z]{3}-([0-9]{6,9})")  # a counter above 999,999 has more than six digits


def new_id(now_us: int, random_bytes: bytes) -> str:
    """Return a UUID version 7 (RFC 9562 §5.7) for `now_us` microseconds since 1970.

    The 12 bits after the milliseconds hold the fraction of the millisecond (§6.2, method 3), so ids
    sort by the microsecond. Uses the first 8 of `random_bytes`. Raises ValueError if there are fewer, or if
    the time does not fit into 48 bits of milliseconds.
    """
    milliseconds, microseconds = divmod(now_us, 1000)
    if len(random_bytes) < ID_RANDOM_BYTES:
        raise ValueError(f"an id takes {ID_RANDOM_BYTES} random bytes")
    if not 0 <= milliseconds < 1 << 48:
        raise ValueError(f"not a time: {now_us}")
    fraction = microseconds * 4096 // 1000
    noise = int.from_bytes(random_bytes[:ID_RANDOM_BYTES], "big") & ((1 << 62) - 1)
    return str(UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | noise))


def next_version(now_us: int, offset_us: int, based_on: int) -> int:
    """Return the version number of a change made to version `based_on`.

    It is the time in microseconds since 1970. `offset_us` corrects this computer's clock by the server's.
    """
    # A slow or reset clock must not make a change older than the version that it was made from.
    return max(now_us + offset_us, based_on + 1)


def human_code(prefix: str, counter: int) -> str:
    """Return an entry's code, such as `0K7-000042`. Raises ValueError if an argument is out of range."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"not a code prefix: {prefix!r}")
    if not 0 < counter <= MAX_COUNTER:
        raise ValueError(f"not a counter: {counter}")
    return f"{prefix}-{counter:06d}"


def document_code(code: str, n: int) -> str:
    """Return the code of the `n`th bill (from 1) of the entry `code`, such as `K7-000042-1`.

    Raises ValueError if `code` is not an entry's code, or `n` is not in 1…999.
    """
    if not _HUMAN_CODE.fullmatch(code) or not 0 < n <= 999:
        raise ValueError(f"no document code for {code!r}, {n}")
    return f"{code[1:]}-{n}"


def counter_of(code: str) -> int:
    """Return the counter in an entry's code: 42 for `0K7-000042`. Raises ValueError for any other text."""
    match = _HUMAN_CODE.fullmatch(code)
    if match is None:
        raise ValueError(f"not an entry code: {code!r}")
    return int(match[1])


def document_stem(code: str, prefix: str) -> str:
    """Return the first part of the codes of bills that the device with `prefix` adds to the entry `code`.

    The device that made the entry uses `K7-000042`. Another device adds its own prefix, `0K7-000042-1B3`,
    so that two devices that add bills at the same time never generate the same code.
    """
    return code[1:] if code.startswith(f"{prefix}-") else f"{code}-{prefix}"


def highest_number(stem: str, known: list[str]) -> int:
    """Return the highest number after `stem` in the codes `known`; 0 if none has this stem."""
    tails = [text.removeprefix(f"{stem}-") for text in known if text.startswith(f"{stem}-")]
    return max((int(tail) for tail in tails if tail.isdigit()), default=0)
