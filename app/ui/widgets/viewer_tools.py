"""The buttons of the document viewer."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.page_zoom import percent
from app.ui.widgets.pieces import ElidedLabel, label, tool_button, word_button

_REAL: Final = "Show at real size, 100 % (1)"


class ViewerTools(QWidget):
    """The name of the document, where the page is, and the buttons. The viewer connects them."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "clear")
        self.name = ElidedLabel("", "small", "document_name", Qt.TextElideMode.ElideMiddle)
        self.real = word_button("zoom_real", "", _REAL)
        self.previous = tool_button("page_previous", "chevron-left", "Previous page or bill")
        self.position = label("", "small", "page_position", wrap=True)
        self.position.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.next = tool_button("page_next", "chevron-right", "Next page or bill")
        self.zoom_out = tool_button("zoom_out", "zoom-out", "Zoom out (−)")
        self.zoom_in = tool_button("zoom_in", "zoom-in", "Zoom in (+)")
        self.fit = tool_button("zoom_fit", "fit-page", "Show the whole page (0)")
        self.width_fit = tool_button("zoom_width", "fit-width", "Show the page as wide as possible (W)")
        self.left = tool_button("turn_left", "turn-left", "Turn to the left (L)")
        self.right = tool_button("turn_right", "turn-right", "Turn to the right (R)")
        self.open = tool_button("document_open", "external", "Open in the system's viewer")
        self.save = tool_button("document_save", "save", "Save as…")
        self._lay_out()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(_row(self.name, self.open, self.save))
        column.addLayout(_row(self.previous, self.position, self.next, self.real))
        shape = _row(self.zoom_out, self.zoom_in, self.fit, self.width_fit, self.left, self.right)
        shape.insertStretch(4, 1)
        self._shape = QWidget()
        self._shape.setProperty("role", "clear")
        shape.setContentsMargins(0, 0, 0, 0)
        self._shape.setLayout(shape)
        column.addWidget(self._shape)

    def show_zoom(self, zoom: float | None) -> None:
        """Show the zoom of the page; None means that no page is shown."""
        shown = percent(zoom) if zoom is not None else ""
        self.real.setText(shown)
        self.real.setAccessibleName(f"Zoom {shown}. {_REAL}" if shown else _REAL)
        for tool in (self.zoom_in, self.zoom_out, self.real, self.fit, self.width_fit):
            tool.setEnabled(bool(shown))

    def show_rows(self, *, name: bool, zoom: bool, turning: bool, shape: bool) -> None:
        """Show the rows for which there is room. `shape` is the row that zooms and turns."""
        self.name.setVisible(name)
        self.real.setVisible(zoom)
        self._shape.setVisible(shape)
        for widget in (self.previous, self.position, self.next):
            widget.setVisible(turning)


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(2)
    for widget in widgets:
        row.addWidget(widget, 1 if isinstance(widget, QLabel) else 0)
    return row
