"""A session at a server that was opened while another book is open, and that may replace it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.services.login import Remote
from app.services.session_facts import BookSession

if TYPE_CHECKING:
    from app.remote.api import Api


@dataclass(frozen=True, slots=True)
class PendingSession:
    """A session that is not the open one yet. `adopt` makes it the open one, and remembers it if the present
    one is remembered."""

    remote: Remote
    session: BookSession
    adopt: Callable[[], BookSession]

    @property
    def api(self) -> "Api":
        """The server's calls for the book of this session."""
        return self.remote.api

    def close(self) -> None:
        """End the session here and, if the server answers, at the server."""
        at = self.remote.at_hand()
        refresh_token = self.remote.tokens.forget()
        self.remote.runner.end()
        self.remote.log_out(refresh_token, at)
