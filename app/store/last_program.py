"""Which version of Bahi used this data folder last: noted in a file that every version can read.

It is a file, and not a setting, because an older program may not understand the tables of a newer one.
"""

import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from server.contract.durable_files import write_file
from server.contract.private_files import read_private

_NAME: Final = "program.version"
_VERSION: Final = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}", re.ASCII)


def note_program(home: Path, version: str) -> None:
    """Note that the program `version` has used the data folder `home`, unless a newer one has.

    If the file cannot be written, nothing is noted: the program works without it.
    """
    if _number(version) > _number(_noted(home)):
        with suppress(OSError):
            write_file(home / _NAME, f"{version}\n".encode(), private=True)


def newer_book_sentence(home: Path) -> str:
    """Return the sentence about the book in `home` that this program is too old for."""
    noted = _noted(home)
    by, what = (f" ({noted})", "that version, or a later one") if noted else ("", "the newest version")
    return f"This book was last used by a newer Bahi{by}. Please install {what}. Nothing was changed."


def _noted(home: Path) -> str:
    """Return the version that was noted; "" if there is none, or if it is no version."""
    try:
        text = read_private(home / _NAME)[:64].decode("ascii", "replace").strip()
    except OSError:
        return ""
    return text if _VERSION.fullmatch(text) else ""


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")) if _VERSION.fullmatch(version) else ()
