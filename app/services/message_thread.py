"""One thread that calls messages in order. What blocks runs beside it, and its result is a message too."""

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from app.errors import AppError

T = TypeVar("T")
Message = Callable[[], object]
UNEXPECTED: Final = "Something unexpected went wrong. Nothing was lost; please try again."


class MessageThread:
    """Every method may be called from any thread and returns at once, except `close`.

    `follow_up` is called after each message, and after `seconds_left` without one (None: for ever).
    `crashed` is called with each exception that no code expected, after which the thread goes on. The thread
    calls all three.
    """

    def __init__(
        self,
        name: str,
        follow_up: Callable[[], object],
        seconds_left: Callable[[], float | None],
        crashed: Callable[[Exception], object],
    ) -> None:
        self._name = name
        self._follow_up = follow_up
        self._seconds_left = seconds_left
        self._crashed = crashed
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def post(self, message: Message) -> None:
        """Let the thread call `message`. The first one starts it; after `close` none is called."""
        self._inbox.put(message)
        with self._lock:
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def start_job(self, name: str, work: Callable[[], T], done: Callable[[T | AppError], object]) -> None:
        """Do `work` in a thread of its own, and let this thread call `done` with its result or its error."""

        def job() -> None:
            outcome: T | AppError
            try:
                outcome = work()
            except AppError as error:
                outcome = error
            except Exception as crash:  # noqa: BLE001 - the last net under every job: the person is told
                self.post(partial(self._crashed, crash))
                outcome = AppError(UNEXPECTED)
            self.post(partial(done, outcome))

        threading.Thread(target=job, name=name, daemon=True).start()

    def close(self) -> None:
        """End the thread after what was posted before, and wait for that, unless called by the thread.

        Jobs go on.
        """
        with self._lock:
            self._is_closed = True
            thread = self._thread
        self._inbox.put(None)
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while True:
            try:
                message = self._inbox.get(timeout=self._seconds_left())
            except queue.Empty:
                message = nothing
            if message is None:
                return
            try:
                message()
                self._follow_up()
            except Exception as crash:  # noqa: BLE001 - the thread goes on; the person is told
                self._crashed(crash)


def nothing() -> None:
    """A message that only lets the thread follow up."""
