"""The parts of a page that are rendered sharply because they are in view, in tiles of a grid."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, Protocol

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from app.domain.preview import Part, Urgency
from app.errors import AppError
from app.ui.page_zoom import PageSize
from app.ui.previews import PagePicture
from app.ui.widgets.page_image import PageImage

_TILE: Final = 1024  # pixels of a side
_KEPT_BYTES: Final = 32 * 1024 * 1024
_MARGIN: Final = 0.5  # of the view, on each side, is rendered in advance


class PartSource(Protocol):
    """Renders parts of the page that is shown."""

    def ask(
        self,
        part: Part,
        urgency: Urgency,
        done: Callable[[PagePicture], None],
        failed: Callable[[AppError], None],
    ) -> Callable[[], None]:
        """Render `part`, then call `done` or `failed`, later and on this thread; return what cancels it."""
        ...


class PageParts:
    """Asks for the tiles in view, keeps those that came last, and draws them.

    `changed` is called when a tile has come, and `failed` with the error when one cannot be rendered; it is
    not asked for again.
    """

    def __init__(
        self,
        page: PageSize,
        source: PartSource,
        changed: Callable[[], None],
        failed: Callable[[AppError], None],
    ) -> None:
        self._page = page
        self._source = source
        self._changed = changed
        self._failed = failed
        self._kept: dict[Part, PageImage] = {}  # the one that was in view last is the last
        self._asked: dict[Part, tuple[Urgency, Callable[[], None]]] = {}
        self._refused: set[Part] = set()

    def want(self, scale: float, view: QRectF) -> None:
        """Ask for the tiles at `scale` in `view`, and beside it; cancel all others. `view` is at 100 %."""
        wanted = dict.fromkeys(self._tiles(scale, _grown(view)), Urgency.BESIDE)
        wanted |= dict.fromkeys(self._tiles(scale, view), Urgency.IN_VIEW)
        for part, (urgency, cancel) in list(self._asked.items()):
            if wanted.get(part) != urgency:
                del self._asked[part]
                cancel()
        for part in sorted(wanted, key=lambda part: wanted[part]):
            self._want(part, wanted[part])

    def cancel(self) -> None:
        """Cancel everything that was asked for. What is kept stays."""
        for _urgency, cancel in self._asked.values():
            cancel()
        self._asked.clear()

    @property
    def waiting(self) -> bool:
        """Return whether a tile that was asked for has not come yet."""
        return bool(self._asked)

    @property
    def kept_bytes(self) -> int:
        """Return the size of the tiles that are kept."""
        return sum(4 * part.width * part.height for part in self._kept)

    def draw(self, painter: QPainter, scale: float, page: QRectF, seen: QRectF, density: float) -> None:
        """Draw the tiles that are there: those at `scale` over those at other scales."""
        for part, image in sorted(self._kept.items(), key=lambda item: item[0].scale == scale):
            image.draw(painter, self._tile_rect(part, page), seen, density)

    def _tile_rect(self, part: Part, page: QRectF) -> QRectF:
        zoom = page.width() / (self._page.width * part.scale)
        return QRectF(
            page.left() + part.left * zoom,
            page.top() + part.top * zoom,
            part.width * zoom,
            part.height * zoom,
        )

    def _tiles(self, scale: float, view: QRectF) -> Iterator[Part]:
        width, height = max(1, round(self._page.width * scale)), max(1, round(self._page.height * scale))
        for top in _starts(view.top() * scale, view.bottom() * scale, height):
            for left in _starts(view.left() * scale, view.right() * scale, width):
                yield Part(scale, left, top, min(_TILE, width - left), min(_TILE, height - top))

    def _want(self, part: Part, urgency: Urgency) -> None:
        if part in self._kept:
            self._kept[part] = self._kept.pop(part)
        elif part not in self._asked and part not in self._refused:
            cancel = self._source.ask(part, urgency, partial(self._came, part), partial(self._refuse, part))
            self._asked[part] = (urgency, cancel)

    def _came(self, part: Part, picture: PagePicture) -> None:
        self._asked.pop(part, None)
        self._kept[part] = PageImage(picture)
        while self.kept_bytes > _KEPT_BYTES:
            del self._kept[next(iter(self._kept))]
        self._changed()

    def _refuse(self, part: Part, error: AppError) -> None:
        self._asked.pop(part, None)
        self._refused.add(part)
        self._failed(error)


def _grown(view: QRectF) -> QRectF:
    across, down = view.width() * _MARGIN, view.height() * _MARGIN
    return view.adjusted(-across, -down, across, down)


def _starts(first: float, last: float, end: int) -> range:
    begin = max(0, math.floor(first / _TILE)) * _TILE
    return range(begin, min(end, math.ceil(last)), _TILE)
