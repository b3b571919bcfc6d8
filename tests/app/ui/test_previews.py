"""The bridge from the previews to the windows: pixels, threads, and what is no longer wanted."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QObject, QPointF
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from app.domain.preview import Preview, PreviewRequest, Refusal, Urgency
from app.errors import AppError, InputError, OfflineError
from app.services.previews import Previews
from app.ui import previews
from app.ui.page_zoom import PageSize
from app.ui.previews import PagePicture, PreviewFeed
from app.ui.widgets.page_canvas import PageCanvas
from tests.support import bills


@pytest.fixture
def service() -> Iterator[Previews]:
    made = Previews()
    yield made
    made.close()


@pytest.fixture
def owner(qtbot: QtBot) -> QObject:
    return QObject()


@pytest.fixture
def feed(service: Previews, owner: QObject) -> PreviewFeed:
    return PreviewFeed(service, owner)


def scan(tmp_path: Path) -> PreviewRequest:
    return PreviewRequest(bills.two_page_tiff(tmp_path / "scan.tif"), "image/tiff")


def test_pixels_become_an_image_without_being_copied() -> None:
    pixels = bytes((1, 2, 3, 0)) * 6
    made = previews.page_picture(Preview(pixels, 2, 3, 1, 4, 20, 30, "The end is missing."))
    assert made.image.pixelColor(1, 2) == QColor(3, 2, 1)
    assert (made.page, made.pages, made.size, made.note) == (1, 4, PageSize(20, 30), "The end is missing.")
    assert made.pixels is pixels
    assert made.scale == 0.1


@pytest.mark.parametrize(
    ("width", "height"), [((1 << 64) - 1, -(1 << 63)), (1 << 30, 1 << 30), (1 << 63, 1), (1, 1 << 40)]
)
def test_a_page_of_any_size_is_drawn_at_every_zoom(qtbot: QtBot, width: int, height: int) -> None:
    class NoParts:
        def ask(self, *_: object) -> Callable[[], None]:
            return lambda: None

    canvas = PageCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(600, 400)
    canvas.show()
    canvas.show_page(previews.page_picture(Preview(bytes(400), 10, 10, 0, 1, width, height)), NoParts(), 8.0)
    for zoom in (None, 0.05, 1.0, 8.0, 8.0):
        if zoom is not None:
            canvas.zoom_to(zoom, QPointF(590, 390))
        canvas.grab()
        for bar in (canvas.horizontalScrollBar(), canvas.verticalScrollBar()):
            bar.setValue(bar.maximum())
        canvas.grab()
        QCoreApplication.processEvents()


def test_a_page_is_delivered_on_the_thread_of_the_windows(
    qtbot: QtBot, feed: PreviewFeed, tmp_path: Path
) -> None:
    came: list[tuple[PagePicture, threading.Thread]] = []
    feed.ask(
        scan(tmp_path),
        Urgency.IN_VIEW,
        lambda made: came.append((made, threading.current_thread())),
        lambda error: pytest.fail(error.message),
    )
    qtbot.waitUntil(lambda: bool(came))
    assert came[0][0].pages == 2
    assert came[0][0].image.pixelColor(5, 5) == QColor("red")
    assert came[0][1] is threading.main_thread()


def test_an_error_is_delivered_too(qtbot: QtBot, feed: PreviewFeed, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 and nothing else")
    told: list[AppError] = []
    request = PreviewRequest(broken, "application/pdf")
    feed.ask(request, Urgency.IN_VIEW, lambda _made: pytest.fail("shown"), told.append)
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].code == Refusal.DAMAGED


def test_what_was_cancelled_is_not_delivered(qtbot: QtBot, feed: PreviewFeed, tmp_path: Path) -> None:
    came: list[int] = []
    first, second = scan(tmp_path), PreviewRequest(tmp_path / "scan.tif", "image/tiff", page=1)
    cancel = feed.ask(first, Urgency.IN_VIEW, lambda made: came.append(made.page), lambda _error: None)
    cancel()
    feed.ask(second, Urgency.IN_BACKGROUND, lambda made: came.append(made.page), lambda _error: None)
    qtbot.waitUntil(lambda: bool(came))
    assert came == [1]
    cancel()


def test_nothing_is_delivered_to_a_window_that_was_deleted(
    qtbot: QtBot, service: Previews, feed: PreviewFeed, owner: QObject, tmp_path: Path
) -> None:
    came: list[int] = []
    feed.ask(scan(tmp_path), Urgency.IN_VIEW, lambda made: came.append(made.page), lambda _error: None)
    shiboken6.delete(owner)
    other = QObject()
    PreviewFeed(service, other).ask(
        scan(tmp_path), Urgency.IN_BACKGROUND, lambda _made: came.append(-1), lambda _error: None
    )
    qtbot.waitUntil(lambda: bool(came))
    assert came == [-1]


NOT_IN_THE_FILE = {Refusal.UNREADABLE, Refusal.NO_WORKER}


@pytest.mark.parametrize("reason", sorted(set(Refusal) - NOT_IN_THE_FILE))
def test_every_reason_in_the_file_has_a_note_for_its_tile(reason: Refusal) -> None:
    note = previews.attachment_note(InputError("…", code=reason))
    expected = "Try again." if reason is Refusal.WRONG_PASSWORD else "It is attached as it is."
    assert note.endswith(expected)


def test_an_error_unrelated_to_the_file_gives_no_note() -> None:
    assert previews.attachment_note(OfflineError()) == ""
    for reason in NOT_IN_THE_FILE:
        assert previews.attachment_note(InputError("…", code=reason)) == ""


def test_only_what_may_end_otherwise_can_be_tried_again() -> None:
    assert previews.can_try_again(InputError("…", code=Refusal.TOO_COSTLY))
    assert previews.can_try_again(InputError("…", code=Refusal.NO_WORKER))
    assert previews.can_try_again(OfflineError())
    assert not previews.can_try_again(InputError("…", code=Refusal.DAMAGED))
