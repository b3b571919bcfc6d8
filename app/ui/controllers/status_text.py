"""The text of the connection status at the foot of the sidebar."""

from typing import Final

from app.domain.connection_status import ConnectionStatus, Phase
from app.domain.sync_events import Connectivity
from app.errors import SignInError
from app.ui.bounds import count_text
from app.ui.controllers.sync_controller import SyncController

_KEPT: Final = "Entries that you save are kept on this computer and sent later."
_OWN_BOOK: Final = ConnectionStatus(Phase.PINNED)


def status_text(
    sync: SyncController,
    view: ConnectionStatus = _OWN_BOOK,
    left: int | None = None,
    *,
    signed_out: bool = False,
) -> tuple[str, str, str]:
    """Return the text, its tone (good, warn, danger or "") and an explanation for the tool tip.

    `left` is the number of seconds until another server is asked. `signed_out` means that the user must
    enter the password again. `view` tells whether a server can be reached; for the local book, that is known
    from the last run of `sync`.
    """
    at_server = bool(view.server_label)
    if at_server and not signed_out and view.phase in (Phase.RECONNECTING, Phase.OFFLINE, Phase.SWITCHING):
        return _away(sync, view, left)
    if sync.connectivity is Connectivity.STARTING:
        return "Starting…", "", ""
    if signed_out or isinstance(sync.problem, SignInError) or (at_server and view.phase is Phase.SIGNED_OUT):
        return _with_waiting("Signed out", sync), "danger", _KEPT
    if sync.connectivity is Connectivity.OFFLINE and not at_server:
        return _with_waiting("Offline", sync), "warn", _KEPT
    return _sending(sync)


def _away(sync: SyncController, view: ConnectionStatus, left: int | None) -> tuple[str, str, str]:
    if view.phase is Phase.RECONNECTING:
        text = f"Reconnecting… {left} s" if left else "Reconnecting…"
        waiting = f" {_entries(sync)} waiting." if sync.waiting else ""
        return text, "warn", f"{view.server_label} does not answer. {_KEPT}{waiting}"
    if view.phase is Phase.OFFLINE:
        return _with_waiting("Offline", sync), "warn", _KEPT
    return "Changing server…", "warn", _KEPT


def _sending(sync: SyncController) -> tuple[str, str, str]:
    if sync.refused:
        return f"{count_text(sync.refused, 'entry', 'entries')} refused", "danger", _reason(sync)
    if sync.problem is not None and sync.waiting:
        return f"{_entries(sync)} waiting", "warn", sync.problem.message
    if sync.waiting:
        return f"Sending {_entries(sync)}", "good", ""
    return "Online", "good", ""


def _with_waiting(state: str, sync: SyncController) -> str:
    return f"{state}: {_entries(sync)} waiting" if sync.waiting else state


def _entries(sync: SyncController) -> str:
    return count_text(sync.waiting, "entry", "entries")


def _reason(sync: SyncController) -> str:
    default = "The reason is in the outbox."
    return sync.problem.message if sync.problem is not None else default
