"""Real drags and real pastes between programs on an X display, with a window manager."""

import contextlib
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from tests.display.x_display import XDisplay, missing_programs, x_display
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.display,
    pytest.mark.skipif(bool(missing_programs()), reason=f"not installed: {missing_programs()}"),
]

PDF: Final = b"%PDF-1.7\n" + bytes(range(256)) * 4000
FIRST_ICON: Final = (218, 140)
"""Where pcmanfm shows the only file of a folder, if its window is at FILES_AT."""
FILES_AT, FILES_SIZE = (10, 20), (560, 500)
SOURCE: Final = (190, 700)
TRIES: Final = 6


@dataclass
class Bahi:
    """The program on the display, as it describes itself."""

    screen: XDisplay
    state_file: Path

    def state(self) -> dict[str, Any]:
        """Return what the program wrote last; nothing before it has."""
        return json.loads(self.state_file.read_text("utf-8")) if self.state_file.exists() else {}

    @property
    def bills(self) -> list[list[str]]:
        """Return name, hash and path of each bill in the form."""
        return list(self.state().get("bills", []))

    def has_the_bill(self, content: bytes) -> bool:
        """Return whether the store has these bytes, under their hash."""
        hashed = sha256(content).hexdigest()
        return any(
            bill[1] == hashed and sha256(Path(bill[2]).read_bytes()).hexdigest() == hashed
            for bill in self.bills
        )


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[XDisplay]:
    """A display with a window manager."""
    with x_display(tmp_path / "home") as running:
        yield running


@pytest.fixture
def bahi(screen: XDisplay, tmp_path: Path) -> Bahi:
    """The program with an open book."""
    folder = tmp_path / "bahi"
    folder.mkdir()
    state = tmp_path / "state.json"
    screen.python("tests.display.bahi_window", folder, state)
    made = Bahi(screen, state)
    wait_until(lambda: made.state().get("ready"))
    return made


@pytest.fixture
def bill(screen: XDisplay, bahi: Bahi, tmp_path: Path) -> Path:
    """A file in a folder that the file manager shows."""
    folder = tmp_path / "files"
    folder.mkdir()
    path = folder / "bill.pdf"
    path.write_bytes(PDF)
    screen.start("pcmanfm", "--no-desktop", folder)
    screen.place(screen.window("files"), FILES_AT, FILES_SIZE)
    return path


def seen(happened: Callable[[], bool], seconds: float = 3) -> bool:
    """Return whether it happens soon; otherwise the hand tries again."""
    with contextlib.suppress(AssertionError):
        wait_until(happened, seconds, 0.02)
        return True
    return False


def drag_until_there(bahi: Bahi, start: tuple[int, int], keys: tuple[str, ...], content: bytes = PDF) -> bool:
    """Drag again until the bill is there: a file manager takes its time to show a folder."""
    for _ in range(TRIES):
        x, y = bahi.state()["middle"]
        bahi.screen.drag(start, (x, y), keys)
        if seen(lambda: bahi.has_the_bill(content)):
            return True
    return False


@pytest.mark.parametrize("keys", [(), ("shift",), ("ctrl", "shift"), ("ctrl",)], ids="+".join)
def test_a_file_dragged_from_a_file_manager_is_copied(bahi: Bahi, bill: Path, keys: tuple[str, ...]) -> None:
    assert drag_until_there(bahi, FIRST_ICON, keys)
    assert bill.read_bytes() == PDF


def test_a_file_copied_in_a_file_manager_is_pasted_from_the_amount(bahi: Bahi, bill: Path) -> None:
    for key in ("ctrl+c", "ctrl+x"):  # a file that was cut is copied too
        for _ in range(TRIES):
            bahi.screen.click(FIRST_ICON)
            bahi.screen.press(key)
            bahi.screen.click(tuple(bahi.state()["amount"]))
            bahi.screen.press("ctrl+v")
            if seen(lambda: bahi.has_the_bill(PDF)):
                break
        assert bahi.has_the_bill(PDF)
        assert bahi.state()["amount_text"] == ""
        assert bill.read_bytes() == PDF


@pytest.mark.parametrize("place", ["middle", "documents"])
def test_a_folder_dragged_from_a_file_manager_is_refused_and_told(
    bahi: Bahi, screen: XDisplay, tmp_path: Path, place: str
) -> None:
    folder = tmp_path / "files"
    (folder / "May").mkdir(parents=True)
    screen.start("pcmanfm", "--no-desktop", folder)
    screen.place(screen.window("files"), FILES_AT, FILES_SIZE)
    for _ in range(TRIES):
        x, y = bahi.state()[place]
        screen.drag(FIRST_ICON, (x, y))
        if seen(lambda: "“May” is a folder" in bahi.state()["refusal"]):
            break
    assert "“May” is a folder" in bahi.state()["refusal"]  # still there after the hand has let go
    assert not bahi.state()["overlay"]
    assert bahi.bills == []
    assert (folder / "May").is_dir()


@pytest.fixture
def owner(screen: XDisplay, bahi: Bahi, photo: Path, tmp_path: Path) -> subprocess.Popen[bytes]:
    """Another program that has copied a photo."""
    ready = tmp_path / "copied"
    process = screen.python("tests.display.clipboard_owner", photo, ready)
    wait_until(ready.exists)
    return process


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A JPEG file."""
    path = tmp_path / "photo.jpg"
    Image.effect_noise((600, 400), 60).convert("RGB").save(path, quality=90)
    return path


def paste_in_amount(bahi: Bahi) -> None:
    bahi.screen.click(tuple(bahi.state()["amount"]))
    bahi.screen.press("ctrl+v")


def test_a_photo_copied_in_another_program_is_stored_as_it_was_offered(
    bahi: Bahi, owner: subprocess.Popen[bytes], photo: Path
) -> None:
    paste_in_amount(bahi)
    wait_until(lambda: bahi.has_the_bill(photo.read_bytes()))
    assert bahi.bills[0][0] == "Pasted picture.jpg"
    assert bahi.state()["amount_text"] == ""


def test_a_program_that_does_not_deliver_what_it_copied_stops_nothing(
    bahi: Bahi, owner: subprocess.Popen[bytes]
) -> None:
    owner.send_signal(signal.SIGSTOP)
    try:
        paste_in_amount(bahi)
        wait_until(lambda: bahi.state()["refusal"])
    finally:
        owner.send_signal(signal.SIGCONT)
    assert bahi.bills == []
    assert bahi.state()["amount_text"] == ""


@pytest.mark.parametrize("actions", ["move", "all"])
def test_a_program_that_moves_its_file_is_answered_with_a_copy(
    bahi: Bahi, screen: XDisplay, tmp_path: Path, actions: str
) -> None:
    path, result = tmp_path / "moved.pdf", tmp_path / "result"
    path.write_bytes(PDF)
    screen.python("tests.display.moving_source", path, actions, result)
    screen.window("source")
    assert drag_until_there(bahi, SOURCE, ("shift",))
    wait_until(result.exists)
    assert result.read_text() == "CopyAction"
    assert not path.exists()  # it was deleted when the drop returned, and the bill is whole
    assert bahi.has_the_bill(PDF)
