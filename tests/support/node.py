"""A process of a cluster: can be started, killed, stopped, continued and drained, only by its process id."""

import contextlib
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.environment import clean_environment

ROOT: Final = Path(__file__).parents[2]
_START_SECONDS: Final = 60.0
_END_SECONDS: Final = 30.0


@dataclass(slots=True)
class Node:
    """`command` prints one line once it answers at `url`; what it logs goes to the end of `log`.

    `prefix` is what runs the command elsewhere, as in a network of its own; `root` is the program's folder.
    Moments are those of `time.monotonic()`, which all processes of a computer share.
    """

    id: str
    url: str
    command: Sequence[str]
    log: Path
    prefix: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    root: Path = ROOT
    process: subprocess.Popen[bytes] | None = None
    stopped: bool = False

    @property
    def running(self) -> bool:
        """Return whether it has been started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers. Raises AssertionError with the end of its log."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start it; several may come up at once."""
        assert not self.running, f"{self.id} runs already"
        self._close_pipe()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [*self.prefix, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=out,
                cwd=self.root,
                env={**clean_environment(), **self.environment},
                start_new_session=True,  # Ctrl+C is for whoever started the cluster
            )

    def wait_ready(self) -> None:
        """Wait for its ready line."""
        assert self.process is not None
        assert self.process.stdout is not None
        heard, _, _ = select.select([self.process.stdout], [], [], _START_SECONDS)
        line = self.process.stdout.readline() if heard else b""
        assert line, f"{self.id} did not start:\n{self.log_tail()}"

    def kill(self) -> float:
        """Kill it without a warning; return the moment."""
        process = self._running_process()
        moment = time.monotonic()
        process.kill()
        process.wait(_END_SECONDS)
        self.stopped = False
        return moment

    def stop(self) -> float:
        """Let it stand still: it keeps its connections and says nothing; return the moment."""
        moment = time.monotonic()
        self._running_process().send_signal(signal.SIGSTOP)
        self.stopped = True
        return moment

    def cont(self) -> None:
        """Let it go on."""
        self._running_process().send_signal(signal.SIGCONT)
        self.stopped = False

    def drain(self, seconds: float = _END_SECONDS) -> float:
        """Ask it to end as an operator does, and wait for that; return how long it took."""
        began = time.monotonic()
        process = self._running_process()
        process.send_signal(signal.SIGTERM)
        process.wait(seconds)
        return time.monotonic() - began

    def end(self) -> None:
        """End it at once, however it stands: nobody is there any more who would wait for its answers."""
        if self.running:
            self.kill()
        self._close_pipe()

    def log_tail(self) -> str:
        """Return the end of its log."""
        with contextlib.suppress(OSError):
            return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
        return ""

    def _running_process(self) -> "subprocess.Popen[bytes]":
        assert self.process is not None
        assert self.process.poll() is None, f"{self.id} has ended:\n{self.log_tail()}"
        return self.process

    def _close_pipe(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()


def server_command(*arguments: str) -> list[str]:
    """Return the command line of `bahi-server …`."""
    return [sys.executable, "-m", "server", *arguments]
