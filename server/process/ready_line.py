"""A uvicorn server that says when it answers, and ends cleanly."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from server.errors import StartError


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return uvloop where there is one; else a selector loop: psycopg cannot use Windows' proactor."""
    try:
        import uvloop
    except ImportError:
        return asyncio.SelectorEventLoop
    return uvloop.new_event_loop


class AnnouncingServer(uvicorn.Server):
    """Prints its one JSON line once it answers, and ends without raising the signal that ended it again.

    `at_end` is called before it waits for the calls that it is still answering.
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
        kept = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        self.should_exit = self._asked_to_end.is_set()  # from now on signals come to us
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            sys.stdout.write(json.dumps(self._line) + "\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._at_end()
        await super().shutdown(sockets)
