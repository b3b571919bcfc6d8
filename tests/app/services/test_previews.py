"""The queue of previews and its worker process: real processes, real files."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from app.domain.preview import Part, Preview, PreviewRequest, Refusal, Urgency
from app.errors import InputError
from app.roles import folder_of_roles, previews_command
from app.services.previews import Previews
from tests.support.previewing import Asked, drawing_pdf, shown
from tests.support.waiting import wait_until

PDF = "application/pdf"


@pytest.fixture
def previews() -> Iterator[Previews]:
    made = Previews()
    yield made
    made.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (300, 200), (10, 20, 30)).save(path)
    return path


def test_a_page_is_handed_back_as_pixels(previews: Previews, photo: Path) -> None:
    page = shown(previews, PreviewRequest(photo, "image/png"))
    assert (page.width, page.height, page.page, page.pages) == (300, 200, 0, 1)
    assert page.pixels[:4] == bytes((30, 20, 10, 255))
    assert len(page.pixels) == 300 * 200 * 4


def test_one_worker_draws_one_bill_after_the_other(previews: Previews, photo: Path, tmp_path: Path) -> None:
    assert shown(previews, PreviewRequest(photo, "image/png"))
    first = previews.pid
    pdf = drawing_pdf(tmp_path / "one.pdf", b"1 0 0 rg 0 0 100 50 re f", pages=2)
    page = shown(previews, PreviewRequest(pdf, PDF, page=9, edge=200))
    assert (page.width, page.height, page.page, page.pages) == (200, 200, 1, 2)
    assert previews.pid == first


def test_a_part_is_rendered_at_its_scale(previews: Previews, photo: Path) -> None:
    page = shown(previews, PreviewRequest(photo, "image/png", part=Part(2.0, 500, 300, 200, 200)))
    assert (page.width, page.height, page.page_width, page.page_height) == (100, 100, 300, 200)


@pytest.mark.parametrize(
    ("name", "media_type", "reason"),
    [
        ("broken.pdf", PDF, Refusal.DAMAGED),
        ("broken.png", "image/png", Refusal.DAMAGED),
        ("locked.pdf", PDF, Refusal.HAS_PASSWORD),
        ("wide.pdf", PDF, Refusal.TOO_LARGE),
        ("text", "image/png", Refusal.UNKNOWN_KIND),
        ("not there.png", "image/png", Refusal.UNREADABLE),
    ],
)
def test_what_is_not_shown_gets_a_sentence(
    previews: Previews, tmp_path: Path, name: str, media_type: str, reason: Refusal
) -> None:
    path = tmp_path / name
    if name.startswith("broken"):
        path.write_bytes(b"\x89PNG\r\n\x1a\nnothing of the kind" if name.endswith("png") else b"%PDF-1.4 ...")
    elif name == "text":
        path.write_bytes(b"Dear customer")
    elif name == "wide.pdf":
        drawing_pdf(path, b"", width=2147483648)
    elif name == "locked.pdf":
        _locked(path)
    asked = Asked.of(previews, PreviewRequest(path, media_type))
    result = asked.result()
    assert isinstance(result, InputError)
    assert result.code == reason
    assert result.message.endswith(".")


def test_a_file_of_which_the_end_is_missing_is_shown_with_a_note(previews: Previews, tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    Image.effect_noise((300, 200), 90).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "end of this file is missing" in shown(previews, PreviewRequest(path, "image/jpeg")).note


def _locked(path: Path) -> Path:
    with pikepdf.Pdf.open(drawing_pdf(path, b""), allow_overwriting_input=True) as document:
        document.save(path, encryption=pikepdf.Encryption(owner="Öl & Reis", user="Öl & Reis"))
    return path


def _code(previews: Previews, request: PreviewRequest) -> str:
    result = Asked.of(previews, request).result()
    return result.code if isinstance(result, InputError) else ""


def test_a_password_is_used_until_it_is_wrong_or_forgotten(previews: Previews, tmp_path: Path) -> None:
    request = PreviewRequest(_locked(tmp_path / "a.pdf"), PDF)
    other = PreviewRequest(_locked(tmp_path / "b.pdf"), PDF)
    previews.unlock(request.path, "wrong")
    assert [_code(previews, request) for _ in range(2)] == [Refusal.WRONG_PASSWORD, Refusal.HAS_PASSWORD]
    previews.unlock(request.path, "Öl & Reis")
    assert [_code(previews, each) for each in (request, other, request)] == ["", Refusal.HAS_PASSWORD, ""]
    before = previews.pid
    previews.forget_passwords()
    assert _code(previews, request) == Refusal.HAS_PASSWORD
    assert previews.pid != before, "the memory of the worker had it too"


def test_a_password_that_is_no_text_is_only_wrong(previews: Previews, tmp_path: Path) -> None:
    request = PreviewRequest(_locked(tmp_path / "a.pdf"), PDF)
    for password in ("\ud800 \0", "x" * 1_000_000):
        previews.unlock(request.path, password)
        assert _code(previews, request) == Refusal.WRONG_PASSWORD


def test_a_password_is_neither_in_the_arguments_nor_in_the_environment(
    previews: Previews, tmp_path: Path
) -> None:
    request = PreviewRequest(_locked(tmp_path / "a.pdf"), PDF)
    previews.unlock(request.path, "Öl & Reis")
    assert _code(previews, request) == ""
    if not Path("/proc").exists():
        pytest.skip("needs /proc")
    for name in ("cmdline", "environ"):
        assert "Öl & Reis".encode() not in Path(f"/proc/{previews.pid}/{name}").read_bytes()


def test_there_is_no_qt_in_the_worker(previews: Previews, photo: Path, tmp_path: Path) -> None:
    shown(previews, PreviewRequest(photo, "image/png"))
    shown(previews, PreviewRequest(drawing_pdf(tmp_path / "a.pdf", b""), PDF))
    maps = Path(f"/proc/{previews.pid}/maps")
    if not maps.exists():
        pytest.skip("needs /proc")
    mapped = maps.read_text()
    assert "pdfium" in mapped
    assert re.findall(r"\S*(?:PySide|shiboken|libQt)\S*", mapped) == []


def test_the_role_imports_no_qt() -> None:
    code = "import sys, app.__main__, app.rendering.worker, app.rendering.pdf, app.rendering.pictures\n"
    code += "print([name for name in sys.modules if 'PySide' in name or 'shiboken' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_worker_ends_when_its_input_closes() -> None:
    worker = subprocess.Popen(
        previews_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder_of_roles()
    )
    assert worker.stdin is not None
    worker.stdin.close()
    assert worker.wait(30) == 0
    assert worker.stdout is not None
    worker.stdout.close()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="looks at the worker's memory in /proc")
def test_an_idle_worker_gives_back_the_memory_of_the_last_bill(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (6000, 4000), "white").save(path)
    previews = Previews(idle_seconds=0.01)
    try:
        shown(previews, PreviewRequest(path, "image/png", edge=100))
        wait_until(lambda: _resident_mib(previews) < 70)  # decoded, the picture has 92 MiB
        assert shown(previews, PreviewRequest(path, "image/png", edge=100)).width == 100
    finally:
        previews.close()


def _resident_mib(previews: Previews) -> float:
    pages = int(Path(f"/proc/{previews.pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def test_closing_ends_the_worker(photo: Path) -> None:
    made = Previews()
    shown(made, PreviewRequest(photo, "image/png"))
    pid = made.pid
    assert pid is not None
    made.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_worker_that_somebody_killed_is_replaced_and_nothing_is_lost(
    previews: Previews, photo: Path
) -> None:
    shown(previews, PreviewRequest(photo, "image/png"))
    pid = previews.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: previews.pid is None)
    assert isinstance(Asked.of(previews, PreviewRequest(photo, "image/png")).result(), Preview)
    assert previews.pid not in {None, pid}


def test_a_cancelled_page_is_not_answered(previews: Previews, photo: Path) -> None:
    asked = [Asked.of(previews, PreviewRequest(photo, "image/png")) for _ in range(20)]
    for each in asked[:-1]:
        each.ticket.cancel()
    last = Asked.of(previews, PreviewRequest(photo, "image/png"), Urgency.IN_BACKGROUND)
    last.result()
    assert [each.results for each in asked[1:-1]] == [[]] * 18  # the first one may have been running


# --- workers that misbehave ---------------------------------------------------------------------------


def _worker_that(code: str) -> list[str]:
    return [sys.executable, "-c", f"import sys, time, os\n{code}"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("print('what is this?', flush=True); time.sleep(600)", Refusal.TOO_COSTLY),
        ("time.sleep(600)", Refusal.TOO_COSTLY),
        ("os.close(1); time.sleep(600)", Refusal.TOO_COSTLY),
        ("sys.exit(3)", Refusal.TOO_COSTLY),
        ("os.abort()", Refusal.TOO_COSTLY),
        ("os.kill(os.getpid(), 9)", Refusal.NO_WORKER),
    ],
)
def test_a_worker_that_misbehaves_is_ended_and_the_page_refused(
    photo: Path, code: str, reason: Refusal
) -> None:
    previews = Previews(lambda: _worker_that(code), seconds=1.5)
    try:
        result = Asked.of(previews, PreviewRequest(photo, "image/png")).result()
        assert isinstance(result, InputError)
        assert result.code == reason
        assert previews.pid is None
    finally:
        previews.close()


def test_a_worker_that_cannot_be_started_is_said(photo: Path, tmp_path: Path) -> None:
    previews = Previews(lambda: [str(tmp_path / "no such program")])
    try:
        result = Asked.of(previews, PreviewRequest(photo, "image/png")).result()
        assert isinstance(result, InputError)
        assert result.code == Refusal.NO_WORKER
    finally:
        previews.close()


def test_what_a_library_prints_does_not_garble_the_answers(photo: Path, tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from app.rendering import worker\n"
        "def noisy(event, arguments):\n"
        "    if event == 'open' and str(arguments[0]).endswith('photo.png'):\n"
        "        print('a warning', flush=True)\n"
        "        os.write(1, b'another')\n"
        "sys.addaudithook(noisy)\n"
        "sys.exit(worker.main())\n"
    )
    previews = Previews(lambda: [sys.executable, "-c", code])
    try:
        assert shown(previews, PreviewRequest(photo, "image/png")).width == 300
    finally:
        previews.close()


def test_a_worker_gets_nothing_of_the_users_environment(
    previews: Previews, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "secret")
    shown(previews, PreviewRequest(photo, "image/png"))
    environment = Path(f"/proc/{previews.pid}/environ")
    if not environment.exists():
        pytest.skip("needs /proc")
    assert b"SOME_TOKEN" not in environment.read_bytes()
    assert b"HOME=" not in environment.read_bytes()


def test_a_callback_that_fails_does_not_end_the_previews(previews: Previews, photo: Path) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("the window is gone")

    previews.submit(PreviewRequest(photo, "image/png"), Urgency.IN_VIEW, fail)
    assert shown(previews, PreviewRequest(photo, "image/png"))


def test_nothing_is_answered_after_closing(photo: Path) -> None:
    previews = Previews(lambda: _worker_that("time.sleep(600)"))
    asked = Asked.of(previews, PreviewRequest(photo, "image/png"))
    wait_until(lambda: previews.pid is not None)
    previews.close()
    late = Asked.of(previews, PreviewRequest(photo, "image/png"))
    assert (asked.results, late.results) == ([], [])
    assert previews.pid is None
