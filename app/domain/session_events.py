"""What the session machine hears (events) and what it wants done (effects)."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Reason = Literal["expiry", "unreachable"]
"""Why a refresh is made."""
Trouble = Literal["refused", "silent", "unavailable"]
"""How a server fails."""


# --- events -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionBegan:
    """A log-in, or a remembered session (`expires_in` 0: without an access token yet)."""

    server: str
    epoch: int
    expires_in: float
    alone: bool


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session was closed."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A call came back from `server`, whatever it said."""

    server: str
    draining: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """A call to `server` did not come back, or is silent."""

    server: str
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Busy:
    """`server` asked to wait (503 with Retry-After)."""

    server: str


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """`server` takes the access token no more (401), or says that it is another server's (421)."""

    server: str


@dataclass(frozen=True, slots=True)
class Probed:
    """The readiness probe of `server` ended."""

    server: str
    ok: bool


@dataclass(frozen=True, slots=True)
class StateReported:
    """Discovery says so of `server`."""

    server: str
    state: str


@dataclass(frozen=True, slots=True)
class RefreshSucceeded:
    """A refresh was answered: the lock is on `server` now."""

    server: str
    epoch: int
    expires_in: float
    alone: bool


@dataclass(frozen=True, slots=True)
class RefreshFailed:
    """The server that was asked ("": none was found to ask) did not answer the refresh."""

    server: str


@dataclass(frozen=True, slots=True)
class RefreshRefused:
    """The session is over."""


@dataclass(frozen=True, slots=True)
class TryNow:
    """The person does not want to wait."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What waited was sent to the server that the lock of `epoch` was on; `complete` says that all recent
    changes are there."""

    epoch: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed; `critical` says that a task is under way."""

    critical: bool = False


Event: TypeAlias = (
    SessionBegan
    | SessionEnded
    | Answered
    | Failed
    | Busy
    | TokenRefused
    | Probed
    | StateReported
    | RefreshSucceeded
    | RefreshFailed
    | RefreshRefused
    | TryNow
    | Replayed
    | Tick
)


# --- effects ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask `server` whether it is ready."""

    server: str


@dataclass(frozen=True, slots=True)
class Refresh:
    """Refresh at `at`; "": at the closest server that is not `excluded`."""

    at: str
    reason: Reason
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Report:
    """Tell discovery that `server` does not answer, and listen to what it says of it."""

    server: str
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Leave:
    """The lock is no longer on `server`; where it does not answer, calls that wait for it are broken off."""

    server: str
    dead: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """Send what waits to the new server."""


Effect: TypeAlias = Probe | Refresh | Report | Leave | Replay
