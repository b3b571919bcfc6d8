"""Which pixels of a page are asked for: the whole page scaled, or a part of it."""

from dataclasses import dataclass

from app.domain.preview import Refusal
from app.rendering.messages import MAX_PIXELS, MAX_SIDE, RenderPage


class RefusalError(Exception):
    """The page is not shown."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Window:
    """The rectangle `left`, `top`, `width`, `height` of a page scaled to `page_width` x `page_height`.

    All are in pixels. The rectangle lies within the page and is at least one pixel wide and high.
    """

    page_width: int
    page_height: int
    left: int
    top: int
    width: int
    height: int

    def turned_back(self, turns: int) -> "Window":
        """Return where the window is on the page before it was turned clockwise by `turns` quarters."""
        window = self
        for _ in range(turns % 4):
            window = Window(
                *(window.page_height, window.page_width),
                *(window.top, window.page_width - window.left - window.width),
                *(window.height, window.width),
            )
        return window


def turned(width: int, height: int, turns: int) -> tuple[int, int]:
    """Return the size of a page after `turns` quarters."""
    return (height, width) if turns % 2 else (width, height)


def window_of(job: RenderPage, width: int, height: int, *, may_grow: bool) -> Window:
    """Return the window of a page that has this size at 100 %, as it is turned.

    `may_grow` says whether a whole page may be larger than at 100 %. Raises RefusalError if the window or
    the page is too large.
    """
    if job.part is None:
        scale = job.edge / max(width, height)
        made = _whole(width, height, scale if may_grow else min(1.0, scale))
    else:
        made = _part(width, height, job)
    if max(made.page_width, made.page_height) > MAX_SIDE or made.width * made.height > MAX_PIXELS:
        raise RefusalError(Refusal.TOO_LARGE)
    return made


def _whole(width: int, height: int, scale: float) -> Window:
    scaled = max(1, round(width * scale)), max(1, round(height * scale))
    return Window(*scaled, 0, 0, *scaled)


def _part(width: int, height: int, job: RenderPage) -> Window:
    part = job.part
    assert part is not None
    whole = _whole(width, height, part.scale)
    left = min(max(part.left, 0), whole.page_width - 1)
    top = min(max(part.top, 0), whole.page_height - 1)
    right = min(max(part.left + part.width, left + 1), whole.page_width)
    bottom = min(max(part.top + part.height, top + 1), whole.page_height)
    return Window(whole.page_width, whole.page_height, left, top, right - left, bottom - top)
