"""Where the changes are: when to look it up again, and the warning of those that only one region has."""

from collections.abc import Collection
from itertools import chain

from PySide6.QtCore import QObject

from app.domain.connection_status import ConnectionStatus, Phase
from app.domain.sync_state import SAFE_REGIONS
from app.ui.book_frame import BookFrame
from app.ui.bounds import count_text
from app.ui.models.state_marks import Replication


def late_words(count: int, regions: Collection[str]) -> str:
    """Return the warning, of two lines, of `count` changes that are in these regions, each in too few."""
    where = next(iter(regions)) if len(regions) == 1 else "one region"
    changes = count_text(count, "change", "changes")
    kept, them = ("It is", "it") if count == 1 else ("They are", "them")
    return (
        f"{changes} reached only {where} more than 5 minutes ago."
        f"\n{kept} kept on this computer too, until another region has {them}."
    )


class ReplicationWarning(QObject):
    """Follows the link through `show`. The warning comes once the places are known, and goes at once."""

    def __init__(self, book: BookFrame, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._book = book
        self._view = ConnectionStatus(Phase.SIGNED_OUT)
        self._read = 0  # so many were warned of when the person closed the warning
        book.late.pressed.connect(self.dismiss)
        book.listing.replication_known.connect(self._warn)

    def show(self, view: ConnectionStatus) -> None:
        """Take how the link stands now; while signed out, all stays as it was."""
        if view.phase is Phase.SIGNED_OUT:
            return
        before, self._view = self._view, view
        self._read = min(self._read, view.late)
        self._book.listing.set_at_server(bool(view.server_label))
        if _news(view) != _news(before):
            self._book.listing.ask_replication()
        if not self._is_due():
            self._book.show_late("")

    def clear(self) -> None:
        """Show nothing of it any more, as when the book is closed."""
        self._view, self._read = ConnectionStatus(Phase.SIGNED_OUT), 0
        self._book.listing.set_at_server(False)
        self._book.show_late("")

    def dismiss(self) -> None:
        """Take the warning away until there is more to warn of."""
        self._read = self._view.late
        self._book.show_late("")

    def _is_due(self) -> bool:
        return self._view.late > self._read and self._view.moved is None

    def _warn(self, places: Replication) -> None:
        if self._is_due():
            self._book.show_late(late_words(self._view.late, _lonely(places)))


def _news(view: ConnectionStatus) -> tuple[object, ...]:
    return view.server_label, view.moved, view.unsettled, view.late


def _lonely(places: Replication) -> set[str]:
    """Return the regions of what was confirmed and is not in enough of them."""
    few = [each for each in places.values() if each.at_us and len(each.regions) < SAFE_REGIONS]
    return set(chain.from_iterable(each.regions or {each.region} for each in few))
