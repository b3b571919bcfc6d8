"""A thread that calls functions one after the other. Blocking work runs in other threads."""

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from app.errors import AppError

T = TypeVar("T")
Message = Callable[[], object]
UNEXPECTED: Final = "Something unexpected went wrong. Nothing is lost. Please try again."


class MessageThread:
    """Calls each posted message. Thread-safe. All methods but `close` return at once.

    `follow_up` is called after each message, and after `seconds_left` seconds without a message (None means
    no limit). `crashed` is called with an unexpected exception; the thread then continues. All three are
    called by the thread.
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
        """Make the thread call `message`. The first one starts the thread; after `close`, none is called."""
        self._inbox.put(message)
        with self._lock:
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def start_job(self, name: str, work: Callable[[], T], done: Callable[[T | AppError], object]) -> None:
        """Do `work` in a new thread. Then this thread calls `done` with its result, or with its AppError."""

        def job() -> None:
            outcome: T | AppError
            try:
                outcome = work()
            except AppError as error:
                outcome = error
            except Exception as crash:  # noqa: BLE001 - any unexpected error of a job is reported here
                self.post(partial(self._crashed, crash))
                outcome = AppError(UNEXPECTED)
            self.post(partial(done, outcome))

        threading.Thread(target=job, name=name, daemon=True).start()

    def close(self) -> None:
        """End the thread after the messages posted so far, and wait for its end, unless this is the thread.

        Jobs are not interrupted.
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
            except Exception as crash:  # noqa: BLE001 - it is reported, and the thread must continue
                self._crashed(crash)


def nothing() -> None:
    """Do nothing. As a message, it makes the thread call `follow_up`."""
