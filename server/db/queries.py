"""Named SQL, kept in `.sql` files beside its owner and read once.

A file holds statements, each under a line ``-- name: some_name``; what stands before the first is ignored.
Every statement carries book_id, or says after its name why it cannot (``-- name: x -- no book: …``).
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Final, LiteralString

_COMMENT: Final = re.compile(r"^ *--.*\n", re.MULTILINE)
_HEADING: Final = re.compile(r"^-- name: (\w+)(?: -- no book: (.+))?$", re.MULTILINE)


def load(package: str) -> Mapping[str, LiteralString]:
    """Return the statements of `package`'s queries.sql by name; raises ValueError on a name given twice."""
    return parse(files(package).joinpath("queries.sql").read_text(encoding="utf-8"))


def parse(text: str) -> Mapping[str, LiteralString]:
    """Split the text of a queries file."""
    # Our own files are the only source, so their text is as literal as a string in the code.
    parts = _HEADING.split(text)[1:]
    found: dict[str, LiteralString] = {}
    for name, _excuse, body in zip(parts[0::3], parts[1::3], parts[2::3], strict=True):
        if name in found:
            raise ValueError(f"two statements are named {name}")
        found[name] = _COMMENT.sub("", body).strip().rstrip(";")
    return found


def excuses(text: str) -> dict[str, str]:
    """Return, for each statement that is not bound to a book, the reason its heading gives."""
    return {name: excuse for name, excuse in _HEADING.findall(text) if excuse}
