"""Where things are kept on this computer."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """Everything lies below `home`, which is `<user data>/Bahi`."""

    home: Path

    @property
    def database(self) -> Path:
        """Outbox, settings, and the last entries seen."""
        return self.home / "client.sqlite"

    @property
    def log(self) -> Path:
        """What this program did, and which calls it made."""
        return self.home / "bahi.log"

    @property
    def bills(self) -> Path:
        """Bills that wait, and those looked at lately."""
        return self.home / "bills"

    @property
    def server(self) -> Path:
        """The data folder of this computer's own server."""
        return self.home / "server"


def default_paths() -> Paths:
    """Return the paths of the user who runs the program."""
    from platformdirs import user_data_path

    return Paths(user_data_path("Bahi", appauthor=False))
