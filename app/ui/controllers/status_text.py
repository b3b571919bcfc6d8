"""The text of the connection status at the foot of the sidebar."""

from typing import Final

from app.domain.connection_status import ConnectionStatus, Phase
from app.domain.sync_events import Connectivity
from app.domain.wording import Words, words_of
from app.errors import SignInError
from app.ui.bounds import count_text
from app.ui.controllers.sync_controller import SyncController

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
    at_server, words = not view.is_local, words_of(is_local=view.is_local)
    if at_server and not signed_out and view.phase in (Phase.RECONNECTING, Phase.OFFLINE, Phase.SWITCHING):
        return _away(sync, view, words, left)
    if sync.connectivity is Connectivity.STARTING:
        return "Starting…", "", ""
    if signed_out or isinstance(sync.problem, SignInError) or (at_server and view.phase is Phase.SIGNED_OUT):
        return _with_waiting("Signed out", sync), "danger", words.kept
    if sync.connectivity is Connectivity.OFFLINE and not at_server:
        return _with_waiting(words.not_connected, sync), "warn", words.kept
    return _sending(sync, words)


def with_draft(status: tuple[str, str, str], draft_error: str) -> tuple[str, str, str]:
    """Return `status`; if all would be well, but the draft of the form is not stored, say that instead."""
    return ("Draft not saved", "warn", draft_error) if draft_error and status[1] == "good" else status


def _away(
    sync: SyncController, view: ConnectionStatus, words: Words, left: int | None
) -> tuple[str, str, str]:
    if view.phase is Phase.RECONNECTING:
        text = f"Reconnecting… {left} s" if left else "Reconnecting…"
        waiting = f" {_entries(sync)} waiting." if sync.waiting else ""
        return text, "warn", f"{view.server_label} does not answer. {words.kept}{waiting}"
    if view.phase is Phase.OFFLINE:
        return _with_waiting(words.not_connected, sync), "warn", words.kept
    return "Changing server…", "warn", words.kept


def _sending(sync: SyncController, words: Words) -> tuple[str, str, str]:
    if sync.refused:
        return f"{_counted(sync.refused)} {words.not_accepted_count}", "danger", _reason(sync)
    if sync.problem is not None and sync.waiting:
        return f"{_entries(sync)} waiting", "warn", sync.problem.message
    if sync.waiting:
        return f"{words.sending} {_entries(sync)}", "good", ""
    return words.connected, "good", words.connected_tip


def _with_waiting(state: str, sync: SyncController) -> str:
    return f"{state.removesuffix('…')}: {_entries(sync)} waiting" if sync.waiting else state


def _entries(sync: SyncController) -> str:
    return _counted(sync.waiting)


def _counted(count: int) -> str:
    return count_text(count, "entry", "entries")


def _reason(sync: SyncController) -> str:
    default = "The reason is on the page Waiting."
    return sync.problem.message if sync.problem is not None else default
