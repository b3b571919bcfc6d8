"""The bridge from the previews of bills to the windows: asks for pages, delivers them on the GUI thread."""

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from app.domain.preview import Preview, PreviewRequest, Refusal, Urgency
from app.errors import AppError, InputError
from app.ui.page_zoom import PageSize

if TYPE_CHECKING:
    from app.services.previews import Previews, PreviewTicket

_MAX_SIDE: Final = 1 << 27
"""Of a page, in pixels: enlarged as far as can be, its size still fits the 32-bit numbers of Qt."""

_NOTES: Final[dict[str, str]] = {
    Refusal.DAMAGED: "seems to be damaged. It is attached as it is.",
    Refusal.HAS_PASSWORD: "has a password. It is attached as it is.",
    Refusal.WRONG_PASSWORD: "has another password. Try again.",
    Refusal.UNKNOWN_CIPHER: "is locked in a way that Bahi cannot open. It is attached as it is.",
    Refusal.TOO_LARGE: "is too large to show here. It is attached as it is.",
    Refusal.UNKNOWN_KIND: "is of a kind that is not shown here. It is attached as it is.",
    Refusal.TOO_COSTLY: "cannot be shown here. It is attached as it is.",
}


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page, or a part of one, as an image. `page` counts from 0; `size` is that of the whole page."""

    image: QImage
    page: int
    pages: int
    size: PageSize
    note: str
    pixels: bytes | bytearray
    """Of `image`, which does not copy them: they must live as long as it does."""

    @property
    def scale(self) -> float:
        """Return the scale of an image that shows the whole page; 1.0 = 100 %."""
        return max(self.image.width() / self.size.width, self.image.height() / self.size.height)


def page_picture(preview: Preview) -> PagePicture:
    """Return `preview` as an image, without a copy of its pixels."""
    width, height = preview.width, preview.height
    image = QImage(preview.pixels, width, height, 4 * width, QImage.Format.Format_RGB32)
    size = PageSize(*(min(max(1, side), _MAX_SIDE) for side in (preview.page_width, preview.page_height)))
    return PagePicture(image, preview.page, preview.pages, size, preview.note, preview.pixels)


def attachment_note(error: AppError) -> str:
    """Return the end of a sentence about a new bill that begins with its name, for an error of a preview;
    "" if the file itself is not the reason."""
    return _NOTES.get(error.code, "")


def can_try_again(error: AppError) -> bool:
    """Return whether it makes sense to ask again for a preview that ended with `error`."""
    return error.retryable or error.code in {Refusal.TOO_COSTLY, Refusal.NO_WORKER}


@dataclass(frozen=True, slots=True)
class _Wish:
    done: Callable[[PagePicture], None]
    failed: Callable[[AppError], None]


class PreviewFeed(QObject):
    """Asks for previews on behalf of its parent. Nothing is delivered after this has been deleted."""

    _answered = Signal(int, object)

    def __init__(self, previews: "Previews", parent: QObject) -> None:
        super().__init__(parent)
        self._previews = previews
        self._numbers = itertools.count(1)
        self._wishes: dict[int, _Wish] = {}
        self._answered.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def ask(
        self,
        request: PreviewRequest,
        urgency: Urgency,
        done: Callable[[PagePicture], None],
        failed: Callable[[AppError], None],
        *,
        again: bool = False,
    ) -> Callable[[], None]:
        """Render `request`, then call `done` or `failed`, later and on this thread; return what cancels it.

        With `again`, also render a bill that has stopped the renderer before.
        """
        number = next(self._numbers)
        self._wishes[number] = _Wish(done, failed)
        ticket = self._previews.submit(request, urgency, partial(self._answer, number), again=again)
        return partial(self._cancel, number, ticket)

    def _cancel(self, number: int, ticket: "PreviewTicket") -> None:
        if self._wishes.pop(number, None) is not None:
            ticket.cancel()

    def _answer(self, number: int, answer: Preview | InputError) -> None:
        """Hand over an answer to the GUI thread; called on a thread of the previews."""
        with contextlib.suppress(RuntimeError):  # the window has been closed, and this object deleted
            self._answered.emit(number, page_picture(answer) if isinstance(answer, Preview) else answer)

    def _deliver(self, number: int, answer: PagePicture | InputError) -> None:
        wish = self._wishes.pop(number, None)
        if wish is None:
            return
        if isinstance(answer, PagePicture):
            wish.done(answer)
        else:
            wish.failed(answer)
