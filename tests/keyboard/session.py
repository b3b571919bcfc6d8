"""The session: first start, ten entries, search, edit, cross out, undo, export, sign out, in again."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from app.ui.main_window import MainWindow
from app.ui.models.columns import Column
from tests.support.keyboard_hands import CTRL, KeyboardHands

_ENTER: Final = Qt.Key.Key_Return
_ENTRIES: Final = (
    ("1250", False, "Travel", "Taxi to client site"),
    ("8999", False, "Office", "Printer paper and toner"),
    ("1234567", True, "Sales", "Invoice 42, Meera Textiles"),
    ("640.50", False, "Travel", "Taxi to client site"),
    ("185", False, "Meals", "Tea and biscuits"),
    ("2400", False, "Stock", "Two kettles"),
    ("185", False, "Meals", "Tea and biscuits"),
    ("35000", False, "Rent", "Shop rent"),
    ("48250", True, "Sales", "Counter sale"),
    ("48100", True, "Sales", "Counter sale"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the session: what it is, the keys it took, and the seconds until the program was done."""

    name: str
    keys: int
    seconds: float


@dataclass(slots=True)
class Session:
    """Uses one window. `csv` is where the export goes."""

    window: MainWindow
    csv: Path
    parts: list[Part] = field(default_factory=list)
    hands: KeyboardHands = field(init=False)

    def __post_init__(self) -> None:
        self.hands = KeyboardHands(self.window)

    def run(self) -> None:
        """Do every part. Raises HandsError."""
        self._part("first start", self._start)
        self._part("ten entries", self._add_entries)
        self._part("search", self._search)
        self._part("edit", self._edit)
        self._part("cross out", self._cross_out)
        self._part("undo", self._undo)
        self._part("export", self._export)
        self._part("sign out", self._sign_out)
        self._part("in again", self._sign_in_again)

    def _part(self, name: str, do: Callable[[], None]) -> None:
        keys, began = self.hands.keys, time.monotonic()
        do()
        self.parts.append(Part(name, self.hands.keys - keys, time.monotonic() - began))

    def _start(self) -> None:
        self._wait_button("submit_button", "Start")
        self.hands.press(_ENTER)
        self.hands.wait("the book", lambda: self.hands.focused() == "amount_field")

    def _wait_button(self, name: str, text: str) -> None:
        def is_shown() -> bool:
            button = self.hands.see(name)
            return isinstance(button, QAbstractButton) and button.text() == text and button.isEnabled()

        self.hands.wait(f"the button {text}", is_shown)

    def _add_entries(self) -> None:
        known: set[str] = set()
        for amount, credit, category, description in _ENTRIES:
            self._add(amount, credit, category, description, repeated=description in known)
            known.add(description)

    def _add(self, amount: str, credit: bool, category: str, description: str, *, repeated: bool) -> None:
        hands, form = self.hands, self.window.entry.form
        hands.type(amount)
        hands.press(Qt.Key.Key_Tab)
        if credit and not repeated:
            hands.type("c")
        hands.press(Qt.Key.Key_Tab)
        if not repeated:
            hands.type(category)
        hands.press(Qt.Key.Key_Tab)
        if repeated:
            hands.choose(form.description, description)
        else:
            hands.type(description)
        hands.press(_ENTER)
        self._wait_toast("Saved")
        hands.wait("the next entry", lambda: hands.focused() == "amount_field" and not form.typed)

    def _wait_toast(self, beginning: str) -> None:
        before = self.window.book.toast
        self.hands.wait(f"“{beginning}”", lambda: before.text().startswith(beginning))

    def _rows(self) -> list[str]:
        model = self.window.listing.model
        rows = [model.index(row, Column.DESCRIPTION).data() for row in range(model.rowCount())]
        return [str(text) for text in rows]

    def _search(self) -> None:
        self.hands.press(Qt.Key.Key_F, modifier=CTRL)
        self.hands.type("kettles")
        self.hands.wait("one entry", lambda: self._rows() == ["Two kettles"])
        self.hands.press(Qt.Key.Key_Down)
        self.hands.wait("the list", lambda: self.hands.focused() == "entry_table")

    def _edit(self) -> None:
        self.hands.press(_ENTER)
        self.hands.wait("the form", lambda: self.hands.focused() == "edit_amount_field")
        self.hands.type("2600")
        self.hands.press(Qt.Key.Key_S, modifier=CTRL)
        self._wait_toast("Changed")
        amount = self.window.listing.model.index(0, Column.AMOUNT)
        self.hands.wait("the new amount", lambda: "2,600" in str(amount.data()))

    def _cross_out(self) -> None:
        self.hands.press(Qt.Key.Key_F, modifier=CTRL)
        self.hands.press(Qt.Key.Key_Delete)
        self.hands.wait("all entries", lambda: len(self._rows()) == len(_ENTRIES))
        self.hands.press(Qt.Key.Key_Down, Qt.Key.Key_End, Qt.Key.Key_Delete)
        self.hands.wait("one entry less", lambda: len(self._rows()) == len(_ENTRIES) - 1)

    def _undo(self) -> None:
        self.hands.press(Qt.Key.Key_Z, modifier=CTRL)
        self._wait_toast("Undone")
        self.hands.wait("all entries", lambda: len(self._rows()) == len(_ENTRIES))

    def _export(self) -> None:
        self.hands.wait("everything sent", lambda: self.window.sidebar.badge.isHidden())
        self.hands.press(Qt.Key.Key_E, modifier=CTRL)
        self.hands.wait("the findings", lambda: self._is_ready("export_start"))
        self.hands.press(_ENTER)
        self.hands.wait("the file", lambda: self._is_ready("export_done"))
        self.hands.wait("the file", self.csv.exists)
        self.hands.tab_to("export_done")
        self.hands.press(_ENTER)
        self.hands.wait("the dialog to close", lambda: self.hands.see("export_dialog") is None)

    def _is_ready(self, name: str) -> bool:
        button = self.hands.see(name)
        return button is not None and button.isEnabled()

    def _sign_out(self) -> None:
        self.hands.tab_to("sign_out_button", back=True)
        self.hands.press(_ENTER)
        self._wait_button("submit_button", "Open")

    def _sign_in_again(self) -> None:
        self.hands.press(_ENTER)
        self.hands.wait("the book", lambda: self.hands.focused() == "amount_field")
        self.hands.wait("all entries", lambda: len(self._rows()) == len(_ENTRIES))
