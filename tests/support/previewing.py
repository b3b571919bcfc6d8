"""What tests of previews share: asking for a page and waiting for it, and PDFs made from a few operators."""

import threading
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from app.domain.preview import Preview, PreviewRequest, Urgency
from app.errors import InputError
from app.rendering.messages import Rendered, RenderPage
from app.rendering.worker import Renderer
from app.services.previews import Previews, PreviewTicket


@dataclass(frozen=True, slots=True)
class Asked:
    """A page that was asked for."""

    ticket: PreviewTicket
    answered: threading.Event
    results: list[Preview | InputError]

    @classmethod
    def of(
        cls,
        previews: Previews,
        request: PreviewRequest,
        urgency: Urgency = Urgency.IN_VIEW,
        *,
        again: bool = False,
    ) -> "Asked":
        """Ask `previews` for a page."""
        answered, results = threading.Event(), list[Preview | InputError]()

        def done(result: Preview | InputError) -> None:
            results.append(result)
            answered.set()

        return cls(previews.submit(request, urgency, done, again=again), answered, results)

    def result(self, seconds: float = 60) -> Preview | InputError:
        """Return the answer; fail if there is none after `seconds`."""
        assert self.answered.wait(seconds), "the page was not answered"
        return self.results[0]


def shown(previews: Previews, request: PreviewRequest) -> Preview:
    """Return the page that `request` asks for; fail if it is refused."""
    result = Asked.of(previews, request).result()
    assert isinstance(result, Preview), result
    return result


def drawing_pdf(
    path: Path,
    content: bytes,
    *,
    width: int = 100,
    height: int = 100,
    pages: int = 1,
    page_extra: str = "",
    objects: dict[int, bytes] | None = None,
    catalog_extra: str = "",
) -> Path:
    """Write a PDF whose pages all have the operators `content`; Helvetica is /F1.

    `page_extra` and `catalog_extra` are added to the dictionaries of the pages and of the document, `objects`
    are further objects by their numbers, from 100 on. Return `path`.
    """
    kids = " ".join(f"{10 + number} 0 R" for number in range(pages))
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    parts = {
        1: f"<< /Type /Catalog /Pages 2 0 R {catalog_extra} >>".encode(),
        2: f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        3: b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        4: font.encode(),
        **(objects or {}),
    }
    page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents 3 0 R"
    resources = "" if "/Resources" in page_extra else "/Resources << /Font << /F1 4 0 R >> >>"
    for number in range(pages):
        parts[10 + number] = f"{page} {resources} {page_extra} >>".encode()
    path.write_bytes(_file(parts))
    return path


def _file(parts: dict[int, bytes]) -> bytes:
    """Return a PDF file of these objects; the first is the catalog."""
    data, places = b"%PDF-1.7\n", dict[int, int]()
    for number, body in parts.items():
        places[number] = len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%d 1\n%010d 00000 n \n" % (number, place) for number, place in sorted(places.items()))
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (max(parts) + 1, len(data))
    return data + b"xref\n0 1\n0000000000 65535 f \n" + table + trailer


def drawn(renderer: Renderer, job: RenderPage) -> tuple[Rendered, Image.Image]:
    """Return what a renderer in this process answers, and its pixels as a picture; fail if it refuses."""
    page, pixels = renderer.answer(job)
    assert isinstance(page, Rendered), page
    size = page.width, page.height
    return page, Image.frombytes("RGB", size, bytes(pixels), "raw", "BGRX")
