"""The Add Entry screen: the form, its documents, and saving into this computer's outbox."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QImage, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from app.domain.entry import EntryDraft, ListedEntry
from app.domain.money import format_amount
from app.errors import AppError
from app.ui.desktop import Desktop
from app.ui.tasks import Tasks
from app.ui.views.entry_form import EntryForm
from app.ui.widgets.banner import Banner
from app.ui.widgets.documents_panel import DocumentsPanel
from app.ui.widgets.pieces import button, frame, label

if TYPE_CHECKING:
    from app.services import Services


class EntryView(QWidget):
    """`saved` carries the ListedEntry; `open_wanted` a pinned Attachment to look at."""

    saved = Signal(object)
    open_wanted = Signal(object)

    def __init__(self, services: "Services", tasks: Tasks, desktop: Desktop) -> None:
        super().__init__()
        self.setObjectName("entry_view")
        self.setProperty("role", "canvas")
        self._services = services
        self._tasks = tasks
        self._desktop = desktop
        self._saving = False
        self._save_when_settled = False
        self.form = EntryForm(services, tasks, desktop.today)
        self.documents = DocumentsPanel(services, tasks, desktop)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 24)
        column.setSpacing(14)
        column.addWidget(label("Add entry", "title"))
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self._card(), 3)
        row.addWidget(self.documents, 2)
        column.addLayout(row, 1)

    def _card(self) -> QWidget:
        self.banner = Banner("entry_banner")
        self.saved_label = label("", "good", "saved_label", wrap=True)
        self.clear_button = button("Clear", "clear_button")
        self.save_button = button("Save entry", "save_button", "primary", "check", "on_accent")
        self.clear_button.setToolTip("Empty the form (Esc)")
        self.save_button.setToolTip("Save and start the next (Ctrl+Enter)")
        self.saved_label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        foot = QHBoxLayout()
        foot.setSpacing(10)
        foot.addWidget(self.saved_label, 1)
        foot.addWidget(self.clear_button)
        foot.addWidget(self.save_button)
        column = QVBoxLayout()
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(16)
        column.addWidget(self.form)
        column.addWidget(self.banner)
        column.addStretch(1)
        column.addLayout(foot)
        return frame("card", column, "entry_card")

    def _connect(self) -> None:
        self.save_button.clicked.connect(self.save)
        self.clear_button.clicked.connect(self.ask_clear)
        self.documents.settled.connect(self._settled)
        self.documents.open_wanted.connect(self.open_wanted)
        self.form.changed.connect(self._typed)
        for keys, action in (
            ("Ctrl+Return", self.save),
            ("Ctrl+Enter", self.save),
            ("Esc", self.ask_clear),
            ("Ctrl+O", self.documents.browse),
            ("Ctrl+V", self.paste),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)
        for editor in self.findChildren(QLineEdit):
            editor.installEventFilter(self)

    @property
    def dirty(self) -> bool:
        """Say whether clearing would lose something."""
        return self.form.typed or not self.documents.empty

    def begin(self) -> None:
        """Put the cursor where typing starts."""
        self.form.amount.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Paste a picture or files even while a text field has the focus, if there is no text to paste."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            wants_paste = event.matches(QKeySequence.StandardKey.Paste)
            if wants_paste and not QGuiApplication.clipboard().mimeData().hasText():
                self.paste()
                return True
        return super().eventFilter(watched, event)

    def paste(self) -> None:
        """Pin what the clipboard holds: files, or a picture."""
        if not self.take(QGuiApplication.clipboard().mimeData()):
            self.documents.refusal.say("There is no picture or file in the clipboard.", "warn")

    def take(self, data: QMimeData) -> bool:
        """Pin what was dropped or pasted; False if there is neither a file nor a picture in it."""
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if paths:
            self.documents.add_files(paths)
            return True
        image = data.imageData() if data.hasImage() else None
        if isinstance(image, QImage) and not image.isNull():
            self.documents.add_image(image)
            return True
        return False

    def ask_clear(self) -> None:
        """Empty the form; asks first if something would be lost."""
        if self._saving:
            return
        question = "Clear this entry?"
        explanation = "What you typed and pinned here is not saved."
        if not self.dirty or self._desktop.confirm(self, question, explanation, "Clear"):
            self._save_when_settled = False
            self._show_saving(False)
            self._clear(keep_date=False)

    def reset(self) -> None:
        """Empty the form without asking, as when the book is closed."""
        self._save_when_settled = self._saving = False
        self._show_saving(False)
        self._clear(keep_date=False)

    def save(self) -> None:
        """Save what is typed; waits for bills that are still being read."""
        if self._saving or self._save_when_settled:
            return
        draft = self.form.draft()
        if draft is None:
            return
        self.saved_label.setText("")
        if self.documents.attaching:
            self._save_when_settled = True
            self._show_saving(True, "Waiting for the documents…")
        else:
            self._start_save(draft)

    def _settled(self) -> None:
        if not self._save_when_settled:
            return
        self._save_when_settled = False
        self._show_saving(False)
        if not self.documents.refusal.text():  # a refused bill is the person's to decide on
            self.save()

    def _start_save(self, draft: EntryDraft) -> None:
        whole = replace(draft, attachments=self.documents.attachments())
        self._saving = True
        self._show_saving(True, "Saving…")
        self._tasks.run(lambda: self._services.entries.save(whole), self._done, self._failed, owner=self)

    def _show_saving(self, saving: bool, text: str = "Save entry") -> None:
        self.save_button.setText(text)
        self.save_button.setEnabled(not saving)
        self.form.setEnabled(not saving)

    def _done(self, entry: ListedEntry) -> None:
        self._saving = False
        self._show_saving(False)
        self._clear(keep_date=True)
        self.saved_label.setText(f"Saved {entry.human_code} · {format_amount(entry.amount)}")
        self.saved_label.setAccessibleName(self.saved_label.text())
        self.saved.emit(entry)

    def _failed(self, error: AppError) -> None:
        self._saving = False
        self._show_saving(False)
        rest = self.form.show_errors(error.fields)
        if rest or not error.fields:
            self.banner.say(" ".join(rest.values()) or error.message, "danger")

    def _clear(self, *, keep_date: bool) -> None:
        self.form.clear(keep_date=keep_date)
        self.documents.clear()
        self.banner.hide()
        self.saved_label.setText("")
        QTimer.singleShot(0, self, self.begin)  # after the form is enabled again

    def _typed(self) -> None:
        self.banner.hide()
        if self.form.typed:
            self.saved_label.setText("")
