"""The warning about changes that have been in only one region for too long."""

from itertools import chain
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.domain.connection_status import ConnectionStatus, Phase
from app.domain.sync_state import SAFE_REGIONS
from app.ui.book_frame import BookFrame
from app.ui.bounds import count_text
from app.ui.models.state_marks import Replication

if TYPE_CHECKING:
    from app.ui.views.listing_view import ListingView


def late_words(count: int) -> str:
    """Return the warning, in two lines, that `count` changes are late."""
    changes = count_text(count, "change", "changes")
    has, kept, them = ("has", "It is", "it") if count == 1 else ("have", "They are", "them")
    return (
        f"{changes} {has} been on only one server for more than 5 minutes."
        f"\n{kept} also kept on this computer until another server has {them}."
    )


class ReplicationWarning(QObject):
    """Follows the connection status through `show`, and reads the replication status when that changes.

    The warning appears when the replication status has been read, and disappears at once.
    """

    def __init__(self, book: BookFrame, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._book = book
        self._view = ConnectionStatus(Phase.SIGNED_OUT)
        self._dismissed = 0  # the number of late changes when the user closed the warning
        book.late.pressed.connect(self.dismiss)
        book.listing_page.when_made(self._tell_listing)

    def show(self, view: ConnectionStatus) -> None:
        """Handle a new connection status. While signed out, nothing changes."""
        if view.phase is Phase.SIGNED_OUT:
            return
        before, self._view = self._view, view
        self._dismissed = min(self._dismissed, view.late)
        self._book.listing_page.if_made(lambda listing: listing.set_at_server(not view.is_local))
        if _news(view) != _news(before):
            self._book.listing_page.if_made(lambda listing: listing.ask_replication())
        if not self._is_due():
            self._book.show_late("")

    def _tell_listing(self, listing: "ListingView") -> None:
        """Handle that the listing was made. It may be later than the first status."""
        listing.replication_known.connect(self._warn)
        if self._view.phase is not Phase.SIGNED_OUT:
            listing.set_at_server(not self._view.is_local)
            listing.ask_replication()

    def clear(self) -> None:
        """Hide the warning and forget the status, for example when the book is closed."""
        self._view, self._dismissed = ConnectionStatus(Phase.SIGNED_OUT), 0
        self._book.listing_page.if_made(lambda listing: listing.set_at_server(False))
        self._book.show_late("")

    def dismiss(self) -> None:
        """Hide the warning until more changes are late."""
        self._dismissed = self._view.late
        self._book.show_late("")

    def _is_due(self) -> bool:
        return self._view.late > self._dismissed and self._view.moved is None

    def _warn(self, replication: Replication) -> None:
        if self._is_due():
            self._book.show_late(late_words(self._view.late), ", ".join(sorted(_only_regions(replication))))


def _news(view: ConnectionStatus) -> tuple[object, ...]:
    return view.server_label, view.moved, view.unsettled, view.late


def _only_regions(replication: Replication) -> set[str]:
    """Return the regions of confirmed changes that are in too few regions."""
    few = [each for each in replication.values() if each.at_us and len(each.regions) < SAFE_REGIONS]
    return set(chain.from_iterable(each.regions or {each.region} for each in few))
