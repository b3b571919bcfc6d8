"""Preview workers that a file has taken over, and requests that make no sense: each page is answered."""

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from app.domain.preview import Part, Preview, PreviewRequest, Refusal, Urgency
from app.errors import InputError
from app.rendering.messages import RenderPage
from app.roles import folder_of_roles
from app.services.preview_process import PreviewProcess, WorkerGoneError
from app.services.previews import Previews
from tests.support.previewing import Asked, drawing_pdf, shown
from tests.support.waiting import wait_until

PNG = "image/png"
_LONG: Final = 30.0  # seconds for a job: what ends at once ends long before

_FAKE: Final = """
import os, struct, sys, time
import msgspec
from app.rendering.messages import read_job

def take():
    return read_job(sys.stdin.buffer)

def send(number, body, pixels=b""):
    body = body if isinstance(body, bytes) else msgspec.msgpack.encode(body)
    data = memoryview(struct.pack("<IQ", len(body), number) + body + pixels)
    while data:
        data = data[os.write(1, data):]

def page(**changed):
    size = dict(width=1, height=1, page=0, pages=100, page_width=1, page_height=1)
    return dict(type="rendered", **{**size, **changed})
"""


@contextmanager
def previews_of(code: str, seconds: float = _LONG) -> Iterator[Previews]:
    """Previews whose worker runs `code` after the functions of `_FAKE`."""
    made = Previews(lambda: [sys.executable, "-c", _FAKE + code], seconds)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def bill(tmp_path: Path) -> PreviewRequest:
    path = tmp_path / "bill.png"
    path.write_bytes(b"of no importance")
    return PreviewRequest(path, PNG)


def _code(asked: Asked) -> str:
    result = asked.result(20)
    assert isinstance(result, InputError), result
    return result.code


# --- what it writes -----------------------------------------------------------------------------------


def test_answers_that_nobody_asked_for_are_not_read_and_end_the_worker(
    tmp_path: Path, bill: PreviewRequest
) -> None:
    came_through = tmp_path / "came through"
    code = f"""
number, job = take()
send(number, page(), bytes(4))
while True:
    send(number, page(width=1000, height=1000), bytes(4_000_000))
    open({str(came_through)!r}, "a").write("x")
"""
    with previews_of(code) as previews:
        assert shown(previews, bill).width == 1
        first = previews.pid
        assert shown(previews, bill).width == 1
        assert previews.pid != first
    assert not came_through.exists()


def test_an_answer_too_many_does_not_shift_the_later_ones(bill: PreviewRequest) -> None:
    code = """
while True:
    number, job = take()
    for _ in range(2):
        send(number, page(page=job.page), bytes(4))
"""
    with previews_of(code) as previews:
        for number in range(4):
            assert shown(previews, PreviewRequest(bill.path, PNG, number)).page == number


@pytest.mark.parametrize(
    "body",
    [
        "page(page=2**63, pages=2**64 - 1, page_width=2**64 - 1), bytes(4)",
        "page(page_height=-5), bytes(4)",
        "page(flaw='A' * 900_000), bytes(4)",
        "page(flaw='A sentence'), bytes(4)",
        "b'\\x82\\xa4type\\xa8rendered\\xa1x' + b'\\x91' * 900_000 + b'\\xc0'",
        "b'\\x82\\xa4type\\xa8rendered\\xa1x' + b'\\x91' * 900 + b'\\xc0'",
        "b'\\x82\\xa4type\\xa7refused\\xa6reason\\xa2\\xff\\xfe'",
    ],
)
def test_an_answer_that_makes_no_sense_ends_the_worker_at_once(bill: PreviewRequest, body: str) -> None:
    with previews_of(f"number, job = take()\nsend(number, {body})\ntime.sleep(600)") as previews:
        began = time.monotonic()
        assert _code(Asked.of(previews, bill)) == Refusal.TOO_COSTLY
        assert time.monotonic() - began < 10
        assert previews.pid is None


def test_an_answer_with_the_number_of_a_later_job_ends_the_worker(bill: PreviewRequest) -> None:
    with previews_of("number, job = take()\nsend(number + 1, page(), bytes(4))\ntime.sleep(600)") as previews:
        assert _code(Asked.of(previews, bill)) == Refusal.TOO_COSTLY
        assert previews.pid is None


# --- what it does not do ------------------------------------------------------------------------------


def test_a_worker_that_does_not_read_is_ended_at_the_deadline() -> None:
    process = PreviewProcess([sys.executable, "-c", "import time; time.sleep(600)"], folder_of_roles())
    try:
        began = time.monotonic()
        with pytest.raises(WorkerGoneError):
            process.ask(RenderPage("x" * 500_000, PNG, 0, 100, None), 0.3, lambda _: True)
        assert time.monotonic() - began < 5
        assert not process.is_running
    finally:
        process.end()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc; forks")
@pytest.mark.parametrize("leaves_group", [False, True])
def test_a_process_that_the_worker_started_keeps_neither_a_thread_nor_a_file_open(
    tmp_path: Path, bill: PreviewRequest, leaves_group: bool
) -> None:
    child = tmp_path / "child"
    code = f"""
take()
if os.fork() == 0:
    {"os.setsid()" if leaves_group else "pass"}
    open({str(child)!r}, "w").write(str(os.getpid()))
    time.sleep(20)
    os._exit(0)
while not os.path.exists({str(child)!r}): time.sleep(0.01)
time.sleep(0.1)
os._exit(3)
"""
    before = _threads_and_files()
    began = time.monotonic()
    with previews_of(code) as previews:
        assert _code(Asked.of(previews, bill)) == Refusal.TOO_COSTLY
        assert time.monotonic() - began < 10
        pid = int(child.read_text())
        if leaves_group:
            os.kill(pid, 0)
        else:
            wait_until(lambda: _has_ended(pid))
    wait_until(lambda: _threads_and_files() == before)
    if leaves_group:
        os.kill(pid, 9)


def _threads_and_files() -> tuple[int, int]:
    threads = sum(thread.name in {"previews", "preview answers"} for thread in threading.enumerate())
    return threads, sum("pipe:" in _target(each) for each in Path("/proc/self/fd").iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _has_ended(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's end")
def test_a_worker_that_does_not_look_at_its_input_ends_with_the_program() -> None:
    worker = (
        "import time; from app.rendering.limits import confine\n"
        "confine(); print(1, flush=True); time.sleep(60)"
    )
    program = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {worker!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=folder_of_roles())
    assert parent.stdout is not None
    with parent.stdout as said:
        pid = int(said.readline())
        assert not _has_ended(pid)
        parent.kill()
        parent.wait()
    wait_until(lambda: _has_ended(pid))


# --- who waits ----------------------------------------------------------------------------------------

_SLOW_ONES = """
while True:
    number, job = take()
    if "slow" in os.path.basename(job.path):
        time.sleep(600)
    send(number, page(page=job.page), bytes(4))
"""


@pytest.mark.parametrize("one_file", [False, True], ids=["many slow files", "one slow file"])
def test_slow_pages_in_view_keep_neither_an_old_nor_a_new_page_waiting_for_long(
    tmp_path: Path, one_file: bool
) -> None:
    def slow(number: int) -> PreviewRequest:
        return PreviewRequest(tmp_path / ("slow" if one_file else f"slow {number}"), PNG, number)

    with previews_of(_SLOW_ONES) as previews:
        Asked.of(previews, slow(0))
        wait_until(lambda: previews.pid is not None)
        quick = [Asked.of(previews, PreviewRequest(tmp_path / "quick", PNG, n)) for n in range(1 + one_file)]
        others = [Asked.of(previews, slow(number)) for number in range(1, 7)]
        began = time.monotonic()
        for each in quick:
            each.result(20)
        assert time.monotonic() - began < 6  # 1.5 seconds for each slow page would be more
        newest, began = Asked.of(previews, PreviewRequest(tmp_path / "newest", PNG)), time.monotonic()
        newest.result(20)
        assert time.monotonic() - began < 6
        assert not any(each.answered.is_set() for each in others)


# --- requests -----------------------------------------------------------------------------------------


@pytest.fixture
def previews() -> Iterator[Previews]:
    made = Previews()
    yield made
    made.close()


@pytest.mark.parametrize("path", ["a\0b", "\udcff.png", "/" + "x" * 5000, "/" + "x" * 100_000])
@pytest.mark.parametrize("again", [False, True])
def test_a_path_that_cannot_name_a_file_is_refused(previews: Previews, path: str, again: bool) -> None:
    asked = Asked.of(previews, PreviewRequest(Path(path), PNG), again=again)
    assert _code(asked) == Refusal.UNREADABLE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_not_a_file_is_refused_at_once(previews: Previews, tmp_path: Path) -> None:
    pipe, zero = tmp_path / "pipe.png", tmp_path / "zero"
    os.mkfifo(pipe)
    zero.symlink_to("/dev/zero")
    for path in (pipe, zero, tmp_path):
        assert _code(Asked.of(previews, PreviewRequest(path, PNG))) == Refusal.UNREADABLE
    assert previews.pid is not None


def test_a_request_that_makes_no_sense_is_answered_and_does_not_block_the_page(
    previews: Previews, tmp_path: Path
) -> None:
    path, pdf = drawing_pdf(tmp_path / "bill.pdf", b"0 0 50 50 re f"), "application/pdf"
    scales = (math.nan, math.inf, -math.inf, -1.0, 0.0, 1e300, 5e-324)
    parts = [None, *(Part(scale, 0, 0, 5, 5) for scale in scales)]
    parts += [Part(1.0, number, number, number, number) for number in (-(2**70), -1, 2**63 - 1, 10**30)]
    worker = shown(previews, PreviewRequest(path, pdf)) and previews.pid
    for edge in (0, -5, 2**31, 10**30):
        for part in parts:
            result = Asked.of(previews, PreviewRequest(path, pdf, edge, edge, part)).result(20)
            assert isinstance(result, Preview) or result.code == Refusal.TOO_LARGE, (edge, part, result)
    assert shown(previews, PreviewRequest(path, pdf))
    assert previews.pid == worker


def test_a_page_is_answered_also_after_an_unexpected_error(bill: PreviewRequest) -> None:
    def command() -> list[str]:
        raise RuntimeError("nobody thought of this")

    previews = Previews(command)
    try:
        for _ in range(2):
            assert _code(Asked.of(previews, bill, Urgency.BESIDE)) == Refusal.NO_WORKER
    finally:
        previews.close()
