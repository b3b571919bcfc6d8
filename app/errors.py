"""Everything that can go wrong on the desk, as one tree.

AppError                 a title, a sentence for a person, whether trying again can help
├── InputError           what was typed or dropped cannot be taken; `fields` says where
├── SignInError          the server did not let us in
├── OfflineError         no server answered; what is on this computer goes on working
├── ServerError          a server answered, and refused or failed
├── StoreError           this computer could not keep something (disk full, file unreadable)
└── CancelledError       the person stopped it
"""

from collections.abc import Mapping


class AppError(Exception):
    """An expected failure: shown as a banner or at a field, never as a crash."""

    title = "Something did not work"

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = False,
        fields: Mapping[str, str] | None = None,
        code: str = "",
        detail: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = retryable
        self.fields = dict(fields or {})
        self.code = code  # the server's stable code, "" for what went wrong here
        self.detail = dict(detail or {})

    @property
    def retry_after(self) -> int:
        """For how many seconds the server asked to wait, 0 where it did not."""
        seconds = self.detail.get("retryAfter")
        return seconds if isinstance(seconds, int) else 0


class InputError(AppError):
    """What was typed or dropped cannot be taken."""

    title = "Please check"


class SignInError(AppError):
    """The server did not let us in."""

    title = "Not signed in"


class OfflineError(AppError):
    """No server answered."""

    title = "No connection"

    def __init__(self, message: str = "The server cannot be reached just now.") -> None:
        super().__init__(message, retryable=True)


class ServerError(AppError):
    """A server answered, and refused or failed."""

    title = "The server refused"


class StoreError(AppError):
    """This computer could not keep or read something."""

    title = "Not kept"


class CancelledError(AppError):
    """The person stopped it."""

    title = "Cancelled"

    def __init__(self) -> None:
        super().__init__("Cancelled.")
