"""The tile of an attached bill: thumbnail, name and size, and buttons to remove and move it."""

from PySide6.QtCore import QEvent, QMimeData, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QDrag,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QToolButton, QVBoxLayout

from app.domain.entry import Attachment
from app.domain.file_names import shown_name
from app.domain.preview import Part
from app.ui.bounds import PDF, size_text
from app.ui.icons import pixmap, put_icon
from app.ui.previews import PagePicture
from app.ui.theme import colour
from app.ui.widgets.page_image import PageImage, head_of
from app.ui.widgets.pieces import ElidedLabel, label, tool_button

TILE_MIME = "application/x-bahi-document-tile"
_WIDTH, _THUMB_HEIGHT, _HEIGHT = 100, 90, 136


class Thumbnail(QLabel):
    """A small picture that fills its frame; an icon while there is no picture."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(_WIDTH - 2, _THUMB_HEIGHT)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._image: PageImage | None = None
        self.marked = False

    @property
    def has_picture(self) -> bool:
        """Return whether a picture is shown."""
        return self._image is not None

    def show_icon(self, name: str, tint: str = "text_muted") -> None:
        """Show an icon instead of a picture."""
        self._image = None
        put_icon(self, name, tint, size=26)

    def show_picture(self, picture: PagePicture) -> None:
        """Show `picture`, cropped to the frame."""
        self._image = PageImage(picture)
        self.update()

    def mark(self, marked: bool) -> None:
        """Set whether a sign in the corner says that there is a note about the picture."""
        self.marked = marked
        self.update()

    def head_of(self, picture: PagePicture) -> Part | None:
        """Return the part of the page to render instead of `picture`, if that is too coarse for the frame."""
        return head_of(picture, self.size(), self.devicePixelRatioF())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture over the whole frame, from its top: a bill is recognized by its head."""
        if self._image is None:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        head = QPainterPath()
        head.addRoundedRect(QRectF(self.rect()).adjusted(0, 0, 0, 8), 7, 7)
        painter.setClipPath(head)
        self._image.draw_head(painter, QRectF(self.rect()), self.devicePixelRatioF())
        painter.setClipping(False)
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), colour("border"))
        if self.marked:
            self._draw_mark(painter)
        painter.end()

    def _draw_mark(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(colour("border"))
        painter.setBrush(colour("warn_soft"))
        painter.drawEllipse(QRect(5, 5, 21, 21))
        painter.drawPixmap(8, 8, pixmap("alert", "warn", 16, self.devicePixelRatioF()))


class DocumentTile(QFrame):
    """A tile that can be opened, removed and moved, by mouse and keyboard.

    `removed`, `opened` and `moved` request these actions; they carry the tile's `key`, and `moved` also the
    number of places. `dragged` carries whether a drag of the tile begins or has ended. Keys: Enter opens,
    Delete removes, Alt+Left and Alt+Right move.
    """

    removed = Signal(str)
    opened = Signal(str)
    moved = Signal(str, int)
    dragged = Signal(bool)

    def __init__(self, key: str, file_name: str, *, movable: bool = True) -> None:
        super().__init__()
        self.key = key
        self.note = ""
        self._movable = movable
        self.file_name = file_name
        self.attachment: Attachment | None = None
        self._press = QPoint()
        self.setObjectName("document_tile")
        self.setProperty("role", "tile")
        self.setFixedSize(_WIDTH, _HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._build()
        self.thumbnail.show_icon("clock")
        self._describe("attaching…")

    def _build(self) -> None:
        self.thumbnail = Thumbnail()
        name = shown_name(self.file_name)
        self.name = ElidedLabel(name, "small", "tile_name", Qt.TextElideMode.ElideMiddle)
        self.size_label = label("", "small", "tile_size")
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 6)
        column.setSpacing(2)
        column.addWidget(self.thumbnail)
        for line in (self.name, self.size_label):
            line.setContentsMargins(7, 0, 7, 0)
            column.addWidget(line)
        column.addStretch(1)
        self.remove_button = self._badge("tile_remove", "x", f"Remove {name}", _WIDTH - 27, 5)
        self.left_button = self._badge("tile_left", "chevron-left", "Move to the left", 5, _THUMB_HEIGHT - 24)
        self.right_button = self._badge(
            "tile_right", "chevron-right", "Move to the right", _WIDTH - 27, _THUMB_HEIGHT - 24
        )
        self.remove_button.clicked.connect(lambda: self.removed.emit(self.key))
        self.left_button.clicked.connect(lambda: self.moved.emit(self.key, -1))
        self.right_button.clicked.connect(lambda: self.moved.emit(self.key, 1))
        self._show_movers(False)

    def _badge(self, name: str, icon: str, tip: str, x: int, y: int) -> QToolButton:
        # After a bill is removed, the next one has its button there. Bills may be moved quickly.
        made = tool_button(name, icon, tip, size=14, one_click=name == "tile_remove")
        made.setProperty("role", "badge")
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the tile itself has the keys
        made.setParent(self)
        made.setGeometry(x, y, 22, 22)
        return made

    def attach(self, attachment: Attachment) -> None:
        """Show that the bill is stored on this computer."""
        self.attachment = attachment
        self.file_name = attachment.file_name
        self.name.setText(shown_name(attachment.file_name))
        self._describe(size_text(attachment.byte_size))
        self.thumbnail.show_icon("file-pdf" if attachment.media_type == PDF else "image")

    def show_note(self, sentence: str) -> None:
        """Show a sentence about the bill: why there is no picture, or what is wrong with the one shown."""
        self.note = sentence
        self.setToolTip(sentence)
        self.setAccessibleDescription(sentence)
        self.thumbnail.mark(bool(sentence))
        if sentence and not self.thumbnail.has_picture:
            self.thumbnail.show_icon("alert", "warn")

    def clear_note(self) -> None:
        """Show that the picture is being made again."""
        self.show_note("")
        self.thumbnail.show_icon("clock")

    def _describe(self, state: str) -> None:
        self.size_label.setText(state)
        self.setAccessibleName(f"{shown_name(self.file_name)}, {state}")

    def sizeHint(self) -> QSize:
        """Return the size of a tile, which is fixed."""
        return QSize(_WIDTH, _HEIGHT)

    def _show_movers(self, shown: bool) -> None:
        self.left_button.setVisible(shown and self._movable)
        self.right_button.setVisible(shown and self._movable)

    def event(self, event: QEvent) -> bool:
        """Show the move buttons while the mouse is over the tile."""
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self._show_movers(event.type() is QEvent.Type.Enter or self.hasFocus())
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the move buttons."""
        super().focusInEvent(event)
        self._show_movers(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the move buttons, unless the mouse is over the tile."""
        super().focusOutEvent(event)
        self._show_movers(self.underMouse())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open, remove or move the bill."""
        alt = event.modifiers() & Qt.KeyboardModifier.AltModifier
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.opened.emit(self.key)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            if not event.isAutoRepeat():  # a key that is held down must not remove one bill after the other
                self.removed.emit(self.key)
        elif alt and self._movable and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.moved.emit(self.key, -1 if event.key() == Qt.Key.Key_Left else 1)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Store the position, in case a drag begins here."""
        self._press = event.position().toPoint()
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """Open the bill."""
        self.opened.emit(self.key)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Start a drag that moves the tile to another place."""
        if not self._movable:
            return
        far = (event.position().toPoint() - self._press).manhattanLength()
        if not event.buttons() & Qt.MouseButton.LeftButton or far < QApplication.startDragDistance():
            return
        drag = QDrag(self)
        data = QMimeData()
        data.setData(TILE_MIME, self.key.encode())
        drag.setMimeData(data)
        drag.setPixmap(self.grab())
        drag.setHotSpot(self._press)
        self.dragged.emit(True)
        drag.exec(Qt.DropAction.MoveAction)
        self.dragged.emit(False)
