"""A session at a server, opened while another book is open, which stays as it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.services.login import Remote
from app.services.session_facts import BookSession

if TYPE_CHECKING:
    from app.remote.api import Api


@dataclass(frozen=True, slots=True)
class PendingSession:
    """`adopt` makes it the open session, remembered as the one before was."""

    remote: Remote
    session: BookSession
    adopt: Callable[[], BookSession]

    @property
    def api(self) -> "Api":
        """The calls on its book."""
        return self.remote.api

    def close(self) -> None:
        """End it, here and, where it answers, at the server."""
        at = self.remote.at_hand()
        refresh_token = self.remote.tokens.forget()
        self.remote.runner.end()
        self.remote.log_out(refresh_token, at)
