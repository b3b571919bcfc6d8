"""Runs work in a thread pool and delivers the results on the GUI thread. The only bridge to threads."""

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, QThreadPool, Signal

from app.errors import AppError, SignInError

T = TypeVar("T")
_THREADS: Final = 6
_LOCAL_THREADS: Final = 4
_SHUTDOWN_MS: Final = 3000


class Relay(QObject):
    """Sends values from running work to the GUI thread. `report` may be called from any thread."""

    reported = Signal(object)

    def report(self, value: object) -> None:
        """Emit `reported` with `value`; do nothing if this object has been deleted."""
        with contextlib.suppress(RuntimeError):  # the C++ object was deleted while the work was running
            self.reported.emit(value)


@dataclass(frozen=True, slots=True)
class _Outcome:
    value: object = None
    error: AppError | None = None
    crash: Exception | None = None


class _Job:
    """One piece of work."""

    def __init__(
        self, number: int, work: Callable[[], object], deliver: Callable[[int, _Outcome], None]
    ) -> None:
        self._number = number
        self._work = work
        self._deliver = deliver

    def run(self) -> None:
        """Do the work and deliver its outcome. Never raises."""
        self._deliver(self._number, self._outcome())

    def _outcome(self) -> _Outcome:
        try:
            return _Outcome(value=self._work())
        except AppError as error:
            return _Outcome(error=error)
        except Exception as crash:  # noqa: BLE001 - any unexpected error of any work is reported here
            return _Outcome(crash=crash)


@dataclass(frozen=True, slots=True)
class _Order:
    owner: QObject
    topic: str
    done: Callable[[Any], None]
    failed: Callable[[AppError], None] | None


class Tasks(QObject):
    """Runs blocking work in threads.

    `crashed` carries an unexpected exception. `sign_in_needed` carries the SignInError that ended any work.
    `idle_reached` is emitted when no work is left.
    """

    crashed = Signal(object)
    sign_in_needed = Signal(object)
    idle_reached = Signal()
    _finished = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(_THREADS)
        self._local = QThreadPool(self)  # a server that hangs can block every thread of the other pool
        self._local.setMaxThreadCount(_LOCAL_THREADS)
        self._numbers = itertools.count(1)
        self._orders: dict[int, _Order] = {}
        self._latest: dict[tuple[int, str], int] = {}
        self._closed = False
        self._finished.connect(self._settle, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Return whether any work is running or not delivered yet."""
        return bool(self._orders)

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[AppError], None] | None = None,
        *,
        owner: QObject,
        topic: str = "",
        local: bool = False,
    ) -> int:
        """Run `work` in a thread, then `done(result)` or `failed(error)` on the GUI thread.

        Pass `local` if the work calls no server; it then never waits for work that does. If `owner` has been
        deleted, nothing is called. With a `topic`, a newer run with the same owner and topic supersedes this
        one. Returns a number for `drop`; 0 after `shutdown`.
        """
        if self._closed:
            return 0
        number = next(self._numbers)
        job = _Job(number, work, self._deliver)
        self._orders[number] = _Order(owner, topic, done, failed)
        if topic:
            self._latest[(id(owner), topic)] = number
        # A function, not a QRunnable: the pool's Python object would hold each QRunnable for ever, and with
        # it all that the work refers to.
        (self._local if local else self._pool).start(job.run)
        return number

    def drop(self, number: int) -> None:
        """Discard the result of a run. The work itself is not interrupted."""
        order = self._orders.get(number)
        if order is not None:
            self._orders[number] = replace(order, done=_ignore, failed=_ignore)

    def supersede(self, owner: QObject, topic: str) -> None:
        """Discard the result of the run of `owner` with `topic`, without starting another one."""
        self._latest.pop((id(owner), topic), None)

    def shutdown(self) -> bool:
        """Accept no more work, drop queued calls to servers, and wait up to 3,000 ms for each pool.

        Return whether all work has ended.
        """
        self._closed = True
        self._pool.clear()
        finished = self._local.waitForDone(_SHUTDOWN_MS)  # queued local work is still done, such as a save
        finished = self._pool.waitForDone(_SHUTDOWN_MS) and finished
        if finished:
            self._orders.clear()
            self._latest.clear()
        return finished

    def _deliver(self, number: int, outcome: _Outcome) -> None:
        with contextlib.suppress(RuntimeError):  # the program is closing and this object has been deleted
            self._finished.emit(number, outcome)

    def _settle(self, number: int, outcome: _Outcome) -> None:
        order = self._orders.pop(number, None)
        if order is None:
            return
        if not self._closed and self._is_current(number, order):
            self._answer(order, outcome)
        elif outcome.crash is not None:
            self.crashed.emit(outcome.crash)
        if not self._orders:
            self.idle_reached.emit()

    def _is_current(self, number: int, order: _Order) -> bool:
        key = (id(order.owner), order.topic)
        current = not order.topic or self._latest.get(key) == number
        if current:
            self._latest.pop(key, None)
        return current and shiboken6.isValid(order.owner)

    def _answer(self, order: _Order, outcome: _Outcome) -> None:
        if outcome.crash is not None:
            self.crashed.emit(outcome.crash)
            if order.failed is not None:
                order.failed(AppError("Something unexpected went wrong. Nothing is lost. Please try again."))
        elif outcome.error is not None:
            if order.failed is not None:
                order.failed(outcome.error)
            if isinstance(outcome.error, SignInError):
                self.sign_in_needed.emit(outcome.error)
        else:
            order.done(outcome.value)


def _ignore(_value: object) -> None:
    """Do nothing with the result of a dropped run."""
