"""The base class of the views that add and edit an entry: the form, the documents, and saving."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.domain.entry import EntryDraft
from app.errors import AppError
from app.ui.controllers.pasting import PasteChoice, Pasting
from app.ui.desktop import Desktop
from app.ui.offers import Bills
from app.ui.tasks import Tasks
from app.ui.views.entry_columns import EntryColumns, FormCard
from app.ui.views.entry_form import EntryForm
from app.ui.views.recent_entries import RecentEntries
from app.ui.widgets.banner import Banner
from app.ui.widgets.documents_panel import DocumentsPanel
from app.ui.widgets.form_foot import FormFoot
from app.ui.widgets.keys_ahead import KeysAhead
from app.ui.widgets.paste_choice_bar import PasteChoiceBar
from app.ui.widgets.pieces import HeadRow, label
from app.ui.widgets.scroll_room import ScrollRoom

if TYPE_CHECKING:
    from app.services import Services

BEING_SAVED: Final = "The entry is being saved. Please add the bill again in a moment."


@dataclass(frozen=True, slots=True)
class ScreenWords:
    """The names and texts of a view: object name, prefix of the names in it, title, and button texts."""

    name: str
    prefix: str
    title: str
    save: str
    save_tip: str
    leave: str
    leave_name: str
    leave_tip: str


class EntryScreen(QWidget):
    """`saved` carries the result of `store`, and `open_wanted` an Attachment to open.

    `turned_away` carries a sentence about a bill that came while the entry was being saved. `save_begun` is
    emitted when the form is valid and saving begins. `recent` is shown below the form.
    """

    saved = Signal(object)
    save_begun = Signal()
    open_wanted = Signal(object)
    turned_away = Signal(str)

    def __init__(
        self,
        services: "Services",
        tasks: Tasks,
        desktop: Desktop,
        words: ScreenWords,
        parent: QWidget,
        *,
        movable: bool = True,
        recent: RecentEntries | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(words.name)
        self.setProperty("role", "canvas")
        self._services = services
        self._tasks = tasks
        self._desktop = desktop
        self._words = words
        self._saving = False
        self._typed_in: QWidget | None = None
        self._save_when_settled = False
        self.form = EntryForm(services, tasks, desktop.today, words.prefix)
        self.documents = DocumentsPanel(services, tasks, desktop, words.prefix, movable=movable)
        self.recent = recent
        self.ahead = KeysAhead(self)
        self._choice: PasteChoice | None = None
        self._lay_out()
        self.pasting = Pasting(self, services)
        self._connect()

    # defined by subclasses

    def leave(self) -> None:
        """Handle Esc and the left button."""
        raise NotImplementedError

    def store(self, draft: EntryDraft) -> Callable[[], object]:
        """Return the task that saves `draft`."""
        raise NotImplementedError

    def stored(self, result: object) -> None:
        """Handle the result of the task of `store`."""
        raise NotImplementedError

    def goal_text(self) -> str:
        """Return what a drop would do here."""
        return "Drop to attach to this entry"

    # layout

    def _lay_out(self) -> None:
        self.title = label(self._words.title, "title", f"{self._words.prefix}entry_title")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 0)
        column.setSpacing(14)
        self._head = HeadRow(self.title)
        column.addLayout(self._head)
        self._page = ScrollRoom(EntryColumns(self._card(), self.documents, self.recent))
        column.addWidget(self._page, 1)

    def _card(self) -> FormCard:
        words = self._words
        self.banner = Banner(f"{words.prefix}entry_banner")
        self.choice_bar = PasteChoiceBar(f"{words.prefix}paste_choice")
        foot = self.foot = FormFoot(words.prefix, (words.leave, words.leave_name), words.save)
        self.saved_label, self.draft_label = foot.saved_label, foot.draft_label
        self.leave_button, self.save_button = foot.leave_button, foot.save_button
        self.leave_button.setToolTip(words.leave_tip)
        self.save_button.setToolTip(words.save_tip)
        inner = QWidget()
        fields = QVBoxLayout(inner)
        fields.setContentsMargins(24, 4, 24, 4)
        fields.setSpacing(16)
        fields.addWidget(self.form)
        fields.addWidget(self.choice_bar)
        fields.addWidget(self.banner)
        fields.addStretch(1)
        return FormCard(inner, foot, f"{words.prefix}entry_card")

    def _connect(self) -> None:
        self.save_button.clicked.connect(self.save)
        self.leave_button.clicked.connect(self.leave)
        self.documents.settled.connect(self._settled)
        self.documents.open_wanted.connect(self.open_wanted)
        self.form.changed.connect(self._typed)
        self.form.finished.connect(self.save)
        self.pasting.pasted.connect(self.take)
        self.pasting.refused.connect(self.refuse)
        self.pasting.choice_wanted.connect(self._ask_choice)
        self.choice_bar.text_wanted.connect(self._text_chosen)
        self.choice_bar.picture_wanted.connect(self._picture_chosen)
        self.choice_bar.closed.connect(self._close_choice)
        for keys, action in (
            ("Esc", self.leave),
            ("Ctrl+O", self.documents.browse),
            ("Ctrl+Shift+C", self.documents.photograph),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)

    def free_room(self) -> QRect:
        """Return the free space in the head, where a toast hides nothing."""
        return self._head.free_room()

    def say(self, what: QWidget, text: str) -> None:
        """Show `text` in one of the two labels at the foot, and empty the other."""
        self.foot.say(what, text)

    def begin(self) -> None:
        """Set the focus to the first field that is usually typed."""
        self.form.amount.setFocus(Qt.FocusReason.OtherFocusReason)
        self._page.verticalScrollBar().setValue(0)

    # keys and the clipboard

    def take(self, bills: Bills) -> None:
        """Attach what was dropped or pasted."""
        self._close_choice()
        if self.documents.taking:
            self.documents.add_bills(bills)
        else:
            bills.close()
            self.turned_away.emit(BEING_SAVED)

    def refuse(self, sentence: str) -> None:
        """Say why something cannot be attached."""
        self._close_choice()
        self.documents.refusal.say(sentence, "warn")

    def _ask_choice(self, choice: PasteChoice) -> None:
        self._close_choice()
        self.documents.refusal.hide()
        self._choice = choice
        self.choice_bar.ask()

    def _close_choice(self) -> None:
        """Forget the question, and give the focus back to the field."""
        choice, self._choice = self._choice, None
        if choice is not None and self.choice_bar.isAncestorOf(self.focusWidget() or self):
            choice.editor.setFocus(Qt.FocusReason.PopupFocusReason)
        self.choice_bar.hide()

    def _text_chosen(self) -> None:
        choice = self._choice
        self._close_choice()
        if choice is not None:
            choice.paste_text()

    def _picture_chosen(self) -> None:
        choice = self._choice
        self._close_choice()
        if choice is not None:
            self.take(choice.bills)

    # saving

    def save(self) -> None:
        """Save the entry, after its description was looked up, and after the bills that are being read."""
        if self._saving or self._save_when_settled:
            return
        if self.form.completing.complete(self._completed):
            self._saving = True
            self._show_saving(True, "Saving…")
            return
        draft = self.form.draft()
        self.say(self.saved_label, "")  # “Saved” does not stay beside an error
        if draft is None:
            return
        self.save_begun.emit()
        if self.documents.attaching:
            self._save_when_settled = True
            self._show_saving(True, "Waiting for the bills…")
        else:
            self._start_save(draft)

    def _completed(self) -> None:
        self._saving = False
        self._show_saving(False)
        self.save()
        if not self._saving and not self._save_when_settled:
            self._tell_keys_ahead()

    def _settled(self) -> None:
        if not self._save_when_settled:
            return
        self._save_when_settled = False
        self._show_saving(False)
        if not self.documents.refusal.text():  # if a bill was refused, the user decides whether to save
            self.save()
        else:
            self._tell_keys_ahead()

    def _start_save(self, draft: EntryDraft) -> None:
        whole = replace(draft, attachments=self.documents.attachments())
        self._saving = True
        self._show_saving(True, "Saving…")
        self._tasks.run(self.store(whole), self._done, self._failed, owner=self, local=True)

    def _show_saving(self, saving: bool, text: str = "") -> None:
        if saving:
            self._close_choice()
            self._typed_in = self.focusWidget()
            self.ahead.begin()
        self.save_button.setText(text or self._words.save)
        self.save_button.setEnabled(not saving)
        self.form.setEnabled(not saving)
        self.documents.set_taking(not saving)
        if not saving:
            self.ahead.end()
        if not saving and self._typed_in is not None and self.isAncestorOf(self._typed_in):
            # Disabling the form took the focus away. Without it, Ctrl+Enter could not retry the save.
            self._typed_in.setFocus(Qt.FocusReason.OtherFocusReason)
            self._typed_in = None

    def _done(self, result: object) -> None:
        self._saving = False
        self._show_saving(False)
        self.stored(result)
        self.saved.emit(result)

    def _failed(self, error: AppError) -> None:
        self._saving = False
        self._show_saving(False)
        rest = self.form.show_errors(error.fields)
        if rest or not error.fields:
            self.banner.say(" ".join(rest.values()) or error.message, "danger")
        self._tell_keys_ahead()

    def _tell_keys_ahead(self) -> None:
        """Handle that the keys pressed ahead wait, because nothing was saved."""
        self.ahead.forget()  # an edit has no next entry

    def stop_saving(self) -> None:
        """Cancel a save that waits for bills, or for a completion."""
        self.form.completing.cancel()
        self.ahead.forget()
        self._save_when_settled = self._saving = False
        self._show_saving(False)

    def clear(self, *, keep_date: bool = False) -> None:
        """Empty the form without asking."""
        self._close_choice()
        self.form.clear(keep_date=keep_date)
        self.documents.clear()
        self.banner.hide()
        self.say(self.saved_label, "")
        self._begin_again()

    def _begin_again(self) -> None:
        if self.isVisible():
            self.begin()

    def _typed(self) -> None:
        self.banner.hide()
