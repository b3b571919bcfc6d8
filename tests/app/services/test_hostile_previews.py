"""Files that would stop the program: the limits on memory, CPU and time act, and the next bill is drawn."""

import os
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from app.domain.preview import Preview, PreviewRequest, Refusal, Urgency
from app.errors import InputError
from app.services.previews import Previews
from tests.support.pictures import GREY, blank_png, overfull_png, wordy_png
from tests.support.previewing import Asked, drawing_pdf, shown
from tests.support.waiting import wait_until

PDF, PNG = "application/pdf", "image/png"
_LONGEST = 10.0  # seconds, after which a person must have been told


@pytest.fixture
def previews() -> Iterator[Previews]:
    made = Previews()
    yield made
    made.close()


@pytest.fixture
def receipt(tmp_path: Path) -> PreviewRequest:
    path = tmp_path / "receipt.png"
    Image.new("RGB", (30, 20), "white").save(path)
    return PreviewRequest(path, PNG)


def _stream(content: bytes, extra: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), extra, content)


def _form(content: bytes, calls: bytes) -> bytes:
    return _stream(
        content,
        b"/Type /XObject /Subtype /Form /BBox [0 0 100 100] /Resources << /XObject << /X %s >> >>" % calls,
    )


def _with_form(path: Path, content: bytes, *forms: bytes) -> Path:
    objects = {100 + number: form for number, form in enumerate(forms)}
    return drawing_pdf(
        path, content, page_extra="/Resources << /XObject << /X 100 0 R >> >>", objects=objects
    )


def endless_form(path: Path) -> Path:
    """A form that draws itself twice, two thousand times."""
    return _with_form(path, b"/X Do " * 2000, _form(b"/X Do /X Do", b"100 0 R"))


def doubling_forms(path: Path) -> Path:
    """Forty forms, each of which draws the next one twice: a million million squares."""
    forms = [_form(b"/X Do /X Do", b"%d 0 R" % (101 + number)) for number in range(40)]
    return _with_form(path, b"/X Do", *forms, _form(b"0 0 50 50 re f", b"100 0 R"))


def dense_drawing(path: Path) -> Path:
    """A path of 800,000 pieces, which takes more than six seconds of CPU time."""
    content = b"0 0 m " + b"1 1 l 5 5 100 100 200 200 c " * 400_000 + b"S"
    return drawing_pdf(path, content, width=200, height=200)


def unpacking_bomb(path: Path) -> Path:
    """A content stream that unpacks to a gigabyte."""
    packer, zeros = zlib.compressobj(9), b"0 " * (1 << 19)
    first = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(zeros) + packer.flush(
        zlib.Z_FULL_FLUSH
    )  # stands on its own, so it can be repeated
    packed = first + again * 1023 + packer.flush()
    return drawing_pdf(path, b"", objects={3: _stream(packed, b"/Filter /FlateDecode")})


def wide_page(path: Path) -> Path:
    """A page of 2,147,483,648 points."""
    return drawing_pdf(path, b"", width=2147483648)


@pytest.mark.parametrize(
    "make",
    [
        endless_form,
        doubling_forms,
        pytest.param(dense_drawing, marks=pytest.mark.slow),
        unpacking_bomb,
        wide_page,
        lambda path: blank_png(path, 20_000, 15_000, GREY),
        lambda path: overfull_png(path, 1 << 30),
        lambda path: wordy_png(path, 1 << 30),
    ],
    ids=["endless", "doubling", "dense", "unpacking", "wide", "huge png", "overfull png", "wordy png"],
)
def test_a_hostile_file_is_answered_in_time_and_the_next_bill_is_drawn(
    previews: Previews, tmp_path: Path, receipt: PreviewRequest, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path / "hostile")
    media_type = PNG if path.read_bytes()[:4] == b"\x89PNG" else PDF
    shown(previews, receipt)
    began = time.monotonic()
    result = Asked.of(previews, PreviewRequest(path, media_type)).result()
    assert time.monotonic() - began < _LONGEST
    assert isinstance(result, Preview) or result.code in {
        Refusal.TOO_COSTLY,
        Refusal.TOO_LARGE,
        Refusal.DAMAGED,
    }
    assert (shown(previews, receipt).width, shown(previews, receipt).height) == (30, 20)


def test_a_page_that_ended_its_worker_is_rendered_again_only_if_it_is_asked_for_again(
    previews: Previews, tmp_path: Path, receipt: PreviewRequest
) -> None:
    request = PreviewRequest(endless_form(tmp_path / "endless.pdf"), PDF)
    assert _code(Asked.of(previews, request)) == Refusal.TOO_COSTLY
    shown(previews, receipt)
    worker = previews.pid
    assert _code(Asked.of(previews, request)) == Refusal.TOO_COSTLY
    shown(previews, receipt)
    assert previews.pid == worker  # the page was not rendered, so the worker lives
    assert _code(Asked.of(previews, request, again=True)) == Refusal.TOO_COSTLY
    shown(previews, receipt)
    assert previews.pid != worker


def test_a_file_that_was_replaced_is_rendered(previews: Previews, tmp_path: Path) -> None:
    path = endless_form(tmp_path / "bill.pdf")
    assert _code(Asked.of(previews, PreviewRequest(path, PDF))) == Refusal.TOO_COSTLY
    drawing_pdf(path, b"0 0 50 50 re f")
    shown(previews, PreviewRequest(path, PDF))


def test_the_limit_on_wall_time_acts_on_its_own(tmp_path: Path, receipt: PreviewRequest) -> None:
    previews = Previews(seconds=1.0)  # far below the limit on CPU time
    try:
        began = time.monotonic()
        asked = Asked.of(previews, PreviewRequest(dense_drawing(tmp_path / "dense.pdf"), PDF))
        assert _code(asked) == Refusal.TOO_COSTLY
        assert time.monotonic() - began < 4
    finally:
        previews.close()


@pytest.mark.slow
def test_the_limit_on_cpu_time_acts_on_its_own_and_counts_anew_for_each_job(tmp_path: Path) -> None:
    previews = Previews(seconds=100)
    try:
        request = PreviewRequest(dense_drawing(tmp_path / "dense.pdf"), PDF)
        for again in (False, True):
            assert _code(Asked.of(previews, request, again=again)) == Refusal.TOO_COSTLY
    finally:
        previews.close()


def test_a_worker_killed_in_the_middle_is_replaced_and_the_page_is_drawn(tmp_path: Path) -> None:
    previews = Previews()
    try:
        path = tmp_path / "large.png"
        Image.effect_noise((2400, 1800), 60).convert("RGB").save(path, compress_level=1)
        asked = Asked.of(previews, PreviewRequest(path, PNG))
        wait_until(lambda: previews.pid is not None)
        worker = previews.pid
        assert worker is not None
        os.kill(worker, signal.SIGKILL)
        assert isinstance(asked.result(), Preview)
        assert previews.pid != worker
    finally:
        previews.close()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for the worker in /proc")
def test_the_worker_ends_when_the_program_is_killed(receipt: PreviewRequest) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from app.domain.preview import PreviewRequest, Urgency\n"
        "from app.services.previews import Previews\n"
        "made = Previews()\n"
        "request = PreviewRequest(Path(sys.argv[1]), 'image/png')\n"
        "made.submit(request, Urgency.IN_VIEW, lambda _: print(made.pid, flush=True))\n"
        "time.sleep(600)\n"
    )
    program = subprocess.Popen([sys.executable, "-c", code, str(receipt.path)], stdout=subprocess.PIPE)
    assert program.stdout is not None
    with program.stdout as said:
        worker = int(said.readline())
        os.kill(worker, 0)
        program.kill()
        program.wait()
    wait_until(lambda: _has_ended(worker))


def _has_ended(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"  # its new parent may not have asked for its status


def test_what_is_in_view_does_not_wait_for_a_slow_page_elsewhere(
    previews: Previews, tmp_path: Path, receipt: PreviewRequest
) -> None:
    slow = PreviewRequest(dense_drawing(tmp_path / "dense.pdf"), PDF)
    background = Asked.of(previews, slow, Urgency.IN_BACKGROUND)
    wait_until(lambda: previews.pid is not None)
    began = time.monotonic()
    shown(previews, receipt)
    assert time.monotonic() - began < 5  # the slow page takes 6 seconds and more
    assert not background.answered.is_set()
    background.ticket.cancel()


def test_a_slow_page_in_view_makes_way_once_and_is_answered_in_time(
    previews: Previews, tmp_path: Path, receipt: PreviewRequest
) -> None:
    began = time.monotonic()
    slow = Asked.of(previews, PreviewRequest(dense_drawing(tmp_path / "dense.pdf"), PDF))
    wait_until(lambda: previews.pid is not None)
    shown(previews, receipt)
    assert time.monotonic() - began < 5  # the slow page takes 6 seconds and more
    assert _code(slow) == Refusal.TOO_COSTLY
    assert time.monotonic() - began < _LONGEST + 2  # with the writing of the file


def test_a_slow_page_that_has_left_the_view_makes_way(
    previews: Previews, tmp_path: Path, receipt: PreviewRequest
) -> None:
    slow = Asked.of(previews, PreviewRequest(dense_drawing(tmp_path / "dense.pdf"), PDF))
    wait_until(lambda: previews.pid is not None)
    slow.ticket.cancel()
    began = time.monotonic()
    shown(previews, receipt)
    assert time.monotonic() - began < 5
    assert slow.results == []


def test_what_is_in_view_comes_first_and_the_newest_of_it(
    previews: Previews, tmp_path: Path, receipt: PreviewRequest
) -> None:
    path = tmp_path / "first.png"
    Image.effect_noise((3000, 2000), 60).save(path, compress_level=1)  # busy while the others are submitted
    order: list[str] = []
    Asked.of(previews, PreviewRequest(path, PNG))
    waiting = [
        previews.submit(receipt, urgency, lambda _, name=name: order.append(name))
        for name, urgency in (
            ("background", Urgency.IN_BACKGROUND),
            ("beside", Urgency.BESIDE),
            ("older", Urgency.IN_VIEW),
            ("newer", Urgency.IN_VIEW),
        )
    ]
    wait_until(lambda: not any(ticket.is_wanted for ticket in waiting))
    wait_until(lambda: len(order) == 4)
    assert order == ["newer", "older", "beside", "background"]


def _code(asked: Asked) -> str:
    result = asked.result()
    assert isinstance(result, InputError)
    return result.code
