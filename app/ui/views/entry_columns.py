"""Where the parts of a form's page are: the form, the bills beside or below it, and a list below both."""

from typing import Final

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.ui.views.recent_entries import RecentEntries
from app.ui.widgets.scroll_room import ScrollRoom

_ACROSS: Final = 16
_DOWN: Final = 12
"""The gaps between the parts."""
_FOOT: Final = 10
"""The margin below the parts: inside, so that what scrolls is cut by the edge of the window."""
_ROOM_FOR_BOTH: Final = 610
"""The width from which on the bills are beside the form."""
_ROOM_FOR_LIST: Final = 560
"""The width of the form from which on the list has room below it alone."""
_WIDEST_FORM: Final = 760
_WIDEST_BILLS: Final = 600
"""On a larger screen, the fields and the buttons would be far from each other."""
_HIGH: Final = 520
"""The height of the bills without a list; that of the form would leave little room for them."""
_SHELF: Final = 180
"""The height of one row of bills, which are below the form."""
_Placed = dict[QWidget, QRect]


class FormCard(QFrame):
    """The fields, which scroll if there is no room for them, and the buttons below, which stay in sight."""

    def __init__(self, fields: QWidget, foot: QWidget, name: str) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setObjectName(name)
        self._fields, self._foot = fields, foot
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 16, 0, 20)
        self._column.setSpacing(12)
        self._column.addWidget(ScrollRoom(fields), 1)
        self._column.addWidget(foot)

    def height_at(self, width: int) -> int:
        """Return the height at which nothing scrolls."""
        margins, border = self._column.contentsMargins(), self.contentsMargins()
        around = margins.top() + self._column.spacing() + margins.bottom() + border.top() + border.bottom()
        return around + _height_at(self._fields, width) + _height_at(self._foot, width)


class EntryColumns(QWidget):
    """Arranges the parts in the width and the height of the scroll area that shows this.

    It is higher than that only if the list has too little room, or if the parts are below each other. The
    form is never lower than its fields need, or than the scroll area is.
    """

    def __init__(self, card: FormCard, bills: QWidget, recent: RecentEntries | None) -> None:
        super().__init__()
        self._card, self._panel, self._recent = card, bills, recent
        self._bills = ScrollRoom(bills)
        for part in (self._card, self._bills, *([recent] if recent else [])):
            part.setParent(self)

    def minimumSizeHint(self) -> QSize:
        """Return the width of the wider part: `arrange` can put them below each other."""
        parts = (self._card, self._bills)
        return QSize(max(part.minimumSizeHint().width() for part in parts), 0)

    def sizeHint(self) -> QSize:
        """Return the size that is arranged now."""
        return QSize(self.minimumSizeHint().width(), self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the parts."""
        super().resizeEvent(event)
        self.arrange()

    def event(self, event: QEvent) -> bool:
        """Arrange the parts when one of them needs another size."""
        handled = super().event(event)
        if event.type() is QEvent.Type.LayoutRequest:
            self.arrange()
        return handled

    def arrange(self) -> None:
        """Set the place of each part."""
        around = self.parentWidget()
        room = (around.height() if around is not None else self.height()) - _FOOT
        is_wide = self.width() >= _ROOM_FOR_BOTH
        placed = self._side_by_side(self.width(), room) if is_wide else self._below(self.width(), room)
        self.setMinimumHeight(max(rect.bottom() + 1 for rect in placed.values()) + _FOOT)
        for part, rect in placed.items():
            part.setGeometry(rect)

    def _side_by_side(self, width: int, room: int) -> _Placed:
        left = min(_WIDEST_FORM, (width - _ACROSS) * 3 // 5)
        right = min(_WIDEST_BILLS, width - _ACROSS - left)
        high = min(self._card.height_at(left), room)
        if self._recent is None:
            high = max(high, self._card.minimumSizeHint().height())
            bills = max(high, min(room, _HIGH))
            return {self._card: QRect(0, 0, left, high), self._bills: QRect(left + _ACROSS, 0, right, bills)}
        is_narrow = left < _ROOM_FOR_LIST
        bills = max(high, self._panel.minimumSizeHint().height())
        top = (bills if is_narrow else high) + _DOWN
        below = QRect(0, top, left + (_ACROSS + right if is_narrow else 0), 0)
        below.setHeight(self._list_height(room - top))
        bills = bills if is_narrow else below.bottom() + 1
        return {
            self._card: QRect(0, 0, left, high),
            self._bills: QRect(left + _ACROSS, 0, right, bills),
            self._recent: below,
        }

    def _below(self, width: int, room: int) -> _Placed:
        card = QRect(0, 0, width, min(self._card.height_at(width), room))
        high = self._bills.sizeHint().height() + _SHELF
        bills = QRect(0, card.bottom() + 1 + _DOWN, width, high)
        placed: _Placed = {self._card: card, self._bills: bills}
        if self._recent is not None:
            top = bills.bottom() + 1 + _DOWN
            placed[self._recent] = QRect(0, top, width, self._recent.whole_height())
        return placed

    def _list_height(self, room: int) -> int:
        """Return the height of the list in `room`. If that is too little, the page scrolls, not the list."""
        assert self._recent is not None
        most = self._recent.whole_height()
        return min(room, most) if room >= self._recent.least_height() else most


def _height_at(part: QWidget, width: int) -> int:
    return part.heightForWidth(width) if part.hasHeightForWidth() else part.sizeHint().height()
