"""Named SQL statements, kept in the file `queries.sql` of the package that uses them.

Each statement follows a line ``-- name: some_name``; text before the first such line is ignored. Every
statement is restricted to one book_id, or the line gives the reason why not: ``-- name: x -- no book: …``.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Final, LiteralString

_COMMENT: Final = re.compile(r"^ *--.*\n", re.MULTILINE)
_HEADING: Final = re.compile(r"^-- name: (\w+)(?: -- no book: (.+))?$", re.MULTILINE)


def load(package: str) -> Mapping[str, LiteralString]:
    """Return the statements of `package`'s queries.sql by name. Raises ValueError if a name occurs twice."""
    return parse(files(package).joinpath("queries.sql").read_text(encoding="utf-8"))


def parse(text: str) -> Mapping[str, LiteralString]:
    """Return the statements in the text of a queries.sql by name. Raises ValueError as `load` does."""
    # LiteralString: the text comes only from files of this package, so it is as safe as one in the code.
    parts = _HEADING.split(text)[1:]
    found: dict[str, LiteralString] = {}
    for name, _excuse, body in zip(parts[0::3], parts[1::3], parts[2::3], strict=True):
        if name in found:
            raise ValueError(f"two statements are named {name}")
        found[name] = _COMMENT.sub("", body).strip().rstrip(";")
    return found


def excuses(text: str) -> dict[str, str]:
    """Return the stated reason of each statement that is not restricted to one book."""
    return {name: excuse for name, excuse in _HEADING.findall(text) if excuse}
