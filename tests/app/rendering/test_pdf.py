"""PDF pages of every kind, beside the rendering of poppler."""

import shutil
import subprocess
from pathlib import Path

import msgspec
import pikepdf
import pytest
from PIL import Image

from app.domain.preview import Part, Refusal
from app.rendering.messages import Refused, RenderPage
from app.rendering.worker import Renderer
from tests.app.rendering.test_pictures import difference
from tests.support.pdf_files import PDFS, locked
from tests.support.previewing import drawing_pdf, drawn

_PDFTOPPM = shutil.which("pdftoppm")
_ALIKE = 6.0
_EDGE = 300
DIFFERS = {
    "image one bit": "dots smaller than a pixel of the screen: each program smooths them in its own way",
    "crop box beyond the page": "poppler shows what lies outside the media box; ISO 32000 cuts it off",
}
"""The bills that look otherwise than poppler draws them, each with the reason."""


def by_poppler(path: Path, folder: Path) -> Image.Image:
    """Return the first page of a PDF as poppler draws it, with `_EDGE` pixels on the longer side."""
    options = ["-cropbox", "-png", "-singlefile", "-scale-to", str(_EDGE)]
    subprocess.run([str(_PDFTOPPM), *options, str(path), str(folder / "poppler")], check=True)
    with Image.open(folder / "poppler.png") as made:
        return made.convert("RGB")


@pytest.mark.skipif(_PDFTOPPM is None, reason="compares with pdftoppm, of the package poppler-utils")
@pytest.mark.parametrize("name", PDFS)
def test_a_pdf_looks_as_poppler_draws_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bill.pdf"
    PDFS[name](path)
    pixels = drawn(Renderer(), _job(path, edge=_EDGE))[1]
    expected = by_poppler(path, tmp_path)
    found = difference(pixels.resize(expected.size), expected)
    assert (found > _ALIKE) is (name in DIFFERS)
    assert difference(expected, Image.new("RGB", expected.size, "white")) > 2 * _ALIKE
    sizes = zip(pixels.size, expected.size, strict=True)
    assert name in DIFFERS or all(abs(mine - other) <= 1 for mine, other in sizes)


def test_a_form_field_and_a_stamp_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "bill.pdf"
    PDFS["text field"](path)
    assert drawn(Renderer(), _job(path, edge=200))[1].getpixel((100, 65)) == (230, 230, 128)
    PDFS["stamp"](path)
    assert drawn(Renderer(), _job(path, edge=200))[1].getpixel((22, 62)) == (204, 0, 0)


@pytest.mark.parametrize("name", ["plain", "stamp", "text field", "rotated 90", "crop box turned"])
def test_a_part_is_the_same_part_of_the_whole_page(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bill.pdf"
    PDFS[name](path)
    renderer = Renderer()
    page = drawn(renderer, _job(path))[0]
    size = 2 * page.page_width, 2 * page.page_height
    whole = drawn(renderer, _job(path, part=Part(2.0, 0, 0, *size)))[1]
    part = drawn(renderer, _job(path, part=Part(2.0, 100, 60, 150, 120)))[1]
    assert whole.size == size
    assert difference(part, whole.crop((100, 60, 250, 180))) < 3  # an edge may snap to the next pixel


def test_a_long_receipt_is_readable_by_its_parts(tmp_path: Path) -> None:
    path = drawing_pdf(tmp_path / "roll.pdf", b"0 0 50 50 re f", width=227, height=8504)
    renderer = Renderer()
    page, whole = drawn(renderer, _job(path))
    assert whole.size == (69, 2600)
    size = page.page_width, page.page_height
    assert size == (303, 11_339)
    _, part = drawn(renderer, _job(path, part=Part(1.0, 0, size[1] - 100, 100, 100)))
    assert part.getpixel((60, 40)) == (0, 0, 0)
    assert part.getpixel((90, 40)) == (255, 255, 255)


@pytest.mark.parametrize("side", ["2147483648", "1e30", "-1e30", "99999999999999999999", "0", "0.001"])
def test_a_page_of_any_size_is_drawn_or_refused_with_a_reason(tmp_path: Path, side: str) -> None:
    path = drawing_pdf(tmp_path / "bill.pdf", b"", page_extra=f"/MediaBox [0 0 {side} 100]")
    renderer = Renderer()
    for part in (None, Part(1.0, 0, 0, 50, 50), Part(8.0, 2_000_000_000, 0, 50, 50)):
        answer = renderer.answer(_job(path, part=part))[0]
        assert not isinstance(answer, Refused) or answer.reason is Refusal.TOO_LARGE


def test_a_pdf_with_a_password_is_refused_as_such(tmp_path: Path) -> None:
    locked(tmp_path / "bill.pdf")
    assert Renderer().answer(_job(tmp_path / "bill.pdf"))[0] == Refused(Refusal.HAS_PASSWORD)


@pytest.mark.parametrize("password", ["secret", "owner"])
def test_a_pdf_opens_with_its_passwords_and_with_no_other(tmp_path: Path, password: str) -> None:
    locked(tmp_path / "bill.pdf")
    PDFS["plain"](tmp_path / "plain.pdf")
    renderer, job = Renderer(), _job(tmp_path / "bill.pdf")
    wrong, right = (msgspec.structs.replace(job, password=each) for each in ("Secret", password))
    assert renderer.answer(wrong)[0] == Refused(Refusal.WRONG_PASSWORD)
    assert drawn(renderer, right)[1] == drawn(Renderer(), _job(tmp_path / "plain.pdf"))[1]
    assert renderer.answer(job)[0] == Refused(Refusal.HAS_PASSWORD), "it does not stay open for others"
    assert renderer.answer(wrong)[0] == Refused(Refusal.WRONG_PASSWORD)
    assert password not in repr(right)


@pytest.mark.parametrize("name", ["text field", "stamp", "crop box turned", "rotated 90"])
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_page_is_the_page_turned_and_so_are_its_parts(tmp_path: Path, name: str, turns: int) -> None:
    path = tmp_path / "bill.pdf"
    PDFS[name](path)
    job = msgspec.structs.replace(_job(path, edge=600), turns=turns)
    upright, (page, shown) = drawn(Renderer(), _job(path, edge=600))[1], drawn(Renderer(), job)
    assert difference(shown, upright.rotate(-90 * turns, expand=True)) < 3
    assert (page.page_width >= page.page_height) == (shown.width >= shown.height)
    scale = shown.width / page.page_width
    part = msgspec.structs.replace(job, part=Part(scale, 30, 20, 80, 120))
    assert difference(drawn(Renderer(), part)[1], shown.crop((30, 20, 110, 140))) < 3


def test_a_pdf_cut_anywhere_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "bill.pdf"
    PDFS["text field"](path)
    data = path.read_bytes()
    for kept in range(0, len(data), 101):
        path.write_bytes(data[:kept])
        answer = Renderer().answer(_job(path))[0]
        assert not isinstance(answer, Refused) or answer.reason is Refusal.DAMAGED


def test_each_page_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "bill.pdf"
    with pikepdf.Pdf.new() as document:
        for width in (100, 200):
            document.add_blank_page(page_size=(width, 100))
        document.save(path)
    renderer = Renderer()
    sizes = [drawn(renderer, _job(path, page=page))[0] for page in (0, 1, 0, 9, -1)]
    assert [(page.page, page.pages, page.page_width) for page in sizes] == [
        *((0, 2, 133), (1, 2, 267), (0, 2, 133), (1, 2, 267), (0, 2, 133)),
    ]


def _job(path: Path, *, page: int = 0, edge: int = 2600, part: Part | None = None) -> RenderPage:
    return RenderPage(str(path), "application/pdf", page, edge, part)
