"""A uvicorn server that prints one JSON line when it is ready, and ends cleanly."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from server.errors import StartError

# How long an idle connection stays open: longer than other servers keep theirs (15 s, the default of
# aiohttp), so that no heartbeat is lost because its connection is closed at that moment.
KEEP_ALIVE_SECONDS: Final = 20


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return the factory of uvloop's event loop, or of a selector loop if uvloop is not installed."""
    # Windows has no uvloop, and psycopg cannot use Windows' default (proactor) event loop.
    try:
        import uvloop
    except ImportError:
        return asyncio.SelectorEventLoop
    return uvloop.new_event_loop


class AnnouncingServer(uvicorn.Server):
    """Prints `line` as JSON when it is ready to answer calls.

    `at_end` is called when it shuts down, before it waits for the calls in progress.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        line: dict[str, object],
        asked_to_end: threading.Event,
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._line, self._asked_to_end, self._at_end = line, asked_to_end, at_end

    def run_on(self, listening: socket.socket) -> None:
        """Answer calls on `listening` until a signal. Raises StartError."""
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(self.serve(sockets=[listening]))
        if not self.started:
            raise StartError("The server did not start; the lines above say why.")

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own version raises the signal again at the end, which would make the exit status that of
        # a killed process.
        former = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        # A signal that came before our handlers were set must not be lost.
        self.should_exit = self._asked_to_end.is_set()
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            sys.stdout.write(json.dumps(self._line) + "\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._at_end()
        await super().shutdown(sockets)
