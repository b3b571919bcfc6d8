"""The errors of the desktop program.

AppError                 an expected error: a sentence for the user, and whether a retry can help
├── InputError           the input is not valid; `fields` names the fields
├── SignInError          the server rejected the log-in, or the session is over
├── OfflineError         no server answered; the data on this computer stays usable
├── ServerError          a server answered with a refusal or an error
├── StoreError           this computer could not save or read something (disk full, file unreadable)
└── CancelledError       the user cancelled the task
"""

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Final

NEWER_BOOK: Final = "newer_book"
"""The `code` of the errors about a book that only a newer program can open."""
_FULL: Final = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NOT_ALLOWED: Final = {errno.EACCES, errno.EPERM}
_REASONS: Final = {
    errno.ENOENT: "{path} cannot be found. Its folder or disk may have been removed.",
    errno.EISDIR: "{path} is a folder. Please choose another name.",
    errno.ENAMETOOLONG: "The name of {path} is too long. Please choose a shorter one.",
    errno.EIO: "The disk reported an error for {path}. It may be damaged, or no longer connected.",
    errno.EFBIG: "{path} would be too large for this disk. Please choose another one.",
}
_LONGEST_REASON: Final = 32
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

    @property
    def ended(self) -> str:
        """Why the session is over, as the server says it (`ended`, `password` …); "" if it said nothing."""
        told = self.detail.get("ended")
        return told[:_LONGEST_REASON] if isinstance(told, str) else ""


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


def storage_error(error: OSError, path: Path) -> StoreError:
    """Return the error that tells what happened to `path`."""
    if error.errno in _FULL:
        return disk_full()
    if error.errno == errno.EROFS:
        return StoreError(f"The disk of {path} can only be read. Please use another one.", code="read_only")
    if error.errno in _NOT_ALLOWED:
        return StoreError(f"Bahi cannot write to {path}: please check its permissions.", code="not_allowed")
    if error.errno in _REASONS:
        return StoreError(_REASONS[error.errno].format(path=path), retryable=True, code="disk_error")
    reason = error.strerror or type(error).__name__
    return StoreError(f"Bahi could not use {path}: {reason}.", retryable=True, code="disk_error")


def disk_full() -> StoreError:
    """Return the error of a disk that has no room left."""
    return StoreError(
        "The disk is full. Please free some space, then try again.", retryable=True, code="disk_full"
    )
