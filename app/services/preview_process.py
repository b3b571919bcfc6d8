"""The preview worker as the program sees it: a child process that is asked, watched, and killed if needed."""

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Final

from app.rendering.messages import Answer, Job, read_answer, write_message

_LOOK_SECONDS: Final = 0.05  # between two looks at whether a job that takes long is still wanted
_SECONDS_TO_END: Final = 1.0
_FROM_OUTSIDE: Final = frozenset(
    -number
    for name in ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT")
    if (number := getattr(signal, name, None)) is not None
)
"""The exit statuses of a process that somebody else ended. The limits of the worker end it otherwise."""

# The worker needs nothing of the user's environment, which can hold secrets.
_KEPT_VARIABLES: Final = ("SYSTEMROOT", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class WorkerGoneError(Exception):
    """The worker ended before it answered. `by_job` says whether the job is the reason."""

    def __init__(self, *, by_job: bool) -> None:
        super().__init__("the preview worker ended")
        self.by_job = by_job


class GivenUpError(Exception):
    """The job was no longer wanted, so its worker was killed."""


class PreviewProcess:
    """A running worker. Used by one thread, except `kill`."""

    def __init__(self, command: list[str], folder: str | None) -> None:
        """Start the worker. Raises OSError."""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=folder,
        )
        self._answers: queue.SimpleQueue[tuple[Answer, bytes] | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, name="preview answers", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def ask(self, job: Job, seconds: float, is_wanted: Callable[[float], bool]) -> tuple[Answer, bytes]:
        """Return the answer to `job` and its pixels. Blocks for `seconds` at most.

        `is_wanted` gets the seconds passed so far. Raises WorkerGoneError if the worker ended or was
        killed because it took too long, GivenUpError if `is_wanted` returned false; both after its end.
        """
        began = time.monotonic()
        self.tell(job)
        while (passed := time.monotonic() - began) < seconds:
            if not is_wanted(passed):
                self.end()
                raise GivenUpError
            try:
                answer = self._answers.get(timeout=min(_LOOK_SECONDS, seconds - passed))
            except queue.Empty:
                continue
            if answer is None:
                raise WorkerGoneError(by_job=self._ended_by_itself())
            return answer
        self.end()
        raise WorkerGoneError(by_job=True)

    def tell(self, job: Job) -> None:
        """Send a job without waiting for its answer. Raises WorkerGoneError."""
        assert self._process.stdin is not None
        try:
            write_message(self._process.stdin, job)
            self._process.stdin.flush()
        except OSError as error:
            raise WorkerGoneError(by_job=self._ended_by_itself()) from error

    def kill(self) -> None:
        """End the worker at once. Any thread may call this; `ask` then raises WorkerGoneError."""
        self._process.kill()

    def end(self) -> int:
        """Kill the worker if it still runs; return its exit status."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(OSError):  # what was not sent yet cannot be sent
                self._process.stdin.close()
        self._process.kill()
        return self._process.wait()

    def _ended_by_itself(self) -> bool:
        """Return whether the worker, of which a pipe closed, is to blame, and not somebody who ended it."""
        try:
            return self._process.wait(_SECONDS_TO_END) not in _FROM_OUTSIDE
        except subprocess.TimeoutExpired:  # it runs and sent garbage
            return True
        finally:
            self.end()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            while (answer := read_answer(stream)) is not None:
                self._answers.put(answer)
        self._answers.put(None)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    # One arena: each further one reserves address space, of which the worker may have little.
    return {**kept, "MALLOC_ARENA_MAX": "1", "PYTHONUTF8": "1"}
