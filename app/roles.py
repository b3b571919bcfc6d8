"""The roles of the program that have no window: how each is started, from source and from the bundle.

From source, the program starts itself again (`python -m app --server …`). The bundle has a second executable
for these roles, `bahi-server`, which is without Qt: it starts sooner and takes less memory.
"""

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

_SEARCH_PATHS: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_KEPT: Final = "_ORIG"


def server_command(*arguments: str) -> list[str]:
    """Return the command that runs `bahi-server` with these arguments."""
    return [*_sibling(), *arguments] if is_bundled() else [*_source(), "--server", *arguments]


def previews_command() -> list[str]:
    """Return the command that starts a preview worker."""
    return [*(_sibling() if is_bundled() else _source()), "--previews"]


def folder_of_roles() -> str | None:
    """Return the folder in which these commands must run; None means any folder."""
    # `python -m app` finds the package only from the source folder.
    return None if is_bundled() else str(Path(__file__).parents[1])


def is_bundled() -> bool:
    """Return whether this program runs from the bundle."""
    return bool(getattr(sys, "frozen", False))


def restore_search_paths(environment: MutableMapping[str, str] = os.environ) -> None:
    """Give the processes that are started from here the search paths of the user, not those of the bundle.

    The bundle's executables put their own folder first, so that they find their own libraries. Another
    program, for example the one that shows a bill, must not load these.
    """
    if not is_bundled():
        return
    for name in _SEARCH_PATHS:
        former = environment.pop(f"{name}{_KEPT}", None)
        environment.pop(name, None)
        if former is not None:
            environment[name] = former


def _sibling() -> list[str]:
    suffix = ".exe" if sys.platform == "win32" else ""
    return [str(Path(sys.executable).with_name(f"bahi-server{suffix}"))]


def _source() -> list[str]:
    return [sys.executable, "-m", "app"]
