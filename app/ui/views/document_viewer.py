"""The viewer of an entry's documents. Its pages are those of all documents, one after the other."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.domain.bounds import EXTENSIONS
from app.domain.entry import DocumentInfo
from app.domain.file_names import shown_name
from app.domain.preview import SENTENCES, Refusal
from app.errors import AppError
from app.ui.bounds import size_text
from app.ui.previews import can_try_again
from app.ui.tasks import Tasks
from app.ui.views.page_loader import OpenedPage, PageLoader
from app.ui.widgets.bill_strip import BillStrip
from app.ui.widgets.page_canvas import PageCanvas
from app.ui.widgets.pieces import frame, label
from app.ui.widgets.viewer_tools import ViewerTools

if TYPE_CHECKING:
    from app.services import Services

_PAGE_FROM: Final = 150  # px of height; a lower page could not be read
_TURNING_FROM: Final = 92
_ROOMY_FROM: Final = 300  # in less height, the page needs the room of buttons that turn nothing
_STRIP_FROM: Final = 360


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
        self._services = services
        self._tasks = tasks
        self._loader = PageLoader(services, tasks, self)
        self._documents: tuple[DocumentInfo, ...] = ()
        self._pages: list[int] = []
        self._at, self._page = 0, 0
        self._shown = ""  # the SHA-256 of the bill of which a page was shown last
        self._is_unlocking = False
        self._opened: OpenedPage | None = None
        self._turns = 0  # quarters by which the page is shown turned, or is about to be
        self._make(services, tasks)
        self._connect()
        self._lay_out()
        self.show_documents(())

    def _make(self, services: "Services", tasks: Tasks) -> None:
        self.canvas = PageCanvas()
        self.strip = BillStrip(services, tasks)
        self.tools = ViewerTools()
        self.note = label("", "", "document_note", wrap=True)
        self.note.hide()

    def _connect(self) -> None:
        canvas, tools, loader = self.canvas, self.tools, self._loader
        tools.previous.clicked.connect(partial(self.turn, -1))
        tools.next.clicked.connect(partial(self.turn, 1))
        tools.zoom_in.clicked.connect(partial(canvas.zoom_by, 1))
        tools.zoom_out.clicked.connect(partial(canvas.zoom_by, -1))
        tools.real.clicked.connect(partial(canvas.zoom_to, 1.0))
        tools.fit.clicked.connect(canvas.fit)
        tools.width_fit.clicked.connect(canvas.fit_width)
        tools.left.clicked.connect(partial(self.rotate, -1))
        tools.right.clicked.connect(partial(self.rotate, 1))
        tools.open.clicked.connect(lambda: self.open_wanted.emit(self._documents[self._at]))
        tools.save.clicked.connect(lambda: self.save_wanted.emit(self._documents[self._at]))
        canvas.zoom_changed.connect(lambda: tools.show_zoom(canvas.zoom if canvas.has_image() else None))
        canvas.again_wanted.connect(self._try_again)
        canvas.password_given.connect(self._unlock)
        canvas.part_failed.connect(lambda error: self._show_note(error.message))
        self.strip.chosen.connect(self.show_bill)
        loader.opened.connect(self._show)
        loader.failed.connect(self.fail)
        loader.late.connect(partial(canvas.say, "Opening…"))

    def _lay_out(self) -> None:
        inside = QVBoxLayout()
        inside.setContentsMargins(6, 6, 6, 6)
        inside.addWidget(self.canvas)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self._page_frame = frame("viewer", inside)
        column.addWidget(self._page_frame, 1)
        column.addWidget(self.strip)
        column.addWidget(self.note)
        column.addWidget(self.tools)
        column.addStretch(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with the keys of the canvas also if a button has the focus; turn the bill with L and R."""
        turns = {Qt.Key.Key_L: -1, Qt.Key.Key_R: 1}
        if event.key() in turns and not event.modifiers():
            self.rotate(turns[Qt.Key(event.key())])
        elif not self.canvas.zoom_with_key(event):
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide the page, and then the page buttons, if there is not enough height for them."""
        super().resizeEvent(event)
        self._show_rows()

    def showEvent(self, event: QShowEvent) -> None:
        """Render the next page in advance again."""
        super().showEvent(event)
        if self._opened is not None:
            self._loader.render_next(self._opened)

    def hideEvent(self, event: QHideEvent) -> None:
        """Free the pixels that were rendered in advance."""
        super().hideEvent(event)
        self._loader.drop_next()

    def _show_rows(self) -> None:
        height, several = self.height(), sum(self._pages) > 1
        self._page_frame.setVisible(height >= _PAGE_FROM)
        self.strip.setVisible(height >= _STRIP_FROM and len(self._documents) > 1)
        self.note.setVisible(height >= _PAGE_FROM and bool(self.note.text()))
        self.tools.show_rows(
            name=height >= _TURNING_FROM,
            zoom=height >= _PAGE_FROM,
            shape=height >= _TURNING_FROM and not self.canvas.wants_password,  # the field needs the room
            turning=height >= (_TURNING_FROM if several else _ROOMY_FROM),
        )

    def show_documents(self, documents: Sequence[DocumentInfo]) -> None:
        """Show the first page of the first document, or that there are no documents."""
        self._documents = tuple(documents)
        self._pages = [1] * len(self._documents)  # the number of pages is known after opening a document
        self._at, self._page, self._shown = 0, 0, ""
        self.strip.show_bills(self._documents)
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
        self.strip.show_bills(self._documents)
        self._load()

    def show_bill(self, at: int) -> None:
        """Show the first page of a bill, by its number from 0."""
        self._at, self._page = at, 0
        self._load()

    def rotate(self, quarters: int) -> None:
        """Show the bill turned clockwise by `quarters` more, now and later. Its bytes stay as they are."""
        opened = self._opened
        if opened is None:
            return
        bill, documents = self._documents[self._at], self._services.documents
        self._turns = (self._turns + quarters) % 4
        self._show_note("")
        self._loader.open_turned(opened, self._turns)
        self._tasks.run(
            lambda: documents.turn(bill, quarters),
            partial(self._kept_turned, bill),
            lambda error: self._show_note(f"The bill will not stay turned. {error.message}"),
            owner=self,
            local=True,
        )

    def _kept_turned(self, bill: DocumentInfo, turns: int) -> None:
        if bill in self._documents:  # the strip may have looked before it was kept
            self.strip.follow(self._documents.index(bill), turns)

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
        """Show an error instead of a page. Ask for a password, or offer a retry, if that can help."""
        self._loader.stop()
        if error.code in {Refusal.HAS_PASSWORD, Refusal.WRONG_PASSWORD}:
            reason = Refusal.WRONG_PASSWORD if self._is_unlocking else Refusal.HAS_PASSWORD
            self.canvas.ask_password(SENTENCES[reason], wrong=self._is_unlocking)
        else:
            self.canvas.say(error.message, again=can_try_again(error))
        self._show_state()
        self.strip.begin()

    def _unlock(self, password: str) -> None:
        self._loader.unlock(password)
        self._load(is_unlocking=True)

    def _load(self, *, again: bool = False, is_unlocking: bool = False) -> None:
        self._is_unlocking, self._opened = is_unlocking, None
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
        picture, bill = opened.picture, self._documents[self._at]
        self._pages[self._at], self._page = picture.pages, picture.page
        self.canvas.show_page(picture, opened, opened.finest, keep_zoom=bill.sha256 == self._shown)
        self._shown, self._opened, self._turns = bill.sha256, opened, opened.request.turns
        if self._is_unlocking:
            self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)  # the field that had it is gone
            self._is_unlocking = False
        self._show_note(picture.note)
        self._show_state()
        self.strip.follow(self._at, opened.request.turns)
        if self.isVisible():
            self._loader.render_next(opened)

    def _show_note(self, sentence: str) -> None:
        self.note.setText(sentence)
        self._show_rows()

    def _show_state(self) -> None:
        number, total = sum(self._pages[: self._at]) + self._page + 1, sum(self._pages)
        document = self._documents[self._at] if self._documents else None
        tools = self.tools
        tools.position.setText(self._position() if document else "")
        self._show_rows()
        self.strip.mark(self._at)
        tools.previous.setEnabled(number > 1 and document is not None)
        tools.next.setEnabled(number < total and document is not None)
        for button in (tools.left, tools.right):
            button.setEnabled(self._opened is not None)
        tools.open.setEnabled(document is not None and document.media_type in EXTENSIONS)
        tools.save.setEnabled(document is not None)
        name = shown_name(document.file_name) if document else ""
        tools.name.setText(name)
        tools.save.setToolTip(f"Save as… ({size_text(document.byte_size)})" if document else "Save as…")
        page = f"Page {self._page + 1} of {self._pages[self._at]}" if document else ""
        self.canvas.setAccessibleName(f"{page} of {name}" if document else "Bill")

    def _position(self) -> str:
        """Return which bill and which of its pages is shown. Bills and pages are counted apart."""
        bills, pages = len(self._documents), self._pages[self._at]
        bill, page = f"Bill {self._at + 1} of {bills}", f"page {self._page + 1} of {pages}"
        if bills == 1:
            return page.capitalize()
        return f"{bill} · {page}" if pages > 1 else bill
