"""A typed stream of events."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Stream(Generic[T]):
    """Passes each published event to every subscriber.

    Any thread may publish. Subscribers are called in the publishing thread, in the order in which they
    subscribed; they must return at once and must not raise.
    """

    def __init__(self) -> None:
        self._subscribers: tuple[Callable[[T], object], ...] = ()

    def subscribe(self, subscriber: Callable[[T], object]) -> None:
        """Call `subscriber` with each event from now on."""
        self._subscribers = (*self._subscribers, subscriber)

    def publish(self, event: T) -> None:
        """Pass `event` to the subscribers."""
        for subscriber in self._subscribers:
            subscriber(event)
