"""Compares the regions repeatedly in the background, for `replication status --watch`."""

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import psycopg

from server.errors import StartError
from server.replication.mesh import Mesh
from server.replication.node import Node
from server.replication.verify import Verification, verify

_MIN_PAUSE_SECONDS: Final = 30.0
# A comparison reads all rows of the regions, so it may run only a twentieth of the time.
_PAUSE_FACTOR: Final = 20
_END_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of the last comparison: `found`, or the reason `why` it failed."""

    seconds_ago: float
    found: Verification | None
    why: str = ""


def pause(took: float) -> float:
    """Return the pause (seconds) after a comparison that took `took` seconds."""
    return max(_MIN_PAUSE_SECONDS, _PAUSE_FACTOR * took)


class Comparator:
    """Compares the regions of a mesh in a thread of its own, from `start` to `close`."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = Mesh(mesh.regions)  # without `say`: its messages would spoil the screen of --watch
        self._ended = threading.Event()
        self._nodes: Sequence[Node] = ()
        self._last: tuple[float, Verification | None, str] | None = None
        self._thread = threading.Thread(target=self._run, name="comparing", daemon=True)

    def start(self) -> None:
        """Start the thread, which begins with a comparison."""
        self._thread.start()

    def last(self) -> Comparison | None:
        """Return the result of the last comparison, or None if none has finished yet."""
        if self._last is None:
            return None
        at, found, why = self._last
        return Comparison(time.monotonic() - at, found, why)

    def close(self) -> None:
        """Stop comparing; cancel a comparison in progress."""
        self._ended.set()
        deadline = time.monotonic() + _END_SECONDS
        # Repeated, because the thread may be between two statements when the first is cancelled.
        while self._thread.is_alive() and time.monotonic() < deadline:
            for node in self._nodes:
                with contextlib.suppress(psycopg.Error):  # the connection was closed meanwhile
                    node.connection.cancel_safe(timeout=_END_SECONDS)
            self._thread.join(0.1)

    def _run(self) -> None:
        took = 0.0
        while not self._ended.wait(pause(took) if self._last else 0):
            started = time.monotonic()
            found, why = self._compare()
            took = time.monotonic() - started
            self._last = time.monotonic(), found, why

    def _compare(self) -> tuple[Verification | None, str]:
        try:
            with self._mesh.members() as (self._nodes, left_out):
                return replace(verify(self._nodes), left_out=left_out), ""
        except StartError as error:
            return None, str(error)
        finally:
            self._nodes = ()
