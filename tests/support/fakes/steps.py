"""Records the calls of the windows, and makes them wait or fail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import AppError


@dataclass
class Steps:
    """Every call of a service is a step: `calls` notes it, `gates` may hold it, `errors` may fail it."""

    errors: dict[str, AppError] = field(default_factory=dict)
    gates: dict[str, Callable[[], object]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def step(self, name: str) -> None:
        """Note a call, wait at its gate if there is one, and fail if told so."""
        self.calls.append(name)
        gate = self.gates.get(name)  # read once: the test may remove it meanwhile
        if gate is not None:
            gate()
        error = self.errors.get(name)
        if error is not None:
            raise error


class Stepped:
    """A service of which each call is a step, under its own name or that in `names`."""

    def __init__(self, service: object, steps: Steps, names: Mapping[str, str] | None = None) -> None:
        self._service = service
        self._steps = steps
        self._names = names or {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._service, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self._steps.step(self._names.get(name, name))
            return method(*arguments, **named)

        return call
