"""Which functions of ours run, and for what: told by Python's profile hook in every thread of a process.

A function is named by its file and its outermost definition, so that a lambda or a comprehension counts as
the function that it stands in. Module bodies are not counted.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
_OURS: Final = (f"{ROOT}/app/", f"{ROOT}/server/")


class Function(NamedTuple):
    """A function of ours; `file` is below the repository's folder."""

    file: str
    name: str


@dataclass(slots=True)
class Activation:
    """What a thread ran until it came back to whoever called `root`: no code of ours, code that was running
    before, or code with another label."""

    root: Function
    began: float
    label: str
    functions: set[Function] = field(default_factory=set)


@dataclass(slots=True)
class _Frame:
    function: Function
    began: float
    activation: Activation | None = None


class CallTrace:
    """Records from `record` on.

    `label_of` may label a call: the calls that it makes have the same label. `request_of` may name the
    request that begins with a call: all that runs in its context, in whatever thread, has that for its label.
    """

    def __init__(
        self,
        label_of: Callable[[Function], str] = lambda _: "",
        request_of: Callable[[FrameType], str] = lambda _: "",
    ) -> None:
        self._label_of = label_of
        self._request_of = request_of
        self._request: ContextVar[str] = ContextVar("request", default="")
        self._stacks = threading.local()
        self._functions: dict[CodeType, Function | None] = {}
        self._since = float("inf")
        self.activations: list[Activation] = []
        self.returned: dict[Function, float] = {}
        """When each function returned last, on the monotonic clock."""

    def install(self) -> None:
        """Hear of every call of this thread, and of all that `threading` starts from now on."""
        threading.setprofile(self.hook)
        self.install_here()

    def install_here(self) -> None:
        """Hear of every call of this thread."""
        sys.setprofile(self.hook)

    def record(self) -> float:
        """Begin; return the moment. What runs already counts as the loop that calls the rest."""
        self._since = time.monotonic()
        return self._since

    def hook(self, frame: FrameType, event: str, _argument: object) -> None:
        """Take one event of the profiler."""
        if event not in {"call", "return"}:
            return
        function = self._function_of(frame.f_code)
        if function is None:
            return
        stack: list[_Frame] = self._stacks.__dict__.setdefault("frames", [])
        if event == "call":
            stack.append(self._entered(frame, function, stack))
        elif stack:
            self.returned[stack.pop().function] = time.monotonic()

    def _entered(self, frame: FrameType, function: Function, stack: list[_Frame]) -> _Frame:
        now = time.monotonic()
        if request := self._request_of(frame):
            self._request.set(request)
        if now < self._since:
            return _Frame(function, now)
        below = stack[-1].activation if stack else None
        inherited = below.label if below is not None and not self._request.get() else self._request.get()
        label = self._label_of(function) or inherited
        if below is None or below.label != label:
            below = Activation(function, now, label)
            self.activations.append(below)
        below.functions.add(function)
        return _Frame(function, now, below)

    def _function_of(self, code: CodeType) -> Function | None:
        if code not in self._functions:
            self._functions[code] = _named(code)
        return self._functions[code]


def request_of(frame: FrameType) -> str:
    """Return method and path where an HTTP request meets the first function of ours, "" elsewhere."""
    if "scope" not in frame.f_code.co_varnames[: frame.f_code.co_argcount]:
        return ""
    scope = frame.f_locals["scope"]
    return f"{scope['method']} {scope['path']}" if scope.get("type") == "http" else ""


def _named(code: CodeType) -> Function | None:
    """Return a function of ours, None for any other code."""
    name = code.co_qualname.partition(".<locals>")[0]
    if not code.co_filename.startswith(_OURS) or name.startswith("<"):
        return None
    return Function(str(Path(code.co_filename).relative_to(ROOT)), name)
