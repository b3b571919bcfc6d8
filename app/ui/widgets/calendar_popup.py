"""The calendar under a date field."""

from datetime import date
from typing import Final

from PySide6.QtCore import QCoreApplication, QDate, QEvent, QLocale, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QTextCharFormat
from PySide6.QtWidgets import QApplication, QCalendarWidget, QFrame, QLineEdit, QToolButton, QVBoxLayout

from app.domain.dates import date_limits
from app.ui.icons import put_icon
from app.ui.theme import colour

_LOCALE = QLocale(QLocale.Language.English, QLocale.Country.India)
"""The language of all texts. Numbers are grouped by `app/domain/money.py`, not by a locale."""


_GAP: Final = 4


class CalendarPopup(QFrame):
    """`picked` carries the date that was clicked, or chosen with Enter. A click elsewhere closes the calendar
    and acts there.
    """

    picked = Signal(object)

    def __init__(self, field: QLineEdit, shown: date, today: date) -> None:
        super().__init__(field, Qt.WindowType.Popup)
        self._field = field
        self.setProperty("role", "calendar")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._picker = picker = QCalendarWidget()
        picker.setObjectName(f"{field.objectName()}_month")
        picker.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        picker.setLocale(_LOCALE)
        picker.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
        picker.setDateRange(*(_q_date(day) for day in date_limits(today)))
        picker.setSelectedDate(_q_date(shown))
        _style(picker)
        QVBoxLayout(self).addWidget(picker)
        picker.clicked.connect(self._pick)
        picker.activated.connect(self._pick)

    def open(self) -> None:
        """Show the calendar under its field; above it if there is no room on the screen."""
        self.adjustSize()
        room = self._field.screen().availableGeometry()
        below = self._field.mapToGlobal(QPoint(0, self._field.height() + _GAP))
        above = self._field.mapToGlobal(QPoint(0, -self.height() - _GAP))
        fits = below.y() + self.height() <= room.bottom() or above.y() < room.top()
        corner = below if fits else above
        self.move(max(room.left(), min(corner.x(), room.right() - self.width())), corner.y())
        self.show()
        self._picker.setFocus()

    def _pick(self, day: QDate) -> None:
        self.close()
        self.picked.emit(date(day.year(), day.month(), day.day()))

    def event(self, event: QEvent) -> bool:
        """Keep Esc for the calendar. It would also clear the form under it."""
        is_shortcut = event.type() is QEvent.Type.ShortcutOverride
        if is_shortcut and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close the calendar if the press is outside, and click there. Qt would drop the press."""
        super().mousePressEvent(event)
        if self.rect().contains(event.position().toPoint()):
            return
        self.close()
        if event.button() is Qt.MouseButton.LeftButton:
            at, keys, field = event.globalPosition(), event.modifiers(), self._field
            QTimer.singleShot(0, field, lambda: _click(field, at, keys))


def _click(field: QLineEdit, at: QPointF, keys: Qt.KeyboardModifier) -> None:
    """Press and release the left button at a point of the screen.

    The system sends the release to the window that had the press, which was the calendar.
    """
    target = QApplication.widgetAt(at.toPoint())
    window = target.window().windowHandle() if target is not None else None
    if target is None or window is None or (target is not field and field.isAncestorOf(target)):
        return  # the field's own button has closed the calendar, and shall not open it again
    target.activateWindow()
    here, left, none = window.mapFromGlobal(at), Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    for kind, pressed in ((QEvent.Type.MouseButtonPress, left), (QEvent.Type.MouseButtonRelease, none)):
        QCoreApplication.sendEvent(window, QMouseEvent(kind, here, at, left, pressed, keys))


def _q_date(day: date) -> QDate:
    return QDate(day.year, day.month, day.day)


def _style(picker: QCalendarWidget) -> None:
    """Set the theme's colours and arrows. Qt would paint weekends red."""
    words = QTextCharFormat()
    words.setForeground(colour("text_muted"))
    picker.setHeaderTextFormat(words)
    for day in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):  # muted, they would look like another month's
        picker.setWeekdayTextFormat(day, QTextCharFormat())
    for name, arrow in (("prevmonth", "chevron-left"), ("nextmonth", "chevron-right")):
        button = picker.findChild(QToolButton, f"qt_calendar_{name}")
        if isinstance(button, QToolButton):
            put_icon(button, arrow)
