"""Renders pages of PDF documents with PDFium: with form fields and annotations, such as stamps."""

import ctypes
from dataclasses import dataclass
from typing import Final

import pypdfium2
from pypdfium2 import raw

from app.domain.preview import Refusal
from app.rendering.messages import Rendered, RenderPage
from app.rendering.window import RefusalError, Window, turned, window_of

_PIXELS_PER_POINT: Final = 96 / 72
_MAX_POINTS: Final = 1_000_000.0  # of a side of a page: 350 m
_WHITE: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _OpenPage:
    page: pypdfium2.PdfPage
    number: int
    width: int  # in pixels at 100 %
    height: int


class Pdf:
    """An open PDF document. It keeps the last page, so that parts of one page follow quickly."""

    def __init__(self, data: bytes, password: str = "") -> None:
        """Open the document in `data`. Raises RefusalError."""
        try:
            self._document = pypdfium2.PdfDocument(data, password or None)
            self._document.init_forms()  # before any page, or form fields are not drawn
            self._pages = len(self._document)
        except pypdfium2.PdfiumError as error:
            raise RefusalError(_reason(error.err_code, password)) from error
        if self._pages < 1:
            raise RefusalError(Refusal.DAMAGED)
        self._last: _OpenPage | None = None

    def close(self) -> None:
        """Close the document."""
        if self._last is not None:
            self._last.page.close()
        self._document.close()

    def render(self, job: RenderPage) -> tuple[Rendered, memoryview]:
        """Render what `job` asks for. Raises RefusalError."""
        opened = self._open_page(min(max(job.page, 0), self._pages - 1))
        size = turned(opened.width, opened.height, job.turns)
        window = window_of(job, *size, may_grow=True)
        pixels = self._draw(opened.page, window, job.turns)
        return Rendered(window.width, window.height, opened.number, self._pages, *size), pixels

    def _open_page(self, number: int) -> _OpenPage:
        if self._last is not None and self._last.number == number:
            return self._last
        if self._last is not None:
            self._last.page.close()
            self._last = None
        try:
            page = self._document[number]
        except pypdfium2.PdfiumError as error:
            raise RefusalError(Refusal.DAMAGED) from error
        points = page.get_size()
        if not all(0 < side <= _MAX_POINTS for side in points):  # also refuses what is not a number
            page.close()
            raise RefusalError(Refusal.TOO_LARGE)
        width, height = (max(1, round(side * _PIXELS_PER_POINT)) for side in points)
        self._last = _OpenPage(page, number, width, height)
        return self._last

    def _draw(self, page: pypdfium2.PdfPage, window: Window, turns: int) -> memoryview:
        size = window.width, window.height
        pixels = (ctypes.c_ubyte * (size[0] * size[1] * 4))()
        bitmap = raw.FPDFBitmap_CreateEx(*size, raw.FPDFBitmap_BGRx, pixels, size[0] * 4)
        if not bitmap:
            raise RefusalError(Refusal.TOO_LARGE)
        area = (-window.left, -window.top, window.page_width, window.page_height, turns, raw.FPDF_ANNOT)
        raw.FPDFBitmap_FillRect(bitmap, 0, 0, *size, _WHITE)
        raw.FPDF_RenderPageBitmap(bitmap, page, *area)
        if self._document.formenv:
            raw.FPDF_FFLDraw(self._document.formenv, bitmap, page, *area)
        raw.FPDFBitmap_Destroy(bitmap)
        return memoryview(pixels).cast("B")


def _reason(code: int, password: str) -> Refusal:
    if code == raw.FPDF_ERR_PASSWORD:
        return Refusal.WRONG_PASSWORD if password else Refusal.HAS_PASSWORD
    return Refusal.UNKNOWN_CIPHER if code == raw.FPDF_ERR_SECURITY else Refusal.DAMAGED
