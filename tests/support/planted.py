"""What another user can leave in a folder in the place of a file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

OTHER_USER: Final = 65534
needs_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no links and pipes like these")
needs_root = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0, reason="only root can give a file to another user"
)


def _link(place: Path, victim: Path) -> None:
    place.symlink_to(victim)


def _link_to_nothing(place: Path, victim: Path) -> None:
    place.symlink_to(victim.with_name("not there yet"))


def _pipe(place: Path, _victim: Path) -> None:
    os.mkfifo(place)


def _folder(place: Path, _victim: Path) -> None:
    place.mkdir()


def _in_a_folder(plant: Callable[[Path, Path], None]) -> Callable[[Path, Path], None]:
    def planted(place: Path, victim: Path) -> None:
        place.parent.mkdir(exist_ok=True)
        plant(place, victim)

    return planted


PLANTS: Final[dict[str, Callable[[Path, Path], None]]] = {
    "link": _in_a_folder(_link),
    "link to nothing": _in_a_folder(_link_to_nothing),
    "pipe": _in_a_folder(_pipe),
    "folder": _in_a_folder(_folder),
}
"""Each is called with the place and with the path of a file that must not change."""
