"""The strip of small pictures of an entry's bills, of which one is chosen."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QPainter, QPainterPath, QPen, QShowEvent, QWheelEvent
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.domain.entry import DocumentInfo
from app.domain.file_names import shown_name
from app.domain.preview import PreviewRequest, Urgency
from app.errors import AppError
from app.ui.bounds import PDF, size_text
from app.ui.icons import pixmap
from app.ui.previews import PagePicture, PreviewFeed
from app.ui.tasks import Tasks
from app.ui.theme import colour
from app.ui.widgets.page_image import PageImage, head_of

if TYPE_CHECKING:
    from app.services import Services

_FRAME: Final = QSize(44, 52)
_CELL: Final = QSize(52, 60)
_HEIGHT: Final = 62
_EDGE: Final = 128  # pixels of a picture that is kept
_PAUSE_MS: Final = 120  # whoever walks through the entries does not wait for their strips
_MOVES: Final = {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End}
_Index = QModelIndex | QPersistentModelIndex


class BillStrip(QListWidget):
    """Shows a picture of each bill. `chosen` carries the number of the bill that the user chose.

    The pictures are made one after the other, after everything else, and only while the strip is shown. Only
    they are kept, and they are small.
    """

    chosen = Signal(int)

    def __init__(self, services: "Services", tasks: Tasks) -> None:
        super().__init__()
        self.setObjectName("bill_strip")
        self.setProperty("role", "strip")
        self.setAccessibleName("Bills of this entry")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFlow(QListWidget.Flow.LeftToRight)
        self.setFixedHeight(_HEIGHT)
        self.setHorizontalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(_CellPainter(self))
        self.pictures: dict[int, PageImage] = {}
        self._turns: dict[int, int] = {}  # by how many quarters each picture is turned
        self._services = services
        self._tasks = tasks
        self._feed = PreviewFeed(services.previews, self)
        self._bills: tuple[DocumentInfo, ...] = ()
        self._wanted: list[int] = []
        self._cancel: Callable[[], None] | None = None
        self._made: int | None = None  # the bill whose picture is being made
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._make_next)
        self.currentRowChanged.connect(self._choose)

    def show_bills(self, bills: Sequence[DocumentInfo]) -> None:
        """Show these bills. The pictures of those that were shown already stay."""
        if tuple(bills) == self._bills:
            return
        self._stop()
        old = {each.sha256: at for at, each in enumerate(self._bills) if at in self.pictures}
        moved = [(at, old[each.sha256]) for at, each in enumerate(bills) if each.sha256 in old]
        self.pictures = {at: self.pictures[was] for at, was in moved}
        self._turns = {at: self._turns[was] for at, was in moved}
        self._bills = tuple(bills)
        self.blockSignals(True)
        self.clear()
        for number, bill in enumerate(bills, 1):
            self.addItem(_item(bill, number, len(bills)))
        self.blockSignals(False)
        self._wanted = [at for at in range(len(bills)) if at not in self.pictures]

    def mark(self, at: int) -> None:
        """Mark the bill that is shown."""
        self.blockSignals(True)
        self.setCurrentRow(at)
        self.blockSignals(False)
        self.viewport().update()

    def begin(self) -> None:
        """Make the pictures that are missing, if the strip is shown."""
        if self.isVisible() and self._wanted and self._made is None:
            self._pause.start()

    def follow(self, at: int, turns: int) -> None:
        """Make the picture of the bill that is shown, unless there is one turned by `turns`; then others."""
        if self._turns.get(at) != turns and at not in self._wanted:
            self._wanted.insert(0, at)
        self.begin()

    def has_picture(self, at: int) -> bool:
        """Return whether there is a picture of a bill, and not only an icon."""
        return at in self.pictures

    def bill(self, at: int) -> DocumentInfo:
        """Return the bill with this number, from 0."""
        return self._bills[at]

    # making pictures, one at a time

    def _make_next(self) -> None:
        if self._made is not None or not self._wanted or not self.isVisible():
            return
        self._made = at = self._wanted.pop(0)
        bill, documents = self._bills[at], self._services.documents
        self._tasks.run(
            lambda: (documents.fetch(bill), documents.turns(bill)),
            partial(self._ask, at),
            lambda _error: self._go_on(),
            owner=self,
            topic="picture",
        )

    def _ask(self, at: int, found: tuple[Path, int]) -> None:
        path, turns = found
        if self._turns.get(at) == turns:
            self._go_on()
            return
        self._render(at, PreviewRequest(path, self._bills[at].media_type, edge=_EDGE, turns=turns))

    def _render(self, at: int, request: PreviewRequest) -> None:
        done, failed = partial(self._came, at, request), partial(self._refused, at)
        self._cancel = self._feed.ask(request, Urgency.IN_BACKGROUND, done, failed)

    def _came(self, at: int, request: PreviewRequest, picture: PagePicture) -> None:
        self.pictures[at], self._turns[at] = PageImage(picture), request.turns
        self.viewport().update()
        head = head_of(picture, _FRAME, self.devicePixelRatioF()) if request.part is None else None
        if head is not None:
            self._render(at, replace(request, part=head))
        else:
            self._go_on()

    def _refused(self, at: int, _error: AppError) -> None:
        self.pictures.pop(at, None)  # it may have been turned since; the viewer says why it is not shown
        self._go_on()

    def _go_on(self) -> None:
        self._cancel = self._made = None
        self._make_next()

    def _stop(self) -> None:
        self._pause.stop()
        self._tasks.supersede(self, "picture")
        if self._cancel is not None:
            self._cancel()
        if self._made is not None and self._made not in self._wanted:
            self._wanted.insert(0, self._made)
        self._cancel = self._made = None

    # events

    def showEvent(self, event: QShowEvent) -> None:
        """Go on with the pictures."""
        super().showEvent(event)
        self.begin()

    def hideEvent(self, event: QHideEvent) -> None:
        """Cancel what was asked for: nobody sees it."""
        super().hideEvent(event)
        self._stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose with the arrow keys, Home and End; leave the other keys to the viewer."""
        if event.key() in _MOVES and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll sideways, whichever way the wheel turns."""
        turned = event.angleDelta()
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - (turned.y() or turned.x()) // 2)
        event.accept()

    def _choose(self, at: int) -> None:
        if 0 <= at < len(self._bills):
            self.chosen.emit(at)


class _CellPainter(QStyledItemDelegate):
    """Draws a bill: its head in a frame, with a mark around the one that is shown."""

    def __init__(self, strip: BillStrip) -> None:
        super().__init__(strip)
        self._strip = strip

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        """Return the size of a cell."""
        return _CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one cell."""
        area: QRect = option.rect
        frame = QRect(0, 0, _FRAME.width(), _FRAME.height())
        frame.moveCenter(area.center())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._draw_bill(painter, QRectF(frame), index.row())
        is_shown = index.row() == self._strip.currentRow()
        width = 1 if not is_shown else 3 if self._strip.hasFocus() else 2
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour("accent" if is_shown else "border_strong"), width))
        painter.drawRoundedRect(QRectF(frame), 5, 5)
        painter.restore()

    def _draw_bill(self, painter: QPainter, frame: QRectF, at: int) -> None:
        widget: QWidget = self._strip
        path = QPainterPath()
        path.addRoundedRect(frame, 5, 5)
        painter.fillPath(path, colour("sunken"))
        picture = self._strip.pictures.get(at)
        if picture is None:
            kind = "file-pdf" if self._strip.bill(at).media_type == PDF else "image"
            icon = pixmap(kind, "text_muted", 20, widget.devicePixelRatioF())
            painter.drawPixmap(round(frame.center().x()) - 10, round(frame.center().y()) - 10, icon)
            return
        painter.setClipPath(path)
        picture.draw_head(painter, frame, widget.devicePixelRatioF())
        painter.setClipping(False)


def _item(bill: DocumentInfo, number: int, count: int) -> QListWidgetItem:
    item = QListWidgetItem()
    name = f"Bill {number} of {count}: {shown_name(bill.file_name)}"
    item.setToolTip(f"{name} · {size_text(bill.byte_size)}")
    item.setData(Qt.ItemDataRole.AccessibleTextRole, name)
    return item
