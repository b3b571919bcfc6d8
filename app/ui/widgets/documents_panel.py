"""The bills of an entry in a form: the drop area, Browse, the attached bills, and errors."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.domain.bounds import MAX_DOCUMENTS
from app.domain.entry import Attachment
from app.domain.file_names import shown_name
from app.errors import AppError
from app.ui.desktop import Desktop
from app.ui.icons import put_icon
from app.ui.offers import Bills, open_bills
from app.ui.pictures_offered import PICTURE_NAME
from app.ui.tasks import Tasks
from app.ui.widgets.banner import Banner
from app.ui.widgets.document_tile import TILE_MIME, DocumentTile
from app.ui.widgets.flow import FlowLayout
from app.ui.widgets.password_prompt import PasswordPrompt
from app.ui.widgets.pieces import button, label
from app.ui.widgets.thumbnails import Thumbnails

if TYPE_CHECKING:
    from app.services import Services
    from app.ui.camera.shots import Shot

_ROOM_FOR_BUTTONS: Final = 300
"""The width of the panel from which on its two buttons are beside each other."""


class DropArea(QFrame):
    """The dashed frame. `pressed` is emitted by a click."""

    pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("drop_area")
        self.setProperty("role", "drop")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        icon = QLabel()
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(12, 16, 12, 16)
        column.setSpacing(6)
        put_icon(icon, "upload", "accent", size=30)
        self._lines = (
            icon,
            label("Drop photos or PDFs here", "strong", wrap=True),
            label("Paste: Ctrl+V\nChoose files: Ctrl+O\nCamera: Ctrl+Shift+C", "muted", wrap=True),
            label("You can also add the bill later.", "small", wrap=True),
        )
        for line in self._lines:
            line.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(line)

    def set_compact(self, compact: bool) -> None:
        """Shrink to one line, to leave room for the bills."""
        for line in (self._lines[0], *self._lines[2:]):
            line.setVisible(not compact)
        margin = 8 if compact else 22
        self._column.setContentsMargins(12, margin, 12, margin)

    def mouseReleaseEvent(self, _event: object) -> None:
        """Emit `pressed`."""
        self.pressed.emit()


class DocumentsPanel(QFrame):
    """Attaches files and pictures.

    `changed` is emitted after every change, and `settled` when no bill is being read any more. `prefix` is
    the first part of the object names. `camera_wanted` asks for the dialog that photographs bills; the
    pictures go to `add_photos`. Bills that are not `movable` keep their order, as in a saved entry.
    """

    changed = Signal()
    settled = Signal()
    open_wanted = Signal(object)
    camera_wanted = Signal()

    def __init__(
        self,
        services: "Services",
        tasks: Tasks,
        desktop: Desktop,
        prefix: str = "",
        *,
        movable: bool = True,
    ) -> None:
        super().__init__()
        self.setObjectName(f"{prefix}documents_panel")
        self.setProperty("role", "card")
        self._services = services
        self._tasks = tasks
        self._desktop = desktop
        self._keys = itertools.count(1)
        self._tiles: list[DocumentTile] = []
        self._movable = movable
        self._asked: DocumentTile | None = None  # whose password is asked for
        self._build(prefix)
        self._thumbnails = Thumbnails(services, tasks, self._area)
        self._thumbnails.noted.connect(self._update_note)
        self.prompt.given.connect(self._thumbnails.unlock)
        self._thumbnails.password_refused.connect(self._ask_again)
        self.note.pressed.connect(self._thumbnails.try_again)
        self._count()

    def _build(self, prefix: str) -> None:
        self.count_label = label("", "muted", f"{prefix}documents_count")
        self.drop_area = DropArea()
        self.drop_area.pressed.connect(self.browse)
        self.browse_button = button("Browse…", f"{prefix}browse_button", icon="folder-open")
        self.browse_button.setToolTip("Choose files (Ctrl+O)")
        self.browse_button.clicked.connect(self.browse)
        self.camera_button = button("Camera…", f"{prefix}camera_button", icon="camera")
        self.camera_button.setToolTip("Photograph bills (Ctrl+Shift+C)")
        self.camera_button.clicked.connect(self.photograph)
        self.refusal = Banner(f"{prefix}documents_refusal")
        self.note = Banner(f"{prefix}documents_note")
        self.prompt = PasswordPrompt(f"{prefix}documents_password")
        self.prompt.hide()
        head = QHBoxLayout()
        head.addWidget(label("Bills", "heading"))
        head.addStretch(1)
        head.addWidget(self.count_label)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self.drop_area)
        column.addLayout(self._buttons())
        for widget in (self.refusal, self.note, self.prompt):
            column.addWidget(widget)
        column.addWidget(self._shelf(), 1)
        column.addStretch()

    def _buttons(self) -> QBoxLayout:
        self._button_row = row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(10)
        for each in (self.browse_button, self.camera_button):
            each.setMinimumWidth(1)  # so that the panel can become too narrow for both in one row
            row.addWidget(each, 1)
        return row

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the buttons below each other if there is no room for both in one row."""
        super().resizeEvent(event)
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._button_row.setDirection(down if event.size().width() < _ROOM_FOR_BUTTONS else across)

    def _shelf(self) -> QScrollArea:
        self._inner = inner = QWidget()
        inner.setProperty("role", "clear")
        self._flow = FlowLayout(inner, 10)
        area = QScrollArea()
        area.setObjectName("documents_shelf")
        area.setWidgetResizable(True)
        # Without bills, no room is kept for them; with bills, the drop area shrinks.
        area.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        area.setMinimumHeight(1)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.viewport().setProperty("role", "clear")
        area.setWidget(inner)
        self._area = area
        return area

    def attachments(self) -> tuple[Attachment, ...]:
        """Return the attached bills in order, without those that are still being read."""
        return tuple(tile.attachment for tile in self._tiles if tile.attachment is not None)

    @property
    def attaching(self) -> bool:
        """Return whether a bill is still being read."""
        return any(tile.attachment is None for tile in self._tiles)

    @property
    def empty(self) -> bool:
        """Return whether there are no bills, not even ones being read."""
        return not self._tiles

    @property
    def taking(self) -> bool:
        """Return whether bills can be attached now. They cannot while the entry is being saved."""
        return self.browse_button.isEnabled()

    def set_taking(self, taking: bool) -> None:
        """Set whether bills can be attached now."""
        self.browse_button.setEnabled(taking)
        self.camera_button.setEnabled(taking)
        self.drop_area.setEnabled(taking)

    def browse(self) -> None:
        """Let the user choose files, and attach them."""
        if self.taking:
            folder = self._services.folders.taken_from()
            self.add_files(self._desktop.choose_files(self, folder))

    def photograph(self) -> None:
        """Ask for the dialog that photographs bills, if there is room for one."""
        if not self.taking:
            return
        self.refusal.hide()
        if self.room:
            self.camera_wanted.emit()
        else:
            self._refuse(f"An entry can have at most {MAX_DOCUMENTS} bills. Please remove one first.")

    @property
    def room(self) -> int:
        """How many bills can still be attached."""
        return max(MAX_DOCUMENTS - len(self._tiles), 0)

    @property
    def names(self) -> list[str]:
        """The file names of the bills."""
        return [tile.file_name for tile in self._tiles]

    def add_photos(self, shots: "Sequence[Shot]") -> None:
        """Attach pictures of the camera, in this order."""
        documents = self._services.documents
        for shot in shots:
            if shot.photo is not None and self._room():
                self._add(shot.name, partial(documents.attach_bytes, shot.photo.data, shot.name))

    def add_files(self, paths: list[Path]) -> None:
        """Attach `paths` in this order."""
        self.add_bills(open_bills(self._services, paths))

    def add_bills(self, bills: Bills) -> None:
        """Attach what was dropped, pasted or chosen, as far as there is room, and tell what was refused."""
        self.refusal.hide()
        for sentence in bills.refusals:
            self._refuse(sentence)
        documents = self._services.documents
        for file in bills.files:
            if self._room():
                self._add(file.name, partial(documents.attach_open, file))
            else:
                file.close()
        picture = bills.picture
        if picture is not None and self._room():
            self._add(PICTURE_NAME, lambda: documents.attach_bytes(picture.encoded(), PICTURE_NAME))

    def add_kept(self, attachments: Iterable[Attachment]) -> None:
        """Add bills that are stored already: those of a draft, or of the entry being edited."""
        for attachment in attachments:
            tile = self._new_tile(attachment.file_name)
            tile.attach(attachment)
            self._thumbnails.load(tile)
        self._count()

    def clear(self) -> None:
        """Remove all bills."""
        for tile in list(self._tiles):
            self._delete_tile(tile)
        self.refusal.hide()
        self._update_note()
        self._count()

    def _room(self) -> bool:
        if self.room:
            return True
        self._refuse(f"An entry can have at most {MAX_DOCUMENTS} bills. The rest were not added.")
        return False

    def _refuse(self, sentence: str) -> None:
        known = self.refusal.text().splitlines()
        if sentence not in known:
            self.refusal.say("\n".join((*known, sentence)), "danger")

    def _new_tile(self, name: str) -> DocumentTile:
        tile = DocumentTile(str(next(self._keys)), name, movable=self._movable)
        tile.removed.connect(self._remove)
        tile.moved.connect(self._move_by)
        # Only its own tiles: Qt tells the end of a refused drag only to what accepts drops under the mouse.
        tile.dragged.connect(self.setAcceptDrops)
        tile.opened.connect(self._open)
        self._tiles.append(tile)
        self._flow.addWidget(tile)
        return tile

    def _add(self, name: str, work: Callable[[], Attachment]) -> None:
        tile = self._new_tile(name)
        self._count()
        QTimer.singleShot(0, tile, lambda: self._area.ensureWidgetVisible(tile))  # the layout runs first
        attached, failed = partial(self._attached, tile), partial(self._failed, tile)
        self._tasks.run(work, attached, failed, owner=tile, local=True)

    def _attached(self, tile: DocumentTile, attachment: Attachment) -> None:
        if tile not in self._tiles:
            return
        if any(other.sha256 == attachment.sha256 for other in self.attachments()):
            self._refuse(f"“{shown_name(attachment.file_name)}” is already attached to this entry.")
            self._delete_tile(tile)
        else:
            tile.attach(attachment)
            self._thumbnails.load(tile)
        self._count()
        self._emit_settled()

    def _failed(self, tile: DocumentTile, error: AppError) -> None:
        if tile in self._tiles:
            self._delete_tile(tile)
            self._refuse(error.message)
            self._count()
            self._emit_settled()

    def _emit_settled(self) -> None:
        if not self.attaching:
            self.settled.emit()

    def _tile(self, key: str) -> DocumentTile:
        return next(tile for tile in self._tiles if tile.key == key)

    def _remove(self, key: str) -> None:
        at = self._tiles.index(self._tile(key))
        self._delete_tile(self._tiles[at])
        self.refusal.hide()  # there is room again
        self._count()
        self._update_note()
        if self._tiles:
            self._tiles[min(at, len(self._tiles) - 1)].setFocus()
        else:
            self.browse_button.setFocus()
        self._emit_settled()

    def _update_note(self) -> None:
        protected = self._thumbnails.protected
        self._ask_password(protected)
        notes = [tile.note for tile in self._tiles if tile.note and tile is not protected]
        if notes:
            self.note.say("\n".join(notes), "warn", "Try again" if self._thumbnails.can_try_again else "")
        else:
            self.note.hide()

    def _ask_password(self, tile: DocumentTile | None) -> None:
        """Ask for the password of the bill of `tile`; None means that no bill waits for one."""
        if tile is None:
            had_focus = self.prompt.isAncestorOf(self.focusWidget() or self)
            self.prompt.hide()
            if had_focus:
                (self._tiles[-1] if self._tiles else self.browse_button).setFocus()
        elif self._asked is not tile:
            self.prompt.show()
            self.prompt.ask(tile.note, wrong=False)
        self._asked = tile

    def _ask_again(self) -> None:
        if self._asked is not None:
            self.prompt.ask(self._asked.note, wrong=True)

    def _delete_tile(self, tile: DocumentTile) -> None:
        self._tiles.remove(tile)
        self._thumbnails.drop(tile)
        self._flow.removeWidget(tile)
        tile.hide()
        tile.deleteLater()

    def _open(self, key: str) -> None:
        tile = self._tile(key)
        if tile.attachment is not None:
            self.open_wanted.emit(tile.attachment)

    def _move_by(self, key: str, by: int) -> None:
        tile = self._tile(key)
        self.move_tile(key, self._tiles.index(tile) + by)

    def move_tile(self, key: str, position: int) -> None:
        """Move the tile `key` to `position`, or to the nearest valid one."""
        tile = self._tile(key)
        target = min(max(position, 0), len(self._tiles) - 1)
        self._tiles.remove(tile)
        self._tiles.insert(target, tile)
        self._flow.move(tile, target)
        self._count()

    def tiles(self) -> list[DocumentTile]:
        """Return the tiles in order."""
        return list(self._tiles)

    def _count(self) -> None:
        self.count_label.setText(f"{len(self._tiles)} of {MAX_DOCUMENTS}")
        self.drop_area.set_compact(bool(self._tiles))
        self._area.setVisible(bool(self._tiles))  # or the panel would be taller than the form beside it
        for number, tile in enumerate(self._tiles):
            tile.left_button.setEnabled(number > 0)
            tile.right_button.setEnabled(number < len(self._tiles) - 1)
        self.changed.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept a tile of this panel; leave files to the window."""
        event.setAccepted(self._movable and event.mimeData().hasFormat(TILE_MIME))

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Accept a tile of this panel; leave files to the window."""
        event.setAccepted(event.mimeData().hasFormat(TILE_MIME))

    def dropEvent(self, event: QDropEvent) -> None:
        """Move the dragged tile to where it was dropped."""
        if not event.mimeData().hasFormat(TILE_MIME):
            event.ignore()
            return
        key = bytes(event.mimeData().data(TILE_MIME).data()).decode()
        point = self._inner.mapFrom(self, event.position().toPoint())
        under = [n for n, tile in enumerate(self._tiles) if tile.geometry().contains(point)]
        self.move_tile(key, under[0] if under else len(self._tiles) - 1)
        event.acceptProposedAction()
