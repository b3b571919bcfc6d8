"""The parts of a page: asked for by the view, cancelled when they have left it, and kept within a bound."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from app.domain.preview import Part, Refusal, Urgency
from app.errors import AppError, InputError
from app.ui.page_zoom import PageSize
from app.ui.previews import PagePicture
from app.ui.widgets.page_parts import PageParts

PAGE = PageSize(1000, 60_000)


@dataclass
class Renderer:
    """Answers only when a test says so."""

    asked: dict[Part, tuple[Urgency, Callable[[PagePicture], None], Callable[[AppError], None]]] = field(
        default_factory=dict
    )
    cancelled: list[Part] = field(default_factory=list)

    def ask(
        self,
        part: Part,
        urgency: Urgency,
        done: Callable[[PagePicture], None],
        failed: Callable[[AppError], None],
    ) -> Callable[[], None]:
        """Note what is asked for."""
        self.asked[part] = (urgency, done, failed)

        def cancel() -> None:
            self.cancelled.append(part)
            self.asked.pop(part)

        return cancel

    def tops(self, urgency: Urgency) -> list[int]:
        """Return where the parts begin that are asked for with this urgency."""
        return sorted(part.top for part, (each, _, _) in self.asked.items() if each is urgency)

    def finish(self, colour: str = "red") -> None:
        """Render everything that is asked for, in one colour."""
        for part, (_, done, _) in list(self.asked.items()):
            del self.asked[part]
            image = QImage(part.width, part.height, QImage.Format.Format_RGB32)
            image.fill(QColor(colour))
            done(PagePicture(image, 0, 1, PAGE, "", b""))


@pytest.fixture
def renderer() -> Renderer:
    return Renderer()


@pytest.fixture
def refused() -> list[AppError]:
    return []


@pytest.fixture
def parts(renderer: Renderer, refused: list[AppError]) -> PageParts:
    return PageParts(PAGE, renderer, lambda: None, refused.append)


def view(top: float, height: float = 1000) -> QRectF:
    return QRectF(0, top, 300, height)


def test_what_is_in_view_is_asked_for_and_then_what_is_beside(parts: PageParts, renderer: Renderer) -> None:
    parts.want(1.0, view(10_300, 900))
    assert renderer.tops(Urgency.IN_VIEW) == [10_240]
    assert renderer.tops(Urgency.BESIDE) == [9_216, 11_264]
    assert all(part.scale == 1.0 and part.width == 1000 for part in renderer.asked)


def test_the_last_part_ends_with_the_page(parts: PageParts, renderer: Renderer) -> None:
    parts.want(0.5, view(59_500))
    last = max(renderer.asked, key=lambda part: part.top)
    assert (last.width, last.top + last.height) == (500, 30_000)


def test_parts_that_have_left_the_view_are_cancelled(parts: PageParts, renderer: Renderer) -> None:
    parts.want(1.0, view(0))
    parts.want(1.0, view(30_000))
    assert {part.top for part in renderer.cancelled} == {0, 1024}
    assert min(part.top for part in renderer.asked) > 20_000


def test_a_part_beside_that_comes_into_view_becomes_more_urgent(parts: PageParts, renderer: Renderer) -> None:
    parts.want(1.0, view(0, 1000))
    assert renderer.tops(Urgency.BESIDE) == [1024]
    parts.want(1.0, view(500, 1000))
    assert renderer.tops(Urgency.IN_VIEW) == [0, 1024]


def test_another_zoom_cancels_the_parts_of_the_last_one(parts: PageParts, renderer: Renderer) -> None:
    parts.want(1.0, view(0))
    parts.want(2.0, view(0))
    assert all(part.scale == 2.0 for part in renderer.asked)


def test_what_is_kept_is_not_rendered_again(parts: PageParts, renderer: Renderer) -> None:
    parts.want(1.0, view(0))
    renderer.finish()
    parts.want(1.0, view(0))
    assert renderer.asked == {}
    assert not parts.waiting


def test_the_memory_of_kept_parts_is_bounded(parts: PageParts, renderer: Renderer) -> None:
    for top in range(0, 59_000, 1000):
        parts.want(1.0, view(top))
        renderer.finish()
    assert parts.kept_bytes <= 64 * 1024 * 1024
    parts.want(1.0, view(58_000))
    assert renderer.asked == {}, "what was in view last is kept"


def test_a_part_that_cannot_be_rendered_is_told_once_and_not_asked_for_again(
    parts: PageParts, renderer: Renderer, refused: list[AppError]
) -> None:
    parts.want(1.0, QRectF(0, 0, 300, 300))
    part, (_, _, failed) = next(iter(renderer.asked.items()))
    del renderer.asked[part]
    failed(InputError("It takes too long.", code=Refusal.TOO_COSTLY))
    parts.want(1.0, QRectF(0, 0, 300, 300))
    assert part not in renderer.asked
    assert len(refused) == 1


def test_a_part_is_drawn_where_it_belongs(parts: PageParts, renderer: Renderer) -> None:
    parts.want(1.0, QRectF(0, 2048, 300, 1))
    renderer.finish()
    screen = QImage(300, 1200, QImage.Format.Format_RGB32)
    screen.fill(QColor("white"))
    painter = QPainter(screen)
    parts.draw(painter, 1.0, QRectF(0, -1948, 1000, 60_000), QRectF(screen.rect()), 1.0)
    painter.end()
    rows = [y for y in range(1200) if screen.pixelColor(5, y) == QColor("red")]
    assert (rows[0], rows[-1]) == (0, 100 + 1023)
