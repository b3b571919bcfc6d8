"""The memory allocator of the C library: freed memory goes back to the system."""

import contextlib
import ctypes
import sys
from typing import Final

# Of mallopt(3) in glibc.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
_LARGE: Final = 256 * 1024
_ARENAS: Final = 2


def give_back_freed_memory() -> None:
    """Make the allocator give large blocks back as soon as they are freed. Do nothing without glibc.

    When glibc frees a large block, it keeps later ones of that size, up to 32 MiB, in its heap. The heap then
    grows with the pictures of bills, as every thread may have one of its own, and hardly ever shrinks.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):  # another C library
        set_option = ctypes.CDLL(None).mallopt
        for option, value in (
            (_MMAP_THRESHOLD, _LARGE),
            (_TRIM_THRESHOLD, _LARGE),
            (_ARENA_MAX, _ARENAS),
        ):
            set_option(option, value)


def trim() -> None:
    """Give all free memory back to the system now. Do nothing without glibc."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
