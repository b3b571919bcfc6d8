"""The events of the session that the sync worker takes, and the events that it publishes to the windows."""

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


# --- events of the session ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MachineChanged:
    """The session machine is in another state."""

    machine: Machine


@dataclass(frozen=True, slots=True)
class ReplayWanted:
    """The session is pinned to another server: send the outbox, and count the changes that it has."""


SessionChange: TypeAlias = MachineChanged | ReplayWanted


# --- events of the worker -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Started:
    """The book of `number`, as returned by `SyncWorker.start`, is open. Later events are about this book."""

    number: int


@dataclass(frozen=True, slots=True)
class StateChanged:
    """Something in the snapshot changed."""

    state: SyncState


@dataclass(frozen=True, slots=True)
class EntriesConfirmed:
    """A server confirmed `count` operations, or refused some. The listing is out of date."""

    count: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run of the outbox ended. `left` operations are still to be sent; refused ones are not counted."""

    left: int


@dataclass(frozen=True, slots=True)
class Superseded:
    """The entries with these codes were changed on another device, later than the changes just sent."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignInNeeded:
    """The session has ended. The user must enter the password."""

    error: SignInError


@dataclass(frozen=True, slots=True)
class CameBack:
    """A server can be reached again, or the new one has caught up. Data read before may be out of date."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """A job failed with an unexpected exception."""

    exception: Exception


SyncEvent: TypeAlias = (
    Started | StateChanged | EntriesConfirmed | RunEnded | Superseded | SignInNeeded | CameBack | Crashed
)
