"""Shows one page of a document: fitted to the frame, or zoomed and scrolled; or a sentence instead."""

from typing import Final

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QScrollBar

from app.ui import page_zoom
from app.ui.page_zoom import Fit, PageSize
from app.ui.previews import PagePicture
from app.ui.theme import colour
from app.ui.widgets.canvas_message import CanvasMessage
from app.ui.widgets.page_image import PageImage
from app.ui.widgets.page_parts import PageParts, PartSource

_LINE: Final = 32  # px that an arrow key scrolls
_WHEEL_STEP: Final = 1.25  # for each notch of the wheel, which is 120 eighths of a degree
_NOTCH: Final = 120
_PART_PAUSE_MS: Final = 30  # a page that is moving asks for parts this often
_SHARP: Final = 1.05  # the whole page is stretched by up to this much before parts are rendered
_STEPS: Final = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1, Qt.Key.Key_Underscore: -1}


class PageCanvas(QAbstractScrollArea):
    """Shows a page, or a sentence.

    `zoom_changed` is emitted when the zoom or the page has changed, `again_wanted` when the user wants to try
    again what the sentence tells of, `password_given` with a password that was asked for, and `part_failed`
    with the AppError of a part that cannot be rendered.
    """

    zoom_changed = Signal()
    again_wanted = Signal()
    password_given = Signal(str)
    part_failed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page_canvas")
        self.setAccessibleName("Bill")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)  # the frame around the canvas is its background
        self._message = CanvasMessage(self.viewport())
        self._message.again.clicked.connect(self.again_wanted)
        self._message.prompt.given.connect(self.password_given)
        self._size = PageSize(1, 1)
        self._image: PageImage | None = None
        self._parts: PageParts | None = None
        self._finest = self._coarse = 1.0
        self._fit, self._zoom = Fit.WHOLE, 1.0
        self._is_chosen = False  # whether the user decided about the zoom
        self._grip = QPoint()
        self._part_timer = QTimer(self, singleShot=True, interval=_PART_PAUSE_MS)
        self._part_timer.timeout.connect(self._ask_parts)
        for bar in (self.horizontalScrollBar(), self.verticalScrollBar()):
            bar.setSingleStep(_LINE)

    # what is shown

    @property
    def zoom(self) -> float:
        """Return the zoom; 1.0 is the page's real size."""
        return self._zoom

    @property
    def fit_mode(self) -> Fit:
        """Return what decides the zoom."""
        return self._fit

    @property
    def sharp(self) -> bool:
        """Return whether everything that was asked for has come."""
        return not self._part_timer.isActive() and (self._parts is None or not self._parts.waiting)

    def has_image(self) -> bool:
        """Return whether a page is shown."""
        return self._image is not None

    @property
    def wants_password(self) -> bool:
        """Return whether a password is asked for."""
        return self._message.wants_password

    def message(self) -> str:
        """Return the sentence shown instead of a page; "" if there is none."""
        return self._message.text()

    def say(self, sentence: str, *, again: bool = False) -> None:
        """Show a sentence instead of a page, with `again` also the button “Try again”."""
        self._forget()
        self._tell(sentence, again=again)
        self._arrange()

    def ask_password(self, sentence: str, *, wrong: bool) -> None:
        """Ask for the password of a PDF. `wrong` says whether one was given that is wrong."""
        self._forget()
        self._message.ask_password(sentence, wrong=wrong)
        self.setAccessibleDescription(sentence)
        self._arrange()

    def blank(self) -> None:
        """Show neither a page nor a sentence."""
        self.say("")

    def show_page(
        self, picture: PagePicture, source: PartSource, finest: float, *, keep_zoom: bool = False
    ) -> None:
        """Show a page, fitted to the frame, or if it is long to its shorter side.

        `source` renders its parts, at a scale of at most `finest`. `keep_zoom` keeps what the user chose.
        """
        self._forget()
        self._tell("")
        self._size = picture.size
        self._image, self._coarse, self._finest = PageImage(picture), picture.scale, finest
        self._parts = PageParts(picture.size, source, self.viewport().update, self.part_failed.emit)
        self._is_chosen = self._is_chosen and keep_zoom
        self._arrange()
        for bar in (self.horizontalScrollBar(), self.verticalScrollBar()):
            bar.setValue(0)

    def _tell(self, sentence: str, *, again: bool = False) -> None:
        self._message.say(sentence, again=again)
        self.setAccessibleDescription(sentence)

    def _forget(self) -> None:
        if self._parts is not None:
            self._parts.cancel()
        self._part_timer.stop()
        self._image = self._parts = None

    # zooming

    def zoom_by(self, steps: int) -> None:
        """Zoom in (positive) or out (negative) by `steps` levels, around the middle."""
        self.zoom_to(page_zoom.stepped(self._zoom, steps, self._whole()))

    def zoom_to(self, zoom: float, around: QPointF | None = None) -> None:
        """Set the zoom. The point of the page at `around`, of the viewport, keeps its place if it can."""
        if self._image is None:
            return
        fixed = around or QRectF(self.viewport().rect()).center()
        point = (fixed - self._page_rect().topLeft()) / self._zoom
        self._fit, self._zoom = Fit.FREE, page_zoom.bounded(zoom, self._whole())
        self._is_chosen = True
        self._arrange()
        self.horizontalScrollBar().setValue(round(point.x() * self._zoom - fixed.x()))
        self.verticalScrollBar().setValue(round(point.y() * self._zoom - fixed.y()))

    def fit(self) -> None:
        """Show the whole page."""
        self._choose(Fit.WHOLE)

    def fit_width(self) -> None:
        """Show the page as wide as the frame."""
        self._choose(Fit.WIDTH)

    def _choose(self, fit: Fit) -> None:
        if self._image is not None:
            self._fit, self._is_chosen = fit, True
            self._arrange()

    def _whole(self) -> float:
        return page_zoom.whole(self._size, *self._frame())

    def _frame(self) -> tuple[int, int]:
        room = self.maximumViewportSize()
        return max(1, room.width()), max(1, room.height())

    def _arrange(self) -> None:
        """Set the zoom if the frame decides it, then the scroll bars, then ask for what is not sharp."""
        width, height = self._frame()
        if self._image is not None and not self._is_chosen:  # again for each frame: the first may be low
            self._fit = page_zoom.first_fit(self._size, width, height)
        if self._fit is Fit.WHOLE:
            self._zoom = self._whole()
        elif self._fit is Fit.ACROSS:
            bar = self.verticalScrollBar().sizeHint().width()
            self._zoom = page_zoom.across(self._size, max(1, width - bar), max(1, height - bar))
        elif self._fit is Fit.WIDTH:
            bar = self.verticalScrollBar().sizeHint().width()
            self._zoom = page_zoom.as_wide(self._size, width, height, bar)
        elif self._image is not None:
            self._zoom = page_zoom.bounded(self._zoom, self._whole())
        self._set_bars(QSize(width, height))
        self._message.setGeometry(self.viewport().rect())
        self.viewport().update()
        self.viewport().setCursor(self._cursor())
        self._part_timer.start(0)
        self.zoom_changed.emit()

    def _set_bars(self, room: QSize) -> None:
        content = self._content() if self._image is not None and self._fit is not Fit.WHOLE else QSize()
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        thick = down.sizeHint().width()
        has_down = content.height() > room.height()
        has_across = content.width() > room.width() - thick * has_down
        has_down = content.height() > room.height() - thick * has_across
        _set_range(across, content.width(), room.width() - thick * has_down)
        _set_range(down, content.height(), room.height() - thick * has_across)

    def _content(self) -> QSize:
        return QSize(round(self._size.width * self._zoom), round(self._size.height * self._zoom))

    def _cursor(self) -> Qt.CursorShape:
        moves = self.horizontalScrollBar().maximum() or self.verticalScrollBar().maximum()
        return Qt.CursorShape.OpenHandCursor if moves else Qt.CursorShape.ArrowCursor

    # drawing

    def _page_rect(self) -> QRectF:
        """Return where the page is, in pixels of the viewport: centred, or scrolled."""
        room, content = self.viewport().size(), self._content()
        left = max(0, (room.width() - content.width()) // 2) - self.horizontalScrollBar().value()
        top = max(0, (room.height() - content.height()) // 2) - self.verticalScrollBar().value()
        return QRectF(left, top, self._size.width * self._zoom, self._size.height * self._zoom)

    def _scale(self) -> float:
        """Return the scale at which a part is drawn with a pixel for each of the screen."""
        return min(self._zoom * self.devicePixelRatioF(), self._finest)

    def _ask_parts(self) -> None:
        if self._parts is None:
            return
        if self._scale() <= self._coarse * _SHARP:
            self._parts.cancel()
            return
        target = self._page_rect()
        seen = target & QRectF(self.viewport().rect())
        self._parts.want(
            self._scale(),
            QRectF(
                (seen.left() - target.left()) / self._zoom,
                (seen.top() - target.top()) / self._zoom,
                seen.width() / self._zoom,
                seen.height() / self._zoom,
            ),
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what is in view of the page: the whole page first, then its parts."""
        painter = QPainter(self.viewport())
        if self._image is not None and self._parts is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            density, target, seen = self.devicePixelRatioF(), self._page_rect(), QRectF(event.rect())
            self._image.draw(painter, target, seen, density)
            if self._scale() > self._coarse * _SHARP:
                self._parts.draw(painter, self._scale(), target, seen, density)
        if self.hasFocus():
            painter.setPen(QPen(colour("accent"), 2))
            painter.drawRect(self.viewport().rect().adjusted(1, 1, -1, -1))
        painter.end()

    # events

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the page to the new size."""
        super().resizeEvent(event)
        self._arrange()

    def scrollContentsBy(self, _across: int, _down: int) -> None:
        """Draw the page at its new place, and ask for the parts that came into view."""
        self.viewport().update()
        if not self._part_timer.isActive():
            self._part_timer.start(_PART_PAUSE_MS)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom as `zoom_with_key` does; scroll with the other keys."""
        key, across, down = event.key(), self.horizontalScrollBar(), self.verticalScrollBar()
        if self.zoom_with_key(event):
            return
        if key == Qt.Key.Key_Home:
            across.setValue(0)
            down.setValue(0)
        elif key == Qt.Key.Key_End:
            down.setValue(down.maximum())
        else:
            super().keyPressEvent(event)

    def zoom_with_key(self, event: QKeyEvent) -> bool:
        """Zoom with +, -, 0 (the whole page), 1 (its real size) and W (its width).

        Return whether the key is one of them.
        """
        key = event.key()
        if key in _STEPS:
            self.zoom_by(_STEPS[Qt.Key(key)])
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key == Qt.Key.Key_1:
            self.zoom_to(1.0)
        elif key == Qt.Key.Key_W and not event.modifiers():
            self.fit_width()
        else:
            return False
        return True

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer if Ctrl is pressed, otherwise scroll."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            notches = event.angleDelta().y() / _NOTCH
            if notches:
                self.zoom_to(self._zoom * _WHEEL_STEP**notches, event.position())
            event.accept()
        else:
            super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start dragging the page."""
        self._grip = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scroll the page with the mouse."""
        now = event.position().toPoint()
        moved, self._grip = now - self._grip, now
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() - moved.x())
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() - moved.y())


def _set_range(bar: QScrollBar, content: int, room: int) -> None:
    bar.setPageStep(max(1, room))
    bar.setRange(0, max(0, content - room))
