"""What the sync worker hears of the session, and the one stream of events that it tells the windows."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from app.domain.connection_status import ConnectionStatus, Phase
from app.domain.session import Machine
from app.errors import AppError, SignInError


class Connectivity(Enum):
    """Whether a server answered the last call of the sync worker."""

    STARTING = "starting"
    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class SyncState:
    """A snapshot of the sync worker.

    `waiting` counts the operations that no server has confirmed, refused ones included; `refused` counts
    those that the server refused for good. `problem` is the error that stopped the last run, None if it
    was only that no server answered.
    """

    connection: ConnectionStatus = field(default_factory=lambda: ConnectionStatus(Phase.SIGNED_OUT))
    connectivity: Connectivity = Connectivity.STARTING
    waiting: int = 0
    refused: int = 0
    problem: AppError | None = None


# --- what the worker hears of the session ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MachineChanged:
    """The session machine is in another state."""

    machine: Machine


@dataclass(frozen=True, slots=True)
class ReplayWanted:
    """The session is pinned to another server: send what waits, and count what is there."""


SessionChange: TypeAlias = MachineChanged | ReplayWanted


# --- what the worker tells ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Started:
    """The book that `SyncWorker.start` returned `number` for is open: later events are about it."""

    number: int


@dataclass(frozen=True, slots=True)
class StateChanged:
    """Something in the snapshot changed."""

    state: SyncState


@dataclass(frozen=True, slots=True)
class EntriesConfirmed:
    """A server confirmed `count` operations, or refused some: the listing is out of date."""

    count: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run of the outbox ended; `left` operations are still to be sent, without those refused for good."""

    left: int


@dataclass(frozen=True, slots=True)
class Superseded:
    """The entries with these codes were changed later on another device than by what was sent."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignInNeeded:
    """The session has ended: the password is needed."""

    error: SignInError


@dataclass(frozen=True, slots=True)
class CameBack:
    """A server is there again, or the new one has caught up: what was read before may be out of date."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """Work failed with an exception that no code expected."""

    exception: Exception


SyncEvent: TypeAlias = (
    Started | StateChanged | EntriesConfirmed | RunEnded | Superseded | SignInNeeded | CameBack | Crashed
)
