"""The field for a category. It uses the spelling that the book has already."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QFocusEvent

from app.domain.entry import Suggestion
from app.domain.suggestions import search_key
from app.domain.text import clean_text, isolated
from app.ui.widgets.suggest_field import PASSING, SuggestField


class CategoryField(SuggestField):
    """A text that differs from a known category only by case or accents is replaced when the field is left.

    A text that is typed again after that stays. `entered` is emitted when the field gets the focus, and
    `unknown` carries a text, when the field is left, that no known category has the key of. `hinted` carries
    a sentence about a replacement; "" removes it.
    """

    entered = Signal()
    unknown = Signal(str)
    hinted = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._known: dict[str, str] = {}  # the spelling of each search key
        self._edited = False
        self._typed_twice: set[str] = set()  # texts that were replaced once, and the picked ones
        self._shown = ""
        self.textEdited.connect(self._note_edit)
        self.chosen.connect(lambda suggestion: self._typed_twice.add(suggestion.text))

    def show_text(self, text: str) -> None:
        """Set a text that is used as it is, until it is edited."""
        self.setText(text)
        self._edited, self._shown = False, text
        self._typed_twice.clear()

    def forget(self) -> None:
        """Empty the field and remove the completions."""
        super().forget()
        self.show_text("")
        self.hinted.emit("")

    def learn(self, known: Iterable[Suggestion]) -> None:
        """Note spellings of the book. A spelling that is known already is replaced."""
        self._known.update((search_key(each.text), each.text) for each in known)

    def offer(self, asked_for: str, suggestions: Sequence[Suggestion]) -> None:
        """Show completions, as any such field, and note their spellings."""
        self.learn(suggestions)
        super().offer(asked_for, suggestions)

    def settle(self) -> None:
        """Replace the text by the known spelling of the same category, if it was typed for the first time."""
        typed = clean_text(self.text())
        known = self._known.get(search_key(typed), typed)
        if known == typed or typed in self._typed_twice or not self._edited:
            return
        if search_key(typed) == search_key(self._shown):  # of an entry whose spelling is being changed
            return
        self._typed_twice.add(typed)
        self.selectAll()
        self.insert(known)  # unlike `setText`, it can be undone with Ctrl+Z
        self.stop_suggesting()
        self.hinted.emit(f"{isolated(known)}, as before")

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Ask for the known spellings. Those of before may be of another book."""
        super().focusInEvent(event)
        if event.reason() not in PASSING:
            self._known.clear()
            self.entered.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Use the known spelling, unless only the window lost the focus."""
        super().focusOutEvent(event)
        if event.reason() in PASSING:
            return
        self.settle()
        if self._edited and search_key(self.text()) not in self._known:
            self.unknown.emit(self.text())

    def _note_edit(self, _text: str) -> None:
        self._edited = True
        self.hinted.emit("")
