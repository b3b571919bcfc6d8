"""A campaign of `kill -9` on the program, its server and PostgreSQL while it saves entries with bills.

The program is the real one without its windows, in a child process (`tests.bench.programs.saver`); an entry
counts as shown as saved when the child has said so on its pipe. Nothing is killed but what it started.
"""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from app.paths import Paths
from server.db.embedded import EmbeddedPostgres
from tests.bench.programs.saver import PHASES, SAVER, SENDER
from tests.support.kill_verdict import Verdict, judge

ROOT: Final = Path(__file__).parents[2]
TARGETS: Final = ("program", "server", "postmaster", "backend")
_WEIGHTS: Final = (40, 25, 15, 20)
_SECONDS: Final = 60.0
_ECHO_SECONDS: Final = 0.1  # in which what was sent before a kill may still be told


@dataclass(slots=True)
class Result:
    """What was killed where, and what was left. `recoveries`: seconds until the next save had arrived."""

    kills: int = 0
    phases: dict[str, Counter[str]] = field(default_factory=lambda: {t: Counter() for t in TARGETS})
    recoveries: dict[str, list[float]] = field(default_factory=lambda: {t: [] for t in TARGETS})
    errors: Counter[str] = field(default_factory=Counter)
    verdict: Verdict | None = None

    def text(self) -> str:
        """Return the histogram and the verdict for a person."""
        lines = [f"{self.kills} kills; the phase that each one hit:"]
        for target, phases in self.phases.items():
            counted = ", ".join(f"{phase} {count}" for phase, count in phases.most_common())
            took = sorted(self.recoveries[target])
            slowest = f"; back after {took[len(took) // 2]:.1f} s, at most {took[-1]:.1f} s" if took else ""
            lines.append(f"  {target:<10} {phases.total():>3}: {counted}{slowest}")
        lines.append(f"  {self.verdict}")
        return "\n".join(lines)


class Campaign:
    """Kills as often as it is asked to, then lets everything be sent and judges. `folder` is its own."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self._paths = Paths(folder / "home")
        self._marker = folder / "phase"
        self._marker.write_bytes(bytes(2))
        self._log = folder / "child.log"
        self._chance = random.Random(seed)
        self._saved: dict[str, dict[str, Any]] = {}
        self._runs = 0
        self._child: _Child | None = None
        self.result = Result()

    def run(self, kills: int) -> Result:
        """Kill so often and return what came of it. Raises AssertionError where the program does not
        recover."""
        try:
            while self.result.kills < kills:
                self._kill_once()
            self._drain()
        finally:
            self._let_go()
        return self.result

    def _kill_once(self) -> None:
        child = self._running()
        child.wait_for("a save that a server has", lambda: child.sent > 0)
        time.sleep(self._chance.uniform(0, 0.35))
        target = self._chance.choices(TARGETS, _WEIGHTS)[0]
        pid = self._pid(target, child)
        if pid is None:
            return
        phase, began = self._phase(), time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self._note(target, pid, phase if target != "program" else "")
            self._wait_until_back(target, child, began)

    def _note(self, target: str, pid: int, phase: str) -> None:
        if target == "program":
            assert self._child is not None
            self._child.process.wait(_SECONDS)
            phase = self._phase()  # exact: nobody has moved since
        self.result.kills += 1
        self.result.phases[target][phase] += 1

    def _wait_until_back(self, target: str, child: "_Child", began: float) -> None:
        if target == "program":
            child = self._running()
        else:
            time.sleep(_ECHO_SECONDS)
            child.sent = 0
        child.wait_for(f"a save after the {target} was killed", lambda: child.sent > 0)
        self.result.recoveries[target].append(time.monotonic() - began)

    def _running(self) -> "_Child":
        if self._child is None or self._child.process.poll() is not None:
            self._let_go()
            self._runs += 1
            command = [sys.executable, "-m", "tests.bench.programs.saver"]
            arguments = [str(self._paths.home), str(self._runs), str(self._marker)]
            self._child = _Child([*command, *arguments], self._log, self._saved, self.result.errors)
            self._child.wait_for("the program to open its book", lambda: self._child.ready)  # type: ignore[union-attr]
        return self._child

    def _phase(self) -> str:
        """Name where the program was: the thread that saves goes before the one that sends."""
        marks = self._marker.read_bytes()
        saver, sender = PHASES[marks[SAVER]], PHASES[marks[SENDER]]
        return saver if saver == "outbox add" or sender == "idle" else sender

    def _pid(self, target: str, child: "_Child") -> int | None:
        if target == "program":
            return child.process.pid
        if target == "server":
            return child.server
        postmaster = _postmaster(self._paths.server)
        if target == "postmaster" or postmaster is None:
            return postmaster
        backends = _backends(postmaster)
        return self._chance.choice(backends) if backends else None

    def _drain(self) -> None:
        child = self._running()
        child.tell("drain")
        child.wait_for("everything to be sent", lambda: child.drained is not None)
        assert child.process.wait(_SECONDS) == 0
        child.close()
        self.result.verdict = judge(self._paths, self._saved, child.drained or {})

    def _let_go(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()


class _Child:
    """One run of the program, and what it has said."""

    def __init__(
        self, command: list[str], log: Path, saved: dict[str, dict[str, Any]], errors: Counter[str]
    ) -> None:
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out, cwd=ROOT
            )
        self._log = log
        self._saved = saved
        self._errors = errors
        self._heard = threading.Condition()
        self._over = False
        self.ready = False
        self.sent = 0
        self.server: int | None = None
        self.drained: dict[str, Any] | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait for what the child says. Raises AssertionError."""
        with self._heard:
            # Over once all is heard: a program that has ended may have said it with its last words.
            if not self._heard.wait_for(lambda: holds() or self._over, _SECONDS):
                raise AssertionError(f"waited {_SECONDS:.0f} s in vain for {what}; {dict(self._errors)}")
        if not holds():
            raise AssertionError(f"the program ended before {what}: {self._log.read_text()[-2000:]}")

    def tell(self, line: str) -> None:
        """Send it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def close(self) -> None:
        """End it if it still runs, and take what it has said to the last."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(_SECONDS)
        self._reader.join(_SECONDS)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):
                with self._heard:
                    self._hear(json.loads(line))
                    self._heard.notify_all()
        self.process.wait()
        with self._heard:
            self._over = True
            self._heard.notify_all()

    def _hear(self, said: dict[str, Any]) -> None:
        self.ready = self.ready or "ready" in said
        self.sent += said.get("sent", 0)
        self.server = said.get("server", self.server)
        self.drained = said.get("drained", self.drained)
        if "saved" in said:
            self._saved[said["saved"]["id"]] = said["saved"]
        if "error" in said:
            self._errors[said["error"]] += 1


def _postmaster(server: Path) -> int | None:
    try:
        return int((EmbeddedPostgres(server).cluster / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def _backends(postmaster: int) -> list[int]:
    """Return the processes that serve connections of the server."""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [int(pid) for pid in children if re.match(rb"postgres: bahi bahi 127", _command_line(pid))]
    return []


def _command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
