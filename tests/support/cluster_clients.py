"""Client processes of a cluster (`tests.bench.programs.cluster_client`), and the events that they report."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.support.node import ROOT

_BOOK_CALLS: Final = frozenset({"plan", "upload", "entries"})
_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request; `to` is host and port, `status` 0 where no answer came. Moments of the monotonic
    clock."""

    kind: str
    to: str
    at: float
    end: float
    status: int
    error: str

    @property
    def succeeded(self) -> bool:
        """Return whether it was a call about the book that did what it was to do."""
        return self.kind in _BOOK_CALLS and 200 <= self.status < 300

    @property
    def failed(self) -> bool:
        """Return whether it went wrong, whatever the client did about it afterwards; probes may."""
        return self.kind != "probe" and not 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Claim:
    """“All your data is here”, said `at` (monotonic) when the session was in `region` since `moved`.

    `brought` are the entries that another region had taken, `last_own` is when this one took the last;
    `missing` are those of `judged` that were not whole there when it was looked into: those of the last two
    minutes within `looked` seconds of the words.
    """

    region: str
    at: float
    moved: float
    brought: list[str]
    last_own: float
    judged: int
    missing: list[str]
    looked: float


@dataclass(slots=True)
class Heard:
    """What one client has said. `broken` are tasks whose parts went to two servers."""

    ready: bool = False
    saved: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    phases: list[tuple[float, str]] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    claims: list[Claim] = field(default_factory=list)
    broken: int = 0
    drained: dict[str, Any] | None = None


class ClusterClient:
    """One client process; ended by `close`. With `regions`, the cluster's folder, it proves its claims."""

    def __init__(
        self, folder: Path, number: int, link: str, pause: float, regions: Path | None = None
    ) -> None:
        self.number = number
        self.heard = Heard()
        self._log = folder / f"client-{number}.log"
        self._changed = threading.Condition()
        self._over = False
        program = [sys.executable, "-m", "tests.bench.programs.cluster_client"]
        arguments = [str(folder / f"client-{number}"), str(number), link, str(pause)]
        arguments += [str(regions)] if regions else []
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                [*program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out, cwd=ROOT
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, what: str, holds: Callable[[], bool], seconds: float = _SECONDS) -> None:
        """Wait for what it says. Raises AssertionError."""
        with self._changed:
            # Over once all is heard: a process that has ended may have said it with its last words.
            self._changed.wait_for(lambda: holds() or self._over, seconds)
            if holds():
                return
        said = f"phases {self.heard.phases[-6:]}, errors {dict(self.heard.errors)}"
        how = "ended before" if self._over else f"waited {seconds:.0f} s in vain for"
        raise AssertionError(f"client {self.number} {how} {what}: {said}, {self._log.read_text()[-2000:]}")

    def wait_ready(self) -> None:
        """Wait until it is signed in and has saved something."""
        self.wait_for("its first saved entry", lambda: self.last_success() is not None)

    def last_success(self) -> Call | None:
        """Return its last successful call about the book."""
        calls = self.heard.calls
        return next((call for call in reversed(calls[-200:]) if call.succeeded), None)

    def success_after(self, moment: float, not_at: str) -> Call | None:
        """Return its first successful call that ended after `moment` at another server than `not_at`."""
        for index in range(len(self.heard.calls) - 1, -1, -1):
            if self.heard.calls[index].end <= moment:
                later = self.heard.calls[index + 1 :]
                break
        else:
            later = self.heard.calls
        return next((call for call in later if call.succeeded and call.to != not_at), None)

    def drain(self) -> None:
        """Let it send everything and end."""
        self._tell(b"drain\n")

    def try_now(self) -> None:
        """Press the button of that name."""
        self._tell(b"try now\n")

    def wait_drained(self) -> dict[str, Any]:
        """Return what it told at its end."""
        self.wait_for("everything to be sent", lambda: self.heard.drained is not None, 2 * _SECONDS)
        self._process.wait(_SECONDS)
        assert self.heard.drained is not None
        return self.heard.drained

    def close(self) -> None:
        """End it if it still runs, and take what it has said to the last."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(_SECONDS)
        self._reader.join(_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):
                with self._changed:
                    self._hear(json.loads(line))
                    self._changed.notify_all()
        self._process.wait()
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _hear(self, said: dict[str, Any]) -> None:
        heard = self.heard
        heard.ready = heard.ready or "ready" in said
        heard.broken += "broken" in said
        heard.drained = said.get("drained", heard.drained)
        if "http" in said:
            heard.calls.append(Call(**said["http"]))
        if "saved" in said:
            heard.saved[said["saved"]["id"]] = said["saved"]
        if "claim" in said:
            heard.claims.append(Claim(**said["claim"]))
        if "phase" in said:
            heard.phases.append((said["at"], said["phase"]))
        if "error" in said:
            heard.errors[said["error"]] += 1


def wait_all(
    clients: list[ClusterClient], what: str, holds: Callable[[ClusterClient], bool], seconds: float
) -> None:
    """Wait until `holds` of every client; `seconds` in all."""
    deadline = time.monotonic() + seconds
    for client in clients:
        client.wait_for(what, lambda client=client: holds(client), max(0.1, deadline - time.monotonic()))  # type: ignore[misc]
