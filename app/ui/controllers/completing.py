"""Fills in the category and the direction that the book has for a description."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer

from app.domain.entry import Direction, Suggestion
from app.domain.form_draft import FormDraft
from app.domain.suggestions import search_key
from app.domain.text import is_blank
from app.errors import AppError
from app.ui.tasks import Tasks
from app.ui.widgets.category_field import CategoryField
from app.ui.widgets.segment import Segment
from app.ui.widgets.suggest_field import SuggestField

if TYPE_CHECKING:
    from app.services import Services

_LONGEST_WAIT_MS: Final = 1_000
"""How long a save waits for the answer of a server."""


class Completing(QObject):
    """Acts when a completion is chosen, and when a description that was typed in full is left.

    What the user has set by hand is not changed.
    """

    def __init__(
        self,
        services: "Services",
        tasks: Tasks,
        description: SuggestField,
        category: CategoryField,
        direction: Segment,
    ) -> None:
        super().__init__(description)
        self._services, self._tasks = services, tasks
        self._description, self._category, self._direction = description, category, direction
        self._category_by_hand = self._direction_by_hand = False
        self._is_new = False  # the description was typed, and not looked up since
        self._then: Callable[[], None] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LONGEST_WAIT_MS)
        self._timer.timeout.connect(self._finish)
        category.textEdited.connect(self._category_edited)
        category.chosen.connect(self._category_edited)
        direction.picked.connect(self._direction_picked)
        description.textEdited.connect(self._description_edited)
        description.chosen.connect(self._take)
        description.left.connect(self._left)

    def forget(self) -> None:
        """Start anew, because the form is empty."""
        self.follow(FormDraft())

    def follow(self, written: FormDraft) -> None:
        """Take what the form shows now as set by hand, unless it is what an empty form has."""
        self.cancel()
        self._is_new = False
        self._category_by_hand = not is_blank(written.category)
        self._direction_by_hand = self._category_by_hand or written.direction == Direction.CREDIT

    def cancel(self) -> None:
        """Do not call what was passed to `complete`."""
        self._then = None
        self._timer.stop()

    def complete(self, then: Callable[[], None]) -> bool:
        """Look up a description that was just typed, and call `then`. Return False if there is no need.

        There is a need only while the category is empty: a save would fail. It never changes a direction
        beside a category that the user has typed, because nobody would see it.
        """
        lacks = is_blank(self._category.text()) and not is_blank(self._description.text())
        if not (self._is_new and lacks):
            return False
        self._then = then
        self._timer.start()
        self._look_up()
        return True

    def _left(self) -> None:
        if self._is_new and self._then is None and not is_blank(self._description.text()):
            self._look_up()

    def _look_up(self) -> None:
        text = self._description.text()
        self._tasks.run(
            partial(self._services.entries.suggest_descriptions, text),
            partial(self._found, text),
            self._failed,
            owner=self,
            topic="complete",
        )

    def _found(self, text: str, suggestions: Sequence[Suggestion]) -> None:
        match = next((each for each in suggestions if search_key(each.text) == search_key(text)), None)
        if self._is_new and text == self._description.text():
            self._is_new = False
            if match is not None:
                self._take(match)
        self._finish()

    def _failed(self, _error: AppError) -> None:
        self._finish()  # a completion is no more than a help

    def _finish(self) -> None:
        then = self._then
        self.cancel()
        if then is not None:
            self._is_new = False
            then()

    def _take(self, suggestion: Suggestion) -> None:
        self._is_new = False
        if suggestion.category and not self._category_by_hand:
            self._category.setText(suggestion.category)
        if suggestion.direction is not None and not self._direction_by_hand:
            self._direction.set_value(suggestion.direction.value)

    def _category_edited(self, _what: object) -> None:
        self._category_by_hand = bool(self._category.text())

    def _direction_picked(self, _value: str) -> None:
        self._direction_by_hand = True

    def _description_edited(self, _text: str) -> None:
        self._is_new = True
