"""A form field: the label and a hint, the editor below them, and the error below the editor."""

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.widgets.pieces import label, set_look


class Field(QWidget):
    """Wraps `editor`. `set_error("")` removes the error."""

    def __init__(self, text: str, editor: QWidget, focus: QWidget | None = None) -> None:
        super().__init__()
        self.editor = editor
        self.focus_target = focus or editor
        name = editor.objectName()
        self.label = label(text, "label")
        self.hint = label("", "small", f"{name}_hint")
        self.error = label("", "error", f"{name}_error", wrap=True)
        self.error.hide()
        self._lay_out()
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

    @property
    def error_text(self) -> str:
        """Return the error; "" if there is none."""
        return self.error.text()

    def set_error(self, sentence: str) -> None:
        """Show an error under the editor, also to screen readers."""
        self.error.setText(sentence)
        self.error.setVisible(bool(sentence))
        self.focus_target.setAccessibleDescription(sentence)
        set_look(self.focus_target, "invalid", "true" if sentence else "")
