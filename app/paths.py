"""The program's files and folders on this computer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.contract.private_files import (
    check_own_file,
    check_own_folder,
    make_private_folder,
    restrict,
    restrict_own,
)

__all__ = [
    "Paths",
    "check_own_file",
    "check_own_folder",
    "default_paths",
    "make_private_folder",
    "restrict",
]

# The server's folder is named too: an earlier version let other users read it. The server repairs the rest.
_NAMES: Final = (
    "client.sqlite*",
    "bahi.log*",
    "program.lock",
    "program.version",
    "crash.trace",
    "bills",
    "bills/*",
    "server",
    "server/server.log*",
)


@dataclass(frozen=True, slots=True)
class Paths:
    """The files and folders below `home`, which is `<user data>/Bahi`."""

    home: Path

    @property
    def database(self) -> Path:
        """The SQLite file with the outbox, the replay log, the settings and the last entries seen."""
        return self.home / "client.sqlite"

    @property
    def log(self) -> Path:
        """The program's log, one JSON object per line."""
        return self.home / "bahi.log"

    @property
    def end_mark(self) -> Path:
        """The file that is there while the program runs, and after a crash."""
        return self.home / "crash.trace"

    @property
    def bills(self) -> Path:
        """Bills that are not sent yet, and bills that were viewed recently."""
        return self.home / "bills"

    @property
    def server(self) -> Path:
        """The data folder of the local server."""
        return self.home / "server"

    def restrict(self) -> None:
        """Take the rights of other users from `home` and from what the program keeps in it."""
        restrict(self.home)
        restrict_own(self.home, _NAMES)


def default_paths() -> Paths:
    """Return the paths of the user who runs the program."""
    from platformdirs import user_data_path  # imported late: tests and the tour use folders of their own

    return Paths(user_data_path("Bahi", appauthor=False))
