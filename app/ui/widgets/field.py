"""A form field: the label and a hint, the editor below them, and the error below the editor."""

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.domain.bounds import LONGEST_TYPED, length_error
from app.domain.text import clean_text
from app.ui.widgets.pieces import label, set_look


class Field(QWidget):
    """Wraps `editor`. An error is shown until `set_error("")`, or until the text is changed."""

    def __init__(self, text: str, editor: QWidget, focus: QWidget | None = None) -> None:
        super().__init__()
        self.editor = editor
        self.focus_target = focus or editor
        name = editor.objectName()
        self.label = label(text, "label")
        self.hint = label("", "small", f"{name}_hint")
        self.error = label("", "error", f"{name}_error", wrap=True)
        self.error.hide()
        self._judged = ""  # the text that the error is about
        self.length_error = ""
        """The error of a text that is too long, as long as it is too long."""
        self._lay_out()
        if isinstance(self.focus_target, QLineEdit):
            self.focus_target.textChanged.connect(self._text_changed)
        self.label.setBuddy(self.focus_target)
        if not self.focus_target.accessibleName():
            self.focus_target.setAccessibleName(text)

    def _lay_out(self) -> None:
        above = QHBoxLayout()
        above.addWidget(self.label)
        above.addStretch(1)
        above.addWidget(self.hint)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addLayout(above)
        column.addWidget(self.editor)
        column.addWidget(self.error)
        column.addStretch(1)  # editors side by side stay aligned if only one of them has an error

    def limit(self, length: int, stored: Callable[[str], str] = clean_text) -> "Field":
        """Show an error as long as the text is longer than `length` characters. Return this field.

        The text is not cut, so that nothing of a long paste is lost. `stored` returns the form of the text
        that is counted.
        """
        editor = self.focus_target
        assert isinstance(editor, QLineEdit)
        editor.setMaxLength(LONGEST_TYPED)
        editor.textChanged.connect(lambda text: self._check_length(length_error(text, length, stored)))
        return self

    def _check_length(self, error: str) -> None:
        before, self.length_error = self.length_error, error
        if error or before:
            self.set_error(error)

    def _text_changed(self, text: str) -> None:
        if text != self._judged:
            self.clear_error()

    def clear_error(self) -> None:
        """Remove the error, unless the text is too long."""
        self.set_error(self.length_error)

    @property
    def error_text(self) -> str:
        """Return the error; "" if there is none."""
        return self.error.text()

    def set_error(self, sentence: str) -> None:
        """Show an error under the editor, also to screen readers."""
        if isinstance(self.focus_target, QLineEdit):
            self._judged = self.focus_target.text()
        self.error.setText(sentence)
        self.error.setVisible(bool(sentence))
        self.focus_target.setAccessibleDescription(sentence)
        set_look(self.focus_target, "invalid", "true" if sentence else "")
