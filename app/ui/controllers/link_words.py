"""The state of the connection in words, for the pill at the foot of the sidebar."""

from app.errors import SignInError
from app.ui.bounds import count_text
from app.ui.controllers.sync_controller import Link, SyncController

_KEPT = "What you save is kept on this computer and sent later."


def link_words(sync: SyncController, *, signed_out: bool = False) -> tuple[str, str, str]:
    """Return the text, its tone (good, warn, danger or empty) and an explanation; `signed_out` says that the
    server wants the password once more."""
    entries = count_text(sync.waiting, "entry", "entries")
    if sync.link is Link.STARTING:
        return "Starting…", "", ""
    if signed_out or isinstance(sync.problem, SignInError):
        return (f"Signed out: {entries} waiting" if sync.waiting else "Signed out"), "danger", _KEPT
    if sync.link is Link.OFFLINE:
        return (f"Offline: {entries} waiting" if sync.waiting else "Offline"), "warn", _KEPT
    if sync.refused:
        return f"{count_text(sync.refused, 'entry', 'entries')} refused", "danger", _reason(sync)
    if sync.problem is not None and sync.waiting:
        return f"{entries} waiting", "warn", sync.problem.message
    if sync.waiting:
        return f"Sending {entries}", "good", ""
    return "Online", "good", ""


def _reason(sync: SyncController) -> str:
    default = "The outbox says why."
    return sync.problem.message if sync.problem is not None else default
