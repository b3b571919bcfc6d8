"""The state of the connection in words, for the pill at the foot of the sidebar."""

from app.errors import SignInError
from app.ui.bounds import count_text
from app.ui.controllers.sync_controller import Link, SyncController

_KEPT = "What you save is kept on this computer and sent later."


def link_words(sync: SyncController) -> tuple[str, str, str]:
    """Return the text, its tone (good, warn, danger or empty) and an explanation."""
    entries = count_text(sync.waiting, "entry", "entries")
    if sync.link is Link.STARTING:
        return "Starting…", "", ""
    if sync.link is Link.OFFLINE:
        return (f"Offline: {entries} waiting" if sync.waiting else "Offline"), "warn", _KEPT
    if isinstance(sync.problem, SignInError):
        return "Please sign in again", "danger", sync.problem.message
    if sync.refused:
        return f"{count_text(sync.refused, 'entry', 'entries')} refused", "danger", _reason(sync)
    if sync.problem is not None and sync.waiting:
        return f"{entries} waiting", "warn", sync.problem.message
    if sync.waiting:
        return f"Sending {entries}", "good", ""
    return "Online", "good", ""


def _reason(sync: SyncController) -> str:
    default = "Look for “Not yet confirmed” in the entries to see why."
    return sync.problem.message if sync.problem is not None else default
