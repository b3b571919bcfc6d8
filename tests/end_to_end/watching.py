"""Starts `tests.end_to_end.watched_program`, and tells what its windows show."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.local_server import forget_server_data
from tests.support.environment import clean_environment
from tests.support.servers import ROOT

PROGRAM = [sys.executable, "-m", "tests.end_to_end.watched_program"]
_SECONDS = 60.0


@dataclass
class Watched:
    """A running program. `said` holds what it wrote to standard error, when it has ended."""

    process: subprocess.Popen[str]
    windows: list[dict[str, Any]] = field(default_factory=list)
    said: str = ""
    _lines: "queue.Queue[str]" = field(default_factory=queue.Queue)

    def wait_for(self, *texts: str, seconds: float = _SECONDS) -> list[str]:
        """Wait for a window whose name or texts contain each of `texts`; return all of its texts."""

        def found() -> list[str] | None:
            for window in self.windows:
                shown = [*window["texts"], window["name"]]
                if all(any(text in each for each in shown) for text in texts):
                    return list(window["texts"])
            return None

        return self._wait(found, f"{texts}", seconds)

    def area(self, name: str, ready: Callable[[list[int]], bool] = bool) -> list[int]:
        """Wait for the window `name`, and for `ready`; return its x, y, width and height."""

        def found() -> list[int] | None:
            areas = [each["area"] for each in self.windows if each["name"] == name]
            return next((area for area in areas if ready(area)), None)

        return self._wait(found, name, _SECONDS)

    def tell(self, line: str) -> None:
        """Write a line to the program: `press TEXT`, `close` or `hang`."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> int:
        """Wait for the end of the program; return its status."""
        assert self.process.stderr is not None
        self.said = self.process.stderr.read()
        return self.process.wait(_SECONDS)

    def read(self) -> None:
        """Collect what the program writes, until it ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def _wait(self, found: Callable[[], Any], what: str, seconds: float) -> Any:
        deadline = time.monotonic() + seconds
        while (value := found()) is None:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.01))
            except queue.Empty:
                raise AssertionError(f"In vain for {what}; the windows: {self.windows}") from None
            if line.startswith("["):
                self.windows = json.loads(line)
            elif line.strip() == what:
                return line
        return value

    def wait_hanging(self) -> None:
        """Wait until the program has stopped answering, as `hang` told it."""
        self._wait(lambda: None, "hanging", _SECONDS)


@contextmanager
def watched(
    home: Path,
    environment: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
    *,
    again: bool = False,
) -> Iterator[Watched]:
    """Run the program with its data in `home / "Bahi"`. `before` is what the command line begins with.

    With `again`, another program will be started on the same data, so all of it stays.
    """
    process = subprocess.Popen(
        [*before, *PROGRAM],
        cwd=ROOT,
        env=clean_environment()
        | {"XDG_DATA_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
        | dict(environment or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    program = Watched(process)
    reader = threading.Thread(target=program.read, daemon=True)
    reader.start()
    try:
        yield program
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)
        reader.join(10)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()
        if not again and os.access(home / "Bahi", os.R_OK):
            forget_server_data(home / "Bahi" / "server")
