"""The errors of the desktop program.

AppError                 an expected error: a sentence for the user, and whether a retry can help
├── InputError           the input is not valid; `fields` names the fields
├── SignInError          the server rejected the log-in, or the session is over
├── OfflineError         no server answered; the data on this computer stays usable
├── ServerError          a server answered with a refusal or an error
├── StoreError           this computer could not save or read something (disk full, file unreadable)
└── CancelledError       the user cancelled the task
"""

from collections.abc import Mapping
from typing import Final

_LONGEST_WAIT: Final = 86_400


class AppError(Exception):
    """An expected error. The windows show `message` as a banner, or `fields` next to the form fields.

    `fields` maps a field's name to its sentence. `code` is a stable error code: the server's, or
    this computer's, or "" if there is none. `detail` holds the further data of the server's answer.
    """

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
        self.code = code
        self.detail = dict(detail or {})

    @property
    def retry_after(self) -> int:
        """The number of seconds after which the server allows a retry, at most a day; 0 if it named none."""
        seconds = self.detail.get("retryAfter")
        return min(max(seconds, 0), _LONGEST_WAIT) if isinstance(seconds, int) else 0


class InputError(AppError):
    """The input is not valid."""


class SignInError(AppError):
    """The server rejected the log-in, or the session is over."""


class OfflineError(AppError):
    """No server answered. A retry can help. `code` is the reason (`app/remote/trouble.py`) if it is known."""

    def __init__(self, message: str = "The server cannot be reached right now.", *, code: str = "") -> None:
        super().__init__(message, retryable=True, code=code)


class ServerError(AppError):
    """A server answered with a refusal or an error."""


class StoreError(AppError):
    """This computer could not save or read something."""


class CancelledError(AppError):
    """The user cancelled the task."""

    def __init__(self) -> None:
        super().__init__("Cancelled.")
