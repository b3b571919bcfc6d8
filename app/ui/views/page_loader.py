"""Fetches and renders the page that the viewer shows, and the next one in advance."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.entry import DocumentInfo
from app.domain.preview import Part, PreviewRequest, Urgency
from app.errors import AppError
from app.ui.bounds import PDF
from app.ui.previews import PagePicture, PreviewFeed
from app.ui.tasks import Tasks

if TYPE_CHECKING:
    from app.services import Services

_LONG_MS: Final = 200  # a sentence that is gone sooner would only flicker


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """A page that has been rendered whole, and renders parts of it."""

    picture: PagePicture
    request: PreviewRequest
    feed: PreviewFeed

    @property
    def finest(self) -> float:
        """Return the scale above which parts show nothing more: a picture's own pixels."""
        return math.inf if self.request.media_type == PDF else 1.0

    def ask(
        self,
        part: Part,
        urgency: Urgency,
        done: Callable[[PagePicture], None],
        failed: Callable[[AppError], None],
    ) -> Callable[[], None]:
        """Render `part`, then call `done` or `failed`; return what cancels it."""
        return self.feed.ask(replace(self.request, part=part), urgency, done, failed)


class PageLoader(QObject):
    """`opened` carries an OpenedPage, `failed` an AppError; `late` is emitted if neither comes soon."""

    opened = Signal(object)
    failed = Signal(object)
    late = Signal()

    def __init__(self, services: "Services", tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._feed = PreviewFeed(services.previews, self)
        self._cancels: list[Callable[[], None]] = []
        self._next: OpenedPage | None = None
        self._cancel_next: Callable[[], None] = _nothing
        self._path: Path | None = None  # of the document that was opened last
        self._late = QTimer(self, singleShot=True, interval=_LONG_MS)
        self._late.timeout.connect(self.late)

    def await_page(self) -> None:
        """Cancel what was asked for, and emit `late` if no page is opened soon."""
        self.stop()
        self._late.start()

    def open(self, document: DocumentInfo, page: int, *, again: bool = False) -> None:
        """Open a page of a document. With `again`, also a document that could not be rendered before."""
        self.await_page()
        documents = self._services.documents

        def work() -> tuple[Path, int]:
            return documents.fetch(document), documents.turns(document)

        self._tasks.run(
            work,
            partial(self._render, document.media_type, page, again),
            self._fail,
            owner=self,
            topic="page",
        )

    def open_turned(self, opened: OpenedPage, turns: int) -> None:
        """Open a page again, turned clockwise by `turns` quarters."""
        self.await_page()
        self._ask(replace(opened.request, turns=turns), again=False)

    def unlock(self, password: str) -> None:
        """Use a password for the document that was opened last."""
        if self._path is not None:
            self._services.previews.unlock(self._path, password)

    def stop(self) -> None:
        """Cancel what was asked for."""
        self._late.stop()
        self._tasks.supersede(self, "page")
        self._cancel_next()
        for cancel in self._cancels:
            cancel()
        self._cancels.clear()

    def drop_next(self) -> None:
        """Free the pixels of the next page, and do not render it."""
        self._cancel_next()
        self._next = None

    def _render(self, media_type: str, page: int, again: bool, found: tuple[Path, int]) -> None:
        self._path, turns = found
        self._ask(PreviewRequest(self._path, media_type, page, turns=turns), again=again)

    def _ask(self, request: PreviewRequest, *, again: bool) -> None:
        if self._next is not None and self._next.request == request:
            self._open(self._next)
            return
        self._next = None
        done = partial(self._rendered, request)
        self._cancels.append(self._feed.ask(request, Urgency.IN_VIEW, done, self._fail, again=again))

    def _rendered(self, request: PreviewRequest, picture: PagePicture) -> None:
        self._open(OpenedPage(picture, replace(request, page=picture.page), self._feed))

    def _open(self, opened: OpenedPage) -> None:
        self._late.stop()
        self._next = None
        self.opened.emit(opened)

    def render_next(self, opened: OpenedPage) -> None:
        """Render the page after an opened one, and keep it until `drop_next` or another page is asked for."""
        if opened.picture.page + 1 >= opened.picture.pages:
            return
        request = replace(opened.request, page=opened.picture.page + 1)

        def keep(picture: PagePicture) -> None:
            self._next = OpenedPage(picture, request, self._feed)

        self._cancel_next = self._feed.ask(request, Urgency.BESIDE, keep, _say_when_turned)

    def _fail(self, error: AppError) -> None:
        self._late.stop()
        self.failed.emit(error)


def _nothing() -> None:
    """Cancel nothing."""


def _say_when_turned(_error: AppError) -> None:
    """Do nothing: the user is told when the page is turned to."""
