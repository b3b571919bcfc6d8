"""The dialog About this book: where the book is, the version and licence of Bahi, and where its data lies."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.domain.text import isolated
from app.domain.wording import Words
from app.ui.desktop import Desktop
from app.ui.local_time import moment_text
from app.ui.widgets.banner import Banner
from app.ui.widgets.pieces import ElidedLabel, button, label

if TYPE_CHECKING:
    from app.services.session_facts import BookFacts

_WIDTH = 460
_LICENCE = "MIT (free software)"


class AboutDialog(QDialog):
    """Shows the facts about the open book. Each value is a label with the name `about_<key>`."""

    licences_wanted = Signal()

    def __init__(self, facts: "BookFacts", words: Words, desktop: Desktop, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("about_dialog")
        self.setWindowTitle("About this book")
        self._facts = facts
        self._desktop = desktop
        self.banner = Banner("about_banner")
        self.banner.pressed.connect(self.banner.hide)
        self.open_button = button("Open folder", "about_open", icon="folder-open")
        self.open_button.clicked.connect(self._open)
        self.licences_button = button("Licences…", "about_licences")
        self.licences_button.clicked.connect(self.licences_wanted)
        self.close_button = button("Close", "about_close", "primary")
        self.close_button.clicked.connect(self.accept)
        self.close_button.setDefault(True)
        self._lay_out(fact_rows(facts, words))
        self.close_button.setFocus()  # Enter closes

    def _lay_out(self, rows: list[tuple[str, str, str]]) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for row, (key, title, value) in enumerate(rows):
            grid.addWidget(label(title, "muted"), row, 0)
            # The end of a path says more than its beginning.
            mode = Qt.TextElideMode.ElideMiddle if key == "folder" else Qt.TextElideMode.ElideRight
            grid.addWidget(ElidedLabel(value, "", f"about_{key}", mode), row, 1)
        foot = QHBoxLayout()
        foot.addWidget(self.open_button)
        foot.addWidget(self.licences_button)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(14)
        column.addWidget(label("About this book", "title"))
        column.addWidget(self.banner)
        column.addLayout(grid)
        column.addStretch(1)
        column.addLayout(foot)
        self.setMinimumWidth(_WIDTH)
        self.banner.hide()

    def _open(self) -> None:
        if not self._desktop.open_path(self._facts.folder):
            self.banner.say("The folder could not be opened. You see its name below.", "warn", "Close")


def fact_rows(facts: "BookFacts", words: Words) -> list[tuple[str, str, str]]:
    """Return the key, the title and the value of each row. Only a book on a server has those of a server."""
    rows = [("user", "Signed in as", isolated(facts.user_name)), ("where", "Where it is", words.location)]
    if not words.is_local:
        rows += [
            ("address", "Address", urlsplit(facts.address).netloc or facts.address),
            ("server", "Server", facts.server_id),
            ("region", "Region", facts.region),
            ("since", "With this server since", moment_text(facts.pinned_at)),
        ]
    return [
        *rows,
        ("version", "Version of Bahi", facts.version),
        ("licence", "Licence of Bahi", _LICENCE),
        ("folder", "Data on this computer", str(facts.folder)),
    ]
