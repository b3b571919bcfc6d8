"""The events that the session machine takes, and the effects that it returns."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Reason = Literal["expiry", "unreachable"]
"""Why a refresh is requested."""
Trouble = Literal["refused", "silent", "unavailable"]
"""How a server fails."""


# --- events -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionBegan:
    """A log-in, or a remembered session. `expires_in` is in seconds; 0 means no access token yet."""

    server: str
    epoch: int
    expires_in: float
    alone: bool


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session was closed."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A call to `server` was answered, with success or an error."""

    server: str
    draining: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """A call to `server` failed, or has made no progress for some time."""

    server: str
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Busy:
    """`server` answered that it is busy (503 with Retry-After)."""

    server: str


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """`server` rejected the access token (401), or answered that it belongs to another server (421)."""

    server: str


@dataclass(frozen=True, slots=True)
class Probed:
    """The readiness probe of `server` ended."""

    server: str
    ok: bool


@dataclass(frozen=True, slots=True)
class StateReported:
    """Discovery reported the state of `server`."""

    server: str
    state: str


@dataclass(frozen=True, slots=True)
class RefreshSucceeded:
    """A refresh was answered: the session is pinned to `server` now."""

    server: str
    epoch: int
    expires_in: float
    alone: bool


@dataclass(frozen=True, slots=True)
class RefreshFailed:
    """`server` did not answer the refresh. "" means that there was no server to ask."""

    server: str


@dataclass(frozen=True, slots=True)
class RefreshRefused:
    """A server answered a refresh that the session is over. `ended` is why, "" if it did not say."""

    ended: str = ""


@dataclass(frozen=True, slots=True)
class TryNow:
    """The user pressed Try now."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The outbox was sent to the server of the pin with this `epoch`. `complete` means that the server has
    all recent changes."""

    epoch: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed. `critical` means that a task of several calls is in progress."""

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
    """Check whether `server` is ready."""

    server: str


@dataclass(frozen=True, slots=True)
class Refresh:
    """Request a refresh at the server `at`, or at the closest one that is not `excluded` if `at` is ""."""

    at: str
    reason: Reason
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Report:
    """Report to discovery that `server` does not answer, and watch its state there."""

    server: str
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Leave:
    """The session is no longer pinned to `server`. If it is `dead`, abort the calls that wait for it."""

    server: str
    dead: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """Send the outbox to the new server."""


Effect: TypeAlias = Probe | Refresh | Report | Leave | Replay
