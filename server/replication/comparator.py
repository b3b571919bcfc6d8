"""Comparing regions again and again, beside whoever looks at them."""

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

_LEAST_PAUSE_SECONDS: Final = 30.0
_PAUSE_OF_ONE: Final = 20
"""A comparison reads everything that the regions hold: it may take them a twentieth of the time."""
_END_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the last comparison ended: what was found, or else the sentence that says why nothing was."""

    seconds_ago: float
    found: Verification | None
    why: str = ""


def pause(took: float) -> float:
    """Return how long (s) to compare nothing after a comparison that took so long (s)."""
    return max(_LEAST_PAUSE_SECONDS, _PAUSE_OF_ONE * took)


class Comparator:
    """Compares in a thread of its own from `start` to `close`. What is said meanwhile is not heard: the
    screen belongs to who looks."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = Mesh(mesh.regions)
        self._ended = threading.Event()
        self._nodes: Sequence[Node] = ()
        self._last: tuple[float, Verification | None, str] | None = None
        self._thread = threading.Thread(target=self._run, name="comparing", daemon=True)

    def start(self) -> None:
        """Begin with the first."""
        self._thread.start()

    def last(self) -> Comparison | None:
        """Return how the last comparison ended, None before the first has."""
        if self._last is None:
            return None
        at, found, why = self._last
        return Comparison(time.monotonic() - at, found, why)

    def close(self) -> None:
        """Compare no more; what is under way is cut short."""
        self._ended.set()
        deadline = time.monotonic() + _END_SECONDS
        while self._thread.is_alive() and time.monotonic() < deadline:
            for node in self._nodes:
                with contextlib.suppress(psycopg.Error):  # it has just ended, or its region
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
