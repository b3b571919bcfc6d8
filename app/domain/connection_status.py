"""The status of the connection, as the windows show it."""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """The states of the session machine (`app/domain/session.py`)."""

    SIGNED_OUT = "signed_out"
    PINNED = "pinned"
    REFRESHING = "refreshing"
    SUSPECT = "suspect"
    RECONNECTING = "reconnecting"
    SWITCHING = "switching"
    SYNCING = "syncing"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Moved:
    """The primary server has changed, and this is the progress of the recent changes of this computer.

    `here` of `total` are known to be in the new region. The status of `unknown` of them was not polled there
    yet. `late` means that five minutes have passed and some are not there.
    """

    here: int
    total: int
    late: bool = False
    unknown: int = 0

    @property
    def complete(self) -> bool:
        """Whether all recent changes are in the new region."""
        return self.here >= self.total


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """State of the connection, for the windows.

    `server_label` names server and region, "" for the book on this computer. `reconnect_at` is the latest
    instant, on the clock of `SyncWorker.now`, at which another server is asked. `moved` stays until it
    is dismissed. `unsettled` counts the changes that a server has confirmed and no second region has yet;
    `late` counts those of them that were confirmed more than five minutes ago.
    """

    phase: Phase
    server_label: str = ""
    reconnect_at: float | None = None
    moved: Moved | None = None
    unsettled: int = 0
    late: int = 0

    @property
    def is_local(self) -> bool:
        """Whether this is the connection of the book on this computer."""
        return not self.server_label
