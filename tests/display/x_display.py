"""A screen without a monitor: Xvfb with a window manager, and hands that drag and press keys in it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROGRAMS: Final = ("Xvfb", "openbox", "xdotool", "pcmanfm")
_PAUSE: Final = ("sleep", "0.03")
"""Of the hand between two moves. A program must see each of them to know that this is a drag."""

Point = tuple[int, int]


def missing_programs() -> list[str]:
    """Return the programs that the tests with a display need and that are not installed."""
    return [each for each in PROGRAMS if shutil.which(each) is None]


@dataclass(slots=True)
class XDisplay:
    """A running screen. Everything that is started on it ends with it."""

    environment: dict[str, str]
    _running: ExitStack

    def start(self, *command: str | Path) -> subprocess.Popen[bytes]:
        """Start a program on the screen."""
        return self._running.enter_context(_process([str(each) for each in command], self.environment))

    def python(self, module: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Start a Python module on the screen."""
        return self.start(sys.executable, "-m", module, *arguments)

    def window(self, name: str) -> str:
        """Wait for a window with this title, and return its id."""
        return self._xdotool("search", "--sync", "--onlyvisible", "--name", f"^{name}$").split()[-1]

    def activate(self, window: str) -> None:
        """Bring a window to the front, and give it the keys."""
        self._xdotool("windowactivate", "--sync", window)

    def place(self, window: str, at: Point, size: Point) -> None:
        """Move and resize a window."""
        self._xdotool("windowmove", "--sync", window, *map(str, at))
        self._xdotool("windowsize", window, *map(str, size))

    def click(self, at: Point) -> None:
        """Click."""
        self._xdotool("mousemove", *map(str, at), *_PAUSE, "click", "1", *_PAUSE)

    def type(self, text: str) -> None:
        """Type a text, key by key."""
        self._xdotool("type", "--delay", "30", text)

    def press(self, *keys: str) -> None:
        """Press key combinations, one after the other."""
        for each in keys:
            self._xdotool("key", each, *_PAUSE)

    def drag(self, start: Point, end: Point, keys: Sequence[str] = ()) -> None:
        """Drag from one point to another in small steps. `keys` go down after the drag has begun."""
        x, y = start
        steps: list[str] = ["mousemove", str(x), str(y), "sleep", "0.2", "mousedown", "1", "sleep", "0.1"]
        for number in range(1, 9):
            steps += ["mousemove", str(x + 4 * number), str(y + 2 * number), *_PAUSE]
        for key in keys:
            steps += ["keydown", key]
        for number in range(1, 31):
            part = number / 30
            at = round(x + (end[0] - x) * part), round(y + (end[1] - y) * part)
            steps += ["mousemove", *map(str, at), *_PAUSE]
        for _ in range(4):  # the answer to the last moves decides
            steps += ["mousemove_relative", "2", "1", "sleep", "0.1"]
        steps += ["mouseup", "1", "sleep", "0.2"]
        for key in keys:
            steps += ["keyup", key]
        self._xdotool(*steps)

    def _xdotool(self, *arguments: str) -> str:
        done = subprocess.run(
            ["xdotool", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout


@contextmanager
def x_display(home: Path, size: str = "1400x900x24", *options: str) -> Iterator[XDisplay]:
    """Run a screen for programs whose home folder is `home`. `options` are further ones of Xvfb."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as running:
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", *options]
        running.enter_context(_process(command, dict(os.environ), (writing,)))
        os.close(writing)
        with os.fdopen(reading) as answer:
            number = answer.readline().strip()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("WAYLAND", "XDG"))},
            "DISPLAY": f":{number}",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "QT_QPA_PLATFORM": "xcb",
        }
        screen = XDisplay(environment, running)
        screen.start("openbox")
        yield screen


@contextmanager
def _process(
    command: list[str], environment: dict[str, str], descriptors: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        env=environment,
        pass_fds=descriptors,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)
