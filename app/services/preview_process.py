"""The preview worker as the program sees it: a child process that is asked, watched, and killed if needed."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from app.rendering.messages import Answer, Job, UnaskedAnswerError, read_answer, write_message
from app.services.worker_pipe import WorkerPipe

_LOOK_SECONDS: Final = 0.05  # between two looks at whether a job that takes long is still wanted
_SECONDS_TO_END: Final = 1.0
_NOT_ANSWERED: Final = 0  # the number of a job
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


class _Loss(Enum):
    """Why the worker gives no answer any more."""

    BROKEN = auto()
    """A pipe closed, or the answer makes no sense."""
    UNASKED = auto()
    """It ended without a job, or sent an answer that nobody waited for."""


class PreviewProcess:
    """A running worker. Used by one thread, except `kill`.

    A thread of this object writes the jobs, and reads only the answer to an open job. A worker that does not
    read, or that writes more, waits at its pipe until it is killed.
    """

    def __init__(self, command: list[str], folder: str | None) -> None:
        """Start the worker. Raises OSError."""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=folder,
            bufsize=0,
            start_new_session=True,  # so that `kill` also ends the processes that the worker started
        )
        self._asked = 0
        self._lock = threading.Lock()  # guards the end
        self._has_ended = False
        self._given_up = threading.Event()
        self._jobs: queue.SimpleQueue[tuple[int, Job] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[Answer, bytes | bytearray] | _Loss] = queue.SimpleQueue()
        threading.Thread(target=self._talk, name="preview answers", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        if self._process.poll() is None:
            return True
        self.kill()  # what it started
        return False

    def ask(
        self, job: Job, seconds: float, is_wanted: Callable[[float], bool]
    ) -> tuple[Answer, bytes | bytearray]:
        """Return the answer to `job` and its pixels. Blocks for `seconds` at most.

        `is_wanted` gets the seconds passed so far. Raises WorkerGoneError if the worker ended or was
        killed because it took too long, GivenUpError if `is_wanted` returned false; both after its end.
        """
        began = time.monotonic()
        self._asked += 1
        self._jobs.put((self._asked, job))
        while (passed := time.monotonic() - began) < seconds:
            if not is_wanted(passed):
                self.end()
                raise GivenUpError
            try:
                answer = self._answers.get(timeout=min(_LOOK_SECONDS, seconds - passed))
            except queue.Empty:
                if self._process.poll() is not None:
                    self.kill()  # nothing more comes, even if a process that it started holds the pipe
                continue
            if isinstance(answer, _Loss):
                raise WorkerGoneError(by_job=self._ended_by_itself() and answer is _Loss.BROKEN)
            return answer
        self.end()
        raise WorkerGoneError(by_job=True)

    def tell(self, job: Job) -> None:
        """Send a job that is not answered. If that fails, the next `ask` raises WorkerGoneError."""
        self._jobs.put((_NOT_ANSWERED, job))

    def kill(self) -> None:
        """End the worker at once. Any thread may call this; `ask` then raises WorkerGoneError."""
        self._given_up.set()
        with self._lock:
            if not self._has_ended:  # later, its number may be that of another process
                self._has_ended = self._process.poll() is not None
                _kill_all(self._process)

    def end(self) -> None:
        """Kill the worker, and what it started, if it still runs."""
        self.kill()
        self._jobs.put(None)
        with contextlib.suppress(subprocess.TimeoutExpired):  # the system does not let it go yet
            self._process.wait(_SECONDS_TO_END)

    def _ended_by_itself(self) -> bool:
        """Return whether the worker, of which a pipe closed, is to blame, and not somebody who ended it."""
        try:
            return self._process.wait(_SECONDS_TO_END) not in _FROM_OUTSIDE
        except subprocess.TimeoutExpired:  # it runs and sent garbage
            return True
        finally:
            self.end()

    # --- for the thread --------------------------------------------------------------------------

    def _talk(self) -> None:
        loss = _Loss.BROKEN
        try:
            loss = self._lost()
        except UnaskedAnswerError:
            loss = _Loss.UNASKED
        except OSError:  # the job could not be written
            loss = _Loss.BROKEN
        finally:
            self._answers.put(loss)  # whatever happened, the asker does not wait in vain

    def _lost(self) -> _Loss:
        """Pass on jobs and answers until the worker is lost. Raises OSError and UnaskedAnswerError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._process.stdin as stdin, self._process.stdout as stdout:
            jobs, answers = (WorkerPipe(pipe, self._given_up.is_set) for pipe in (stdin, stdout))
            while (letter := self._jobs.get()) is not None:
                number, job = letter
                if number > 1 and answers.has_data():
                    return _Loss.UNASKED
                write_message(jobs, job, number=number)
                if number == _NOT_ANSWERED:
                    continue
                answer = read_answer(answers, number)
                if answer is None:
                    return _Loss.BROKEN
                self._answers.put(answer)
        return _Loss.UNASKED


if sys.platform == "win32":

    def _kill_all(process: subprocess.Popen[bytes]) -> None:
        process.kill()

else:

    def _kill_all(process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: it has ended already
            os.killpg(process.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    # One arena: each further one reserves address space, of which the worker may have little.
    return {**kept, "MALLOC_ARENA_MAX": "1", "PYTHONUTF8": "1"}
