"""Previews of bills: a queue of what is to be rendered, and one worker process that renders it.

What is in view comes first, a slow page makes way for the others once, and what was cancelled is dropped. A
worker that takes too long is killed, and the next job gets a new one. A page that ended its worker is not
rendered again until somebody asks for it again.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.domain.preview import NOTES, SENTENCES, Preview, PreviewRequest, Refusal, Urgency
from app.errors import InputError
from app.rendering.messages import Answer, Refused, Release, Rendered, RenderPage, job_of
from app.roles import folder_of_roles, previews_command
from app.services.message_thread import MessageThread
from app.services.preview_process import GivenUpError, PreviewProcess, WorkerGoneError
from server.contract.allocator import trim

_SECONDS: Final = 8.0  # for a job on the clock of the wall, with the start of its worker
_MAKES_WAY_AFTER: Final = 0.5  # seconds, for a page that is more urgent
_MAKES_WAY_ONCE_AFTER: Final = 1.5  # seconds, for a page that is as urgent
_MOST_PASSWORD: Final = 1000  # characters; a PDF uses at most 127 bytes
_IDLE_SECONDS: Final = 10.0  # after which the worker gives back the memory of the last bill
_TRIM_SECONDS: Final = 60.0  # between two times that this program gives back its own
_log = logging.getLogger(__name__)

Done = Callable[[Preview | InputError], object]


class PreviewTicket:
    """A page that somebody waits for."""

    def __init__(self, request: PreviewRequest, urgency: Urgency, number: int, done: Done) -> None:
        self.request = request
        self.urgency = urgency
        self.number = number  # counts up, so the newest has the highest
        self.spent = 0.0  # seconds of a try after which it made way for pages that are as urgent
        self._done = done
        self._lock = threading.Lock()
        self._is_over = False

    @property
    def is_wanted(self) -> bool:
        """Whether the ticket is neither cancelled nor answered."""
        return not self._is_over

    def cancel(self) -> None:
        """Want the page no longer. `done` is not called afterwards, unless it is being called now."""
        with self._lock:
            self._is_over = True

    def answer(self, result: Preview | InputError) -> None:
        """Call `done`, unless the ticket is cancelled or answered already."""
        with self._lock:
            was_over, self._is_over = self._is_over, True
        if not was_over:
            self._done(result)


@dataclass(frozen=True, slots=True)
class _PageOfFile:
    """A page of a file in one state."""

    path: Path
    size: int
    changed_ns: int
    page: int


class Previews:
    """Renders pages of bills in another process. Thread-safe; no method blocks, except `close`."""

    def __init__(
        self,
        command: Callable[[], list[str]] = previews_command,
        seconds: float = _SECONDS,
        idle_seconds: float = _IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._seconds = seconds
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._lock = threading.Lock()  # guards the attributes that several threads change
        self._waiting: list[PreviewTicket] = []
        self._submitted = 0
        self._is_closed = False
        self._passwords: dict[Path, str] = {}  # in memory only: never in a file, a log or an argument
        self._costly: set[_PageOfFile] = set()
        self._slow: set[Path] = set()  # files that made way; their pages come after those of other files
        self._oldest_is_next = self._took_oldest = False
        self._process: PreviewProcess | None = None
        self._asked_at = self._trimmed_at = clock()
        self._holds_bill = False
        self._thread = MessageThread("previews", self._release_if_idle, self._seconds_left, _crashed)

    @property
    def pid(self) -> int | None:
        """The process id of the worker, or None if none is running."""
        process = self._process
        return process.pid if process is not None and process.is_running else None

    def submit(
        self, request: PreviewRequest, urgency: Urgency, done: Done, *, again: bool = False
    ) -> PreviewTicket:
        """Ask for a page. A thread of this object calls `done` with it, or with an InputError.

        The error's `code` is a `Refusal`. A page that ended its worker once is refused at once, unless
        `again`: then it is tried once more. After `close`, nothing is called.
        """
        page = _page_of(request) if again else None
        with self._lock:
            self._submitted += 1
            ticket = PreviewTicket(request, urgency, self._submitted, done)
            if page is not None:
                self._costly.discard(page)
            self._waiting = [each for each in self._waiting if each.is_wanted]
            self._waiting.append(ticket)
        self._thread.post(self._render_next)
        return ticket

    def unlock(self, path: Path, password: str) -> None:
        """Use `password` for the pages of `path` until it turns out to be wrong, or `forget_passwords`."""
        with self._lock:
            self._passwords[path] = password[:_MOST_PASSWORD].encode(errors="ignore").decode()

    def forget_passwords(self) -> None:
        """Forget all passwords, also in the worker, which is ended."""
        with self._lock:
            had_some = bool(self._passwords)
            self._passwords.clear()
        if had_some:
            self._thread.post(self._end_process)

    def close(self) -> None:
        """End the worker. What waits is dropped. Blocks until the thread has ended."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
            self._passwords.clear()
        process = self._process
        if process is not None:
            process.kill()
        self._thread.post(self._end_process)
        self._thread.close()

    # --- for the thread --------------------------------------------------------------------------

    def _render_next(self) -> None:
        ticket = self._take()
        if ticket is None:
            return
        # What is said if something unexpected happens: a page is never left without an answer.
        result: Preview | InputError | None = _refusal(Refusal.NO_WORKER)
        try:
            result = self._result(ticket)
        except GivenUpError:
            result = None
            self._put_back(ticket)
        finally:
            if result is not None and not self._is_closed:
                ticket.answer(result)
        self._trim()

    def _take(self) -> PreviewTicket | None:
        """Remove and return the most urgent ticket; of equal ones the newest, and those found slow last.

        After a slow one, it is the oldest and the newest in turn, so neither waits for many slow ones.
        """
        with self._lock:
            self._waiting = [each for each in self._waiting if each.is_wanted]
            if self._is_closed or not self._waiting:
                return None
            sign = 1 if self._oldest_is_next else -1
            best = min(self._waiting, key=lambda each: (*self._rank(each), sign * each.number))
            self._took_oldest, self._oldest_is_next = self._oldest_is_next, False
            self._waiting.remove(best)
            return best

    def _rank(self, ticket: PreviewTicket) -> tuple[int, bool, float]:
        return ticket.urgency, ticket.request.path in self._slow, ticket.spent

    def _put_back(self, ticket: PreviewTicket) -> None:
        if ticket.is_wanted:
            with self._lock:
                self._waiting.append(ticket)
            self._thread.post(self._render_next)

    def _result(self, ticket: PreviewTicket) -> Preview | InputError:
        try:
            job = job_of(ticket.request, self._passwords.get(ticket.request.path, ""))
        except ValueError:
            return _refusal(Refusal.UNREADABLE)
        except OverflowError:
            return _refusal(Refusal.TOO_LARGE)
        page = _page_of(ticket.request)
        if page in self._costly:
            return _refusal(Refusal.TOO_COSTLY)
        try:
            answer, pixels = self._ask(ticket, job)
        except OSError:
            _log.exception("preview worker start failed")
            return _refusal(Refusal.NO_WORKER)
        except WorkerGoneError as gone:
            if not gone.by_job:
                return _refusal(Refusal.NO_WORKER)
            with self._lock:
                self._costly.add(page)
            return _refusal(Refusal.TOO_COSTLY)
        self._check_password(job, answer)
        return _shown(answer, pixels)

    def _check_password(self, job: RenderPage, answer: Answer) -> None:
        """Forget a wrong password, so that the user is asked for another one."""
        path = Path(job.path)
        with self._lock:
            if answer == Refused(Refusal.WRONG_PASSWORD) and self._passwords.get(path) == job.password:
                del self._passwords[path]

    def _ask(self, ticket: PreviewTicket, job: RenderPage) -> tuple[Answer, bytes | bytearray]:
        """Return the worker's answer. If somebody else ended the worker, ask a new one, once."""
        deadline = self._clock() + self._seconds - ticket.spent
        try:
            return self._ask_once(ticket, job, deadline)
        except WorkerGoneError as gone:
            if gone.by_job or self._is_closed:
                raise
        return self._ask_once(ticket, job, deadline)

    def _ask_once(
        self, ticket: PreviewTicket, job: RenderPage, deadline: float
    ) -> tuple[Answer, bytes | bytearray]:
        process = self._running()
        self._asked_at, self._holds_bill = self._clock(), True
        try:
            return process.ask(job, deadline - self._clock(), self._still_wanted(ticket))
        except WorkerGoneError as gone:
            _log.warning("preview worker ended", extra={"by_job": gone.by_job})
            raise

    def _still_wanted(self, ticket: PreviewTicket) -> Callable[[float], bool]:
        def is_wanted(passed: float) -> bool:
            if self._is_closed:
                return False
            return passed < _MAKES_WAY_AFTER or not self._is_in_the_way(ticket, passed)

        return is_wanted

    def _is_in_the_way(self, ticket: PreviewTicket, passed: float) -> bool:
        """Return whether a ticket that has run for `passed` seconds makes way for one that waits."""
        with self._lock:
            waiting = [each for each in self._waiting if each.is_wanted]
        if not waiting or not ticket.is_wanted:
            return bool(waiting)
        most_urgent = min(each.urgency for each in waiting)
        if most_urgent != ticket.urgency:
            return most_urgent < ticket.urgency
        has_new = any(self._rank(each) == (most_urgent, False, 0.0) for each in waiting)
        if not has_new or ticket.spent or passed < _MAKES_WAY_ONCE_AFTER:
            return False
        ticket.spent = passed
        self._slow.add(ticket.request.path)
        self._oldest_is_next = not self._took_oldest
        return True

    def _running(self) -> PreviewProcess:
        """Return the worker; start one if there is none. Raises OSError."""
        if self._process is None or not self._process.is_running:
            self._end_process()
            if self._is_closed:
                raise GivenUpError
            self._process = PreviewProcess(self._command(), folder_of_roles())
        return self._process

    def _end_process(self) -> None:
        process, self._process, self._holds_bill = self._process, None, False
        if process is not None:
            process.end()

    def _seconds_left(self) -> float | None:
        return max(0.0, self._asked_at + self._idle_seconds - self._clock()) if self._holds_bill else None

    def _release_if_idle(self) -> None:
        if self._seconds_left() != 0.0 or self._process is None:
            return
        self._holds_bill = False
        self._process.tell(Release())

    def _trim(self) -> None:
        """Give back free memory of this program now and then: pages leave holes in it, which add up."""
        if self._clock() - self._trimmed_at >= _TRIM_SECONDS:
            self._trimmed_at = self._clock()
            trim()


def _page_of(request: PreviewRequest) -> _PageOfFile:
    try:
        found = request.path.stat()
    except (OSError, ValueError):  # it is answered with a refusal
        return _PageOfFile(request.path, -1, -1, request.page)
    return _PageOfFile(request.path, found.st_size, found.st_mtime_ns, request.page)


def _shown(answer: Answer, pixels: bytes | bytearray) -> Preview | InputError:
    if not isinstance(answer, Rendered):
        return _refusal(answer.reason)
    size = answer.page_width, answer.page_height
    return Preview(pixels, answer.width, answer.height, answer.page, answer.pages, *size, NOTES[answer.flaw])


def _refusal(reason: Refusal) -> InputError:
    return InputError(SENTENCES[reason], code=reason.value)


def _crashed(crash: Exception) -> None:
    _log.error("preview callback failed", exc_info=crash)
