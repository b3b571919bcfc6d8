"""Pictures of every kind, beside what was put into the file."""

from pathlib import Path

import msgspec
import pytest
from PIL import Image, ImageChops, ImageStat

from app.domain.preview import Flaw, Part, Refusal
from app.rendering.conversion import scaled
from app.rendering.messages import Refused, RenderPage
from app.rendering.worker import Renderer
from tests.support.picture_files import PICTURES, receipt, second_page, write_tiff
from tests.support.previewing import drawn

_ALIKE = 6.0
"""The largest mean difference of a channel, of 255."""


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of the channels of two pictures of one size, 0 to 255."""
    assert one.size == other.size
    means: list[float] = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_looks_as_it_was_made(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bill"
    expected = PICTURES[name](path)
    page, pixels = drawn(Renderer(), _job(path))
    assert (page.page_width, page.page_height) == expected.size
    assert difference(pixels, expected) <= _ALIKE
    assert difference(expected, Image.new("RGB", expected.size, "white")) > 3 * _ALIKE
    assert page.flaw is None


# --- parts of a page ----------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tiff", "jpeg"])
def test_a_part_of_a_turned_picture_is_the_same_part_of_the_upright_one(
    tmp_path: Path, kind: str, turn: int
) -> None:
    path = tmp_path / "bill"
    expected = PICTURES[f"{kind} turned {turn}"](path)
    _, pixels = drawn(Renderer(), _job(path, part=Part(1.0, 20, 10, 60, 50)))
    assert difference(pixels, expected.crop((20, 10, 80, 60))) <= 3


def test_parts_at_a_scale_fit_together(tmp_path: Path) -> None:
    path = tmp_path / "bill"
    PICTURES["png palette alpha"](path)
    renderer = Renderer()
    whole = drawn(renderer, _job(path, part=Part(2.0, 0, 0, 288, 192)))[1]
    joined = Image.new("RGB", whole.size)
    for left, top in ((0, 0), (144, 0), (0, 96), (144, 96)):
        joined.paste(drawn(renderer, _job(path, part=Part(2.0, left, top, 144, 96)))[1], (left, top))
    assert difference(joined, whole) < 1


def test_a_part_beyond_the_page_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "bill"
    receipt().save(path, "PNG")
    page, pixels = drawn(Renderer(), _job(path, part=Part(1.0, -50, 80, 100, 100)))
    assert (page.width, page.height) == (50, 16)
    assert difference(pixels, receipt().crop((0, 80, 50, 96))) == 0


def test_a_long_picture_is_readable_by_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "screenshot.png"
    long = Image.new("RGB", (300, 6000), "white")
    long.paste(receipt(), (100, 5000))
    long.save(path)
    page, pixels = drawn(Renderer(), _job(path, part=Part(1.0, 100, 5000, 144, 96)))
    assert (page.page_width, page.page_height) == (300, 6000)
    assert difference(pixels, receipt()) == 0


def test_a_huge_part_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bill"
    receipt().save(path, "PNG")
    refused = Renderer().answer(_job(path, part=Part(100.0, 0, 0, 14_400, 9_600)))[0]
    assert refused == Refused(Refusal.TOO_LARGE)


@pytest.mark.parametrize("name", ["png palette", "png alpha", "png 16 bit gray", "jpeg cmyk"])
def test_a_picture_converted_in_bands_has_no_seams(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bill"
    PICTURES[name](path)
    with Image.open(path) as opened:
        at_once = scaled(opened, (0, 0, 144, 96), (100, 66))
        in_bands = scaled(opened, (0, 0, 144, 96), (100, 66), band_bytes=4000)
    difference_at_most = max(high for _, high in ImageChops.difference(at_once, in_bands).getextrema())
    assert difference_at_most <= 2


# --- pages, sizes, damage -----------------------------------------------------------------------------


def test_all_pages_of_a_tiff_are_there(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    expected = second_page(path)
    renderer = Renderer()
    first, second = drawn(renderer, _job(path)), drawn(renderer, _job(path, page=7))
    assert (first[0].page, first[0].pages, first[1].size) == (0, 2, (60, 80))
    assert (second[0].page, second[0].pages) == (1, 2)
    assert difference(second[1], expected) == 0


@pytest.mark.parametrize("name", ["gif", "jpeg of two eyes", "heic colour"])
def test_a_photo_is_one_page(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bill"
    PICTURES[name](path)
    assert drawn(Renderer(), _job(path, page=3))[0].pages == 1


def test_a_photo_of_108_megapixels_is_shown_whole_and_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    receipt().resize((12_000, 9_000), Image.Resampling.NEAREST).save(path, quality=20)
    renderer = Renderer()
    page, pixels = drawn(renderer, _job(path, edge=144))
    assert (page.page_width, page.page_height) == (12_000, 9_000)
    assert difference(pixels, receipt().resize(pixels.size)) <= _ALIKE
    _, part = drawn(renderer, _job(path, part=Part(1.0, 0, 0, 300, 200)))
    assert difference(part, Image.new("RGB", (300, 200), (200, 40, 30))) <= _ALIKE


@pytest.mark.parametrize(
    ("name", "kept"), [("jpeg turned 1", 0.6), ("png turned 1", 0.6), ("gif", 0.6), ("bmp", 0.6)]
)
def test_a_file_that_ends_early_is_shown_with_a_note(tmp_path: Path, name: str, kept: float) -> None:
    path = tmp_path / "bill"
    expected = PICTURES[name](path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    page, pixels = drawn(Renderer(), _job(path))
    assert page.flaw is Flaw.END_MISSING
    above = (0, 0, 144, 20) if name != "bmp" else (0, 76, 144, 96)  # BMP has the last row first
    assert difference(pixels.crop(above), expected.crop(above)) <= _ALIKE


@pytest.mark.parametrize(
    "name", ["jpeg turned 1", "png turned 1", "webp turned 1", "tiff lzw", "heic colour"]
)
@pytest.mark.parametrize("kept", [1, 12, 40, 0.3, 0.9])
@pytest.mark.filterwarnings("ignore::UserWarning")  # of Pillow, about the damage
def test_a_file_cut_anywhere_is_answered(tmp_path: Path, name: str, kept: float) -> None:
    path = tmp_path / "bill"
    PICTURES[name](path)
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data)) if kept < 1 else int(kept)])
    answer = Renderer().answer(_job(path))[0]
    if isinstance(answer, Refused):
        assert answer.reason in {Refusal.DAMAGED, Refusal.UNKNOWN_KIND}
    else:
        assert answer.flaw is not None


def test_a_kind_that_no_decoder_knows_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    write_tiff(path, (40, 30), bytes(100), bits=(8,), photometric=1, compression=34661)  # JBIG
    assert Renderer().answer(_job(path))[0] == Refused(Refusal.UNKNOWN_KIND)
    path.write_bytes(b"a text, with a name that ends in .tif")
    assert Renderer().answer(_job(path))[0] == Refused(Refusal.UNKNOWN_KIND)


def test_an_empty_file_is_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "bill.jpg"
    path.touch()
    assert Renderer().answer(_job(path))[0] == Refused(Refusal.DAMAGED)


@pytest.mark.parametrize("change", ["12 bits", "lossless", "JPEG-LS"])
def test_a_jpeg_of_another_kind_is_not_called_damaged(tmp_path: Path, change: str) -> None:
    path = tmp_path / "scan.jpg"
    receipt().save(path)
    data = bytearray(path.read_bytes())
    frame = data.index(b"\xff\xc0")
    if change == "12 bits":
        data[frame + 4] = 12
    else:
        data[frame + 1] = {"lossless": 0xC3, "JPEG-LS": 0xF7}[change]
    path.write_bytes(data)
    assert Renderer().answer(_job(path))[0] == Refused(Refusal.UNKNOWN_KIND)


def test_a_heif_file_of_another_coding_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "phone.heic"
    PICTURES["heic colour"](path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"hvc1", b"vvc1"))
    assert Renderer().answer(_job(path))[0] == Refused(Refusal.UNKNOWN_KIND)
    path.write_bytes(data[: len(data) // 2])
    assert Renderer().answer(_job(path))[0] == Refused(Refusal.DAMAGED)


def test_a_program_that_draws_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "drawing.eps"
    receipt().save(path, "EPS")
    assert Renderer().answer(_job(path))[0] == Refused(Refusal.UNKNOWN_KIND)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_picture_is_the_upright_one_turned_and_so_are_its_parts(
    tmp_path: Path, orientation: int, turns: int
) -> None:
    path, exif = tmp_path / "photo.png", Image.Exif()
    exif[0x0112] = orientation
    Image.effect_noise((60, 40), 90).convert("RGB").save(path, exif=exif)
    job = msgspec.structs.replace(_job(path), turns=turns)
    upright, (page, shown) = drawn(Renderer(), _job(path))[1], drawn(Renderer(), job)
    assert shown == upright.rotate(-90 * turns, expand=True)
    assert (page.page_width, page.page_height) == shown.size
    part = msgspec.structs.replace(job, part=Part(1.0, 10, 5, 25, 30))
    assert drawn(Renderer(), part)[1] == shown.crop((10, 5, 35, 35))


def _job(path: Path, *, page: int = 0, edge: int = 2600, part: Part | None = None) -> RenderPage:
    return RenderPage(str(path), "image/any", page, edge, part)
