"""The small pictures on the tiles of bills, those in view first."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QScrollArea

from app.domain.file_names import shown_name
from app.domain.preview import PreviewRequest, Refusal, Urgency
from app.errors import AppError, InputError
from app.ui.previews import PagePicture, PreviewFeed, attachment_note, can_try_again
from app.ui.tasks import Tasks
from app.ui.widgets.document_tile import DocumentTile

if TYPE_CHECKING:
    from app.services import Services

_EDGE: Final = 320


class Thumbnails(QObject):
    """Renders the thumbnails of the tiles in `area`.

    `noted` is emitted when a tile has got a note, or has lost it, and `password_refused` when the password of
    `unlock` is wrong.
    """

    noted = Signal()
    password_refused = Signal()

    def __init__(self, services: "Services", tasks: Tasks, area: QScrollArea) -> None:
        super().__init__(area)
        self._services = services
        self._tasks = tasks
        self._feed = PreviewFeed(services.previews, self)
        self._waiting: dict[DocumentTile, tuple[PreviewRequest, Urgency, Callable[[], None]]] = {}
        self._again: dict[DocumentTile, PreviewRequest] = {}
        self._protected: dict[DocumentTile, PreviewRequest] = {}
        self._unlocking: set[DocumentTile] = set()
        self._tiles: set[DocumentTile] = set()
        area.verticalScrollBar().valueChanged.connect(lambda _value: self._hasten())
        area.viewport().installEventFilter(self)

    def load(self, tile: DocumentTile) -> None:
        """Show the picture of the bill of `tile` when it is rendered, or a note why there is none."""
        bill = tile.attachment
        assert bill is not None
        self._tiles.add(tile)

        def render(found: tuple[Path, int]) -> None:
            if tile in self._tiles:
                path, turns = found
                self._ask(tile, PreviewRequest(path, bill.media_type, edge=_EDGE, turns=turns))

        documents = self._services.documents
        self._tasks.run(lambda: (documents.fetch(bill), documents.turns(bill)), render, owner=tile)

    def drop(self, tile: DocumentTile) -> None:
        """Cancel what was asked for a tile that is removed."""
        self._tiles.discard(tile)
        self._again.pop(tile, None)
        self._protected.pop(tile, None)
        self._unlocking.discard(tile)
        if tile in self._waiting:
            self._waiting.pop(tile)[2]()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at what is in view when the area has been shown or resized."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.Resize):
            QTimer.singleShot(0, self, self._hasten)  # the tiles are laid out first
        return super().eventFilter(watched, event)

    def _hasten(self) -> None:
        """Render the tiles that have come into view before the others."""
        for tile, (request, urgency, _cancel) in list(self._waiting.items()):
            if _urgency(tile) < urgency:
                self._ask(tile, request)

    def try_again(self) -> None:
        """Ask again for the pictures that could not be made in time."""
        tiles, self._again = self._again, {}
        for tile, request in tiles.items():
            tile.clear_note()
            self._ask(tile, request, again=True)
        self.noted.emit()

    @property
    def protected(self) -> DocumentTile | None:
        """Return the first tile whose PDF waits for its password."""
        return next(iter(self._protected), None)

    def unlock(self, password: str) -> None:
        """Use `password` for the bill of `protected`."""
        tile = self.protected
        if tile is not None:
            request = self._protected[tile]
            self._unlocking.add(tile)
            self._services.previews.unlock(request.path, password)
            self._ask(tile, request)

    @property
    def can_try_again(self) -> bool:
        """Return whether there is anything for `try_again`."""
        return bool(self._again)

    def _ask(self, tile: DocumentTile, request: PreviewRequest, *, again: bool = False) -> None:
        if tile in self._waiting:
            self._waiting.pop(tile)[2]()
        urgency = _urgency(tile)
        done, failed = partial(self._show, tile, request), partial(self._refuse, tile, request)
        cancel = self._feed.ask(request, urgency, done, failed, again=again)
        self._waiting[tile] = (request, urgency, cancel)

    def _show(self, tile: DocumentTile, request: PreviewRequest, picture: PagePicture) -> None:
        del self._waiting[tile]
        self._unlocking.discard(tile)
        if self._protected.pop(tile, None) is not None:
            tile.show_note("")
            self.noted.emit()
        tile.thumbnail.show_picture(picture)
        if picture.note:
            tile.show_note(f"“{shown_name(tile.file_name)}”: {picture.note}")
            self.noted.emit()
        head = tile.thumbnail.head_of(picture)
        if head is not None and request.part is None:
            self._ask(tile, replace(request, part=head))

    def _refuse(self, tile: DocumentTile, request: PreviewRequest, error: AppError) -> None:
        del self._waiting[tile]
        # Another request for the same bill may have told first that the password is wrong.
        is_protected = error.code in {Refusal.HAS_PASSWORD, Refusal.WRONG_PASSWORD}
        is_wrong = is_protected and tile in self._unlocking
        ending = attachment_note(InputError("", code=Refusal.WRONG_PASSWORD) if is_wrong else error)
        if not ending or request.part is not None:  # the file is not the reason, or there is a picture
            return
        if can_try_again(error):
            self._again[tile] = request
        if is_protected:
            self._protected[tile] = request
        self._unlocking.discard(tile)
        tile.show_note(f"“{shown_name(tile.file_name)}” {ending}")
        self.noted.emit()
        if is_wrong:
            self.password_refused.emit()


def _urgency(tile: DocumentTile) -> Urgency:
    return Urgency.IN_BACKGROUND if tile.visibleRegion().isEmpty() else Urgency.IN_VIEW
