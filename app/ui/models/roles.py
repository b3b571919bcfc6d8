"""The roles under which a model of entries gives what a delegate paints."""

from typing import Final

from PySide6.QtCore import Qt

ENTRY_ROLE: Final = Qt.ItemDataRole.UserRole + 1
MARK_ROLE: Final = Qt.ItemDataRole.UserRole + 2
