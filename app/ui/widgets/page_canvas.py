"""Shows one page of a document, fitted to the frame or zoomed; a zoomed page can be dragged."""

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QLabel, QScrollArea

_STEP = 1.25
_LEAST, _MOST = 0.05, 8.0


class PageCanvas(QScrollArea):
    """Shows an image, or a sentence instead. The zoom is relative to the fitted size; it begins at 1.0."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page_canvas")
        self.setAccessibleName("Document")
        self._pixmap = QPixmap()
        self._zoom = 1.0
        self._grip = QPoint()
        self._label = QLabel()
        self._label.setObjectName("page_label")
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._label.setWordWrap(True)
        self._label.setProperty("role", "muted")
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWidget(self._label)
        self.viewport().setProperty("role", "clear")

    @property
    def zoom(self) -> float:
        """Return the zoom relative to the fitted size."""
        return self._zoom

    def has_image(self) -> bool:
        """Return whether a page is shown."""
        return not self._pixmap.isNull()

    def message(self) -> str:
        """Return the sentence shown instead of a page."""
        return self._label.text()

    def say(self, sentence: str) -> None:
        """Show a sentence instead of a page."""
        self._pixmap = QPixmap()
        self._label.setPixmap(QPixmap())
        self._label.setText(sentence)
        self._position()

    def show_image(self, image: QImage) -> None:
        """Show `image`, fitted to the frame."""
        self._pixmap = QPixmap.fromImage(image)
        self._zoom = 1.0
        self._position()

    def zoom_by(self, steps: int) -> None:
        """Zoom in (positive) or out (negative) by `steps` of 25 percent."""
        self._zoom = min(max(self._zoom * _STEP**steps, _LEAST), _MOST)
        self._position()

    def fit(self) -> None:
        """Show the whole page."""
        self._zoom = 1.0
        self._position()

    def _position(self) -> None:
        room = self.maximumViewportSize()
        if self._pixmap.isNull():
            self._label.resize(room)
            return
        fitted = self._pixmap.size().scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        size = QSize(max(1, round(fitted.width() * self._zoom)), max(1, round(fitted.height() * self._zoom)))
        scale = self.devicePixelRatioF()  # draw at the resolution of the screen, or text looks blurred
        drawn = self._pixmap.scaled(
            size * scale, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        drawn.setDevicePixelRatio(scale)
        self._label.setPixmap(drawn)
        self._label.resize(size)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the page to the new size."""
        super().resizeEvent(event)
        self._position()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom if Ctrl is pressed, otherwise scroll."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start dragging the page."""
        self._grip = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scroll the page with the mouse."""
        now = event.position().toPoint()
        for bar, moved in (
            (self.horizontalScrollBar(), now.x() - self._grip.x()),
            (self.verticalScrollBar(), now.y() - self._grip.y()),
        ):
            bar.setValue(bar.value() - moved)
        self._grip = now
