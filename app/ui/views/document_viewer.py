"""The viewer of an entry's documents. Its pages are those of all documents, one after the other."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.domain.bounds import EXTENSIONS
from app.domain.entry import DocumentInfo
from app.domain.file_names import shown_name
from app.errors import AppError
from app.ui.bounds import size_text
from app.ui.page_zoom import percent
from app.ui.previews import can_try_again
from app.ui.tasks import Tasks
from app.ui.views.page_loader import OpenedPage, PageLoader
from app.ui.widgets.page_canvas import PageCanvas
from app.ui.widgets.pieces import ElidedLabel, frame, label, tool_button, word_button

if TYPE_CHECKING:
    from app.services import Services

_PAGE_FROM: Final = 150  # px of height; a lower page could not be read
_TURNING_FROM: Final = 92
_ROOMY_FROM: Final = 300  # in less height, the page needs the room of buttons that turn nothing
_REAL: Final = "Show at real size, 100 % (1)"


class DocumentViewer(QWidget):
    """Shows one page at a time.

    `open_wanted` and `save_wanted` carry the shown DocumentInfo. `documents_wanted` requests the documents
    again after the error that was passed to `fail`.
    """

    documents_wanted = Signal()
    open_wanted = Signal(object)
    save_wanted = Signal(object)

    def __init__(self, services: "Services", tasks: Tasks) -> None:
        super().__init__()
        self.setObjectName("document_viewer")
        self._loader = PageLoader(services, tasks, self)
        self._documents: tuple[DocumentInfo, ...] = ()
        self._pages: list[int] = []
        self._at, self._page = 0, 0
        self._make()
        self._connect()
        self._lay_out()
        self.show_documents(())

    def _make(self) -> None:
        self.canvas = PageCanvas()
        self.previous_button = tool_button("page_previous", "chevron-left", "Previous page or document")
        self.next_button = tool_button("page_next", "chevron-right", "Next page or document")
        self.position = label("", "small", "page_position")
        self.position.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.note = label("", "", "document_note", wrap=True)
        self.note.hide()
        self.zoom_out = tool_button("zoom_out", "zoom-out", "Zoom out (−)")
        self.zoom_in = tool_button("zoom_in", "zoom-in", "Zoom in (+)")
        self.real_button = word_button("zoom_real", "", _REAL)
        self.fit_button = word_button("zoom_fit", "Fit", "Show the whole page (0)")
        self.open_button = tool_button("document_open", "external", "Open in the system's viewer")
        self.save_button = tool_button("document_save", "save", "Save as…")
        self.name = ElidedLabel("", "small", "document_name", Qt.TextElideMode.ElideMiddle)

    def _connect(self) -> None:
        self.previous_button.clicked.connect(partial(self.turn, -1))
        self.next_button.clicked.connect(partial(self.turn, 1))
        self.zoom_in.clicked.connect(partial(self.canvas.zoom_by, 1))
        self.zoom_out.clicked.connect(partial(self.canvas.zoom_by, -1))
        self.real_button.clicked.connect(partial(self.canvas.zoom_to, 1.0))
        self.fit_button.clicked.connect(self.canvas.fit)
        self.canvas.zoom_changed.connect(self._show_zoom)
        self.canvas.again_wanted.connect(self._try_again)
        self.canvas.part_failed.connect(self._part_failed)
        self._loader.opened.connect(self._show)
        self._loader.failed.connect(self.fail)
        self._loader.late.connect(partial(self.canvas.say, "Opening…"))
        self.open_button.clicked.connect(lambda: self.open_wanted.emit(self._documents[self._at]))
        self.save_button.clicked.connect(lambda: self.save_wanted.emit(self._documents[self._at]))

    def _lay_out(self) -> None:
        inside = QVBoxLayout()
        inside.setContentsMargins(6, 6, 6, 6)
        inside.addWidget(self.canvas)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self._page_frame = frame("viewer", inside)
        column.addWidget(self._page_frame, 1)
        column.addWidget(self.note)
        column.addLayout(_row(self.name, self.real_button))
        column.addLayout(_row(self.previous_button, self.position, self.next_button))
        tools = _row(self.zoom_out, self.zoom_in, self.fit_button, self.open_button, self.save_button)
        tools.insertStretch(3, 1)
        column.addLayout(tools)
        column.addStretch(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with the keys of the canvas also if a button has the focus."""
        if not self.canvas.zoom_with_key(event.key()):
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide the page, and then the page buttons, if there is not enough height for them."""
        super().resizeEvent(event)
        self._show_rows()

    def _show_rows(self) -> None:
        height, several = self.height(), sum(self._pages) > 1
        for widget in (self._page_frame, self.real_button):
            widget.setVisible(height >= _PAGE_FROM)
        self.note.setVisible(height >= _PAGE_FROM and bool(self.note.text()))
        self.name.setVisible(height >= _TURNING_FROM)
        for widget in (self.previous_button, self.position, self.next_button):
            widget.setVisible(height >= (_TURNING_FROM if several else _ROOMY_FROM))

    def show_documents(self, documents: Sequence[DocumentInfo]) -> None:
        """Show the first page of the first document, or that there are no documents."""
        self._documents = tuple(documents)
        self._pages = [1] * len(self._documents)  # the number of pages is known after opening a document
        self._at, self._page = 0, 0
        self._load()

    def show_changed(self, documents: Sequence[DocumentInfo]) -> None:
        """Show the documents of the same entry after a change: the first new one, or if none is new, stay."""
        known = [each.sha256 for each in self._documents]
        new = [at for at, each in enumerate(documents) if each.sha256 not in known]
        shown, page = (known[self._at], self._page) if known else ("", 0)
        pages = dict(zip(known, self._pages, strict=True))
        self._documents = tuple(documents)
        self._pages = [pages.get(each.sha256, 1) for each in documents]
        same = [at for at, each in enumerate(documents) if each.sha256 == shown]
        self._at = (new or same or [0])[0]
        self._page = page if same and not new else 0
        self._load()

    def turn(self, by: int) -> None:
        """Show the next (1) or previous (-1) page, which may be in the next or previous document."""
        page = self._page + by
        if 0 <= page < self._pages[self._at]:
            self._page = page
        elif 0 <= self._at + by < len(self._documents):
            self._at += by
            self._page = 0 if by > 0 else self._pages[self._at] - 1
        else:
            return
        self._load()

    def await_documents(self) -> None:
        """Show nothing, and if no documents are shown soon, “Opening…”."""
        self.show_documents(())
        self._loader.await_page()

    def fail(self, error: AppError) -> None:
        """Show an error instead of a page, and if a retry can help, a button for it."""
        self._loader.stop()
        self.canvas.say(error.message, again=can_try_again(error))
        self._show_state()

    def _load(self, *, again: bool = False) -> None:
        self._show_note("")
        if self._documents:
            self._loader.open(self._documents[self._at], self._page, again=again)
        else:
            self._loader.stop()
            self.canvas.blank()
        self._show_state()

    def _try_again(self) -> None:
        self.canvas.blank()
        if self._documents:
            self._load(again=True)
        else:
            self.documents_wanted.emit()

    def _show(self, opened: OpenedPage) -> None:
        picture = opened.picture
        self._pages[self._at] = picture.pages
        self._page = picture.page
        self.canvas.show_page(picture, opened, opened.finest)
        self._show_note(picture.note)
        self._show_state()

    def _part_failed(self, error: AppError) -> None:
        self._show_note(error.message)

    def _show_note(self, sentence: str) -> None:
        self.note.setText(sentence)
        self._show_rows()

    def _show_zoom(self) -> None:
        shown = percent(self.canvas.zoom) if self.canvas.has_image() else ""
        self.real_button.setText(shown)
        self.real_button.setAccessibleName(f"Zoom {shown}. {_REAL}" if shown else _REAL)
        for tool in (self.zoom_in, self.zoom_out, self.real_button, self.fit_button):
            tool.setEnabled(bool(shown))

    def _show_state(self) -> None:
        some, total = bool(self._documents), sum(self._pages)
        number = sum(self._pages[: self._at]) + self._page + 1
        self.position.setText(f"{number} of {total}" if some else "")
        self._show_rows()
        self.previous_button.setEnabled(number > 1 and some)
        self.next_button.setEnabled(number < total and some)
        document = self._documents[self._at] if some else None
        self.open_button.setEnabled(document is not None and document.media_type in EXTENSIONS)
        self.save_button.setEnabled(some)
        self.name.setText(
            f"{shown_name(document.file_name)} · {size_text(document.byte_size)}" if document else ""
        )
        self.canvas.setAccessibleName(
            f"Page {self._page + 1} of {self._pages[self._at]} of {shown_name(document.file_name)}"
            if document
            else "Document"
        )


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget, 1 if isinstance(widget, QLabel) else 0)
    return row
