"""A page that is made at its first use, because to make every page delays the first key."""

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtWidgets import QStackedWidget, QWidget

_Page = TypeVar("_Page", bound=QWidget)


class LazyPage(Generic[_Page]):
    """One page of `stack`. `make` gets the stack, which is the parent of the page from the start.

    Whoever asks a page that was never made for its state uses `if_made` or `made`, and does not make it.
    """

    def __init__(self, stack: QStackedWidget, make: Callable[[QWidget], _Page]) -> None:
        self._stack = stack
        self._make = make
        self._then: list[Callable[[_Page], object]] = []
        self.made: _Page | None = None
        """The page; None if it is not made yet."""

    def get(self) -> _Page:
        """Return the page. Make it, if this is its first use."""
        if self.made is None:
            self.made = page = self._make(self._stack)
            self._stack.addWidget(page)
            for call in self._then:
                call(page)
            self._then.clear()
        return self.made

    def when_made(self, call: Callable[[_Page], object]) -> None:
        """Call `call` with the page: at once, or as soon as it is made. The calls keep their order."""
        if self.made is None:
            self._then.append(call)
        else:
            call(self.made)

    def if_made(self, call: Callable[[_Page], object]) -> None:
        """Call `call` with the page, if it is made."""
        if self.made is not None:
            call(self.made)
