"""Where the user is signed in: a card for each session, and how to end them."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.domain.device_name import computer_of
from app.domain.text import isolated
from app.errors import AppError
from app.ui.bounds import count_text
from app.ui.desktop import Desktop
from app.ui.local_time import ago_text
from app.ui.tasks import Tasks
from app.ui.widgets.card_list import CardList
from app.ui.widgets.pieces import ElidedLabel, button, frame, label, set_look

if TYPE_CHECKING:
    from app.services import Services
    from app.services.accounts import OpenSession

_UNNAMED: Final = "A computer without a name"
_MEANS: Final = "While Bahi is open on a computer, it counts as used every few minutes."
_SOON: Final = "will be signed out within a minute"
_KEPT_THERE: Final = "Entries that it has not sent stay on that computer."
_ALL_KEPT_THERE: Final = "Entries that they have not sent stay on those computers."


class SessionList(QWidget):
    """The sessions of the user, newest first. For the book of this computer, earlier sessions of the same
    computer are not shown; if there are no others, the list hides itself.

    `failed` carries the AppError of a call, and `load_began` comes before each. `everywhere_wanted` says
    that the other sessions have been ended, and this one is to end too.
    """

    failed = Signal(object)
    load_began = Signal()
    everywhere_wanted = Signal()

    def __init__(self, services: "Services", tasks: Tasks, desktop: Desktop) -> None:
        super().__init__()
        self._services = services
        self._tasks = tasks
        self._desktop = desktop
        self._others = 0
        self.list = CardList("account_sessions")
        self.state = label("", "muted", "account_state")
        self.others_button = button("Sign out all others…", "sessions_end_others", "link")
        self.others_button.clicked.connect(lambda: self._end_others(here_too=False))
        self.everywhere_button = button("Sign out everywhere…", "sessions_end_all", "link")
        self.everywhere_button.clicked.connect(lambda: self._end_others(here_too=True))
        self._lay_out()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(label("Signed in on", "heading"), 1)
        head.addWidget(self.others_button)
        head.addWidget(self.everywhere_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.state)
        column.addWidget(self.list, 1)
        self._offer(0)
        self.setVisible(self._services.accounts.is_remote)  # here, there is hardly ever another one

    def load(self) -> None:
        """Load the user's sessions from the server."""
        self.load_began.emit()
        self.state.setText("Looking where you are signed in…")
        self.state.show()
        accounts = self._services.accounts
        self._tasks.run(accounts.sessions, self._show, self._failed, owner=self, topic="sessions")

    def _show(self, sessions: "list[OpenSession]") -> None:
        if not self._services.accounts.is_remote:
            sessions = _one_here(sessions)
            self.setVisible(len(sessions) > 1)
        self.state.hide()
        self.list.show_cards([self._row(each) for each in sessions])
        self._offer(sum(not each.this_one for each in sessions))

    def _offer(self, others: int) -> None:
        self._others = others
        for each in (self.others_button, self.everywhere_button):
            each.setVisible(others > 0)

    def _failed(self, error: AppError) -> None:
        self.state.hide()
        self.failed.emit(error)

    def _row(self, session: "OpenSession") -> QFrame:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(ElidedLabel(session.device_name or _UNNAMED, "strong"))
        for fact in self._facts(session):
            words.addWidget(ElidedLabel(fact, "small"))
        row = QHBoxLayout()
        row.setContentsMargins(14, 8, 10, 8)
        row.addLayout(words, 1)
        row.addWidget(self._mark_or_end(session), 0, Qt.AlignmentFlag.AlignVCenter)
        made = frame("item", row, "session_row")
        at = f" Its server is in the region {session.region}." if session.region else ""
        made.setToolTip(f"{_MEANS}{at}")
        return made

    def _facts(self, session: "OpenSession") -> tuple[str, str]:
        now = datetime.now(UTC) + timedelta(microseconds=self._services.accounts.offset_us)
        origin = f" from the network address {session.address}" if session.address else ""
        used, began = ago_text(session.last_used, now), ago_text(session.began, now)
        return f"Last used {used}", f"Signed in {began}{origin}"

    def _mark_or_end(self, session: "OpenSession") -> QWidget:
        if session.this_one:
            tag = label("this computer", "tag")
            set_look(tag, "tone", "good")
            return tag
        end = button("Sign out…", "session_end")
        end.setProperty("small", "true")
        end.setAccessibleName(f"Sign out {_computer(session)}")
        end.clicked.connect(lambda: self._end(session))
        return end

    def _end(self, session: "OpenSession") -> None:
        name = _computer(session)
        explanation = f"{name} {_SOON}. {_KEPT_THERE}"
        if not self._desktop.confirm(self, f"Sign out {name}?", explanation, "Sign out", "Keep"):
            return
        accounts, family = self._services.accounts, session.family
        self._tasks.run(
            lambda: accounts.end_session(family), lambda _none: self.load(), self._failed, owner=self
        )

    def _end_others(self, *, here_too: bool) -> None:
        others = count_text(self._others, "other computer", "other computers")
        kept = _KEPT_THERE if self._others == 1 else _ALL_KEPT_THERE
        question = "Sign out everywhere?" if here_too else "Sign out all other computers?"
        here = "This one is signed out at once." if here_too else "You stay signed in on this one."
        if self._desktop.confirm(self, question, f"{others} {_SOON}. {kept} {here}", "Sign out", "Keep"):
            accounts = self._services.accounts
            done = self.everywhere_wanted.emit if here_too else self.load
            self._tasks.run(accounts.end_other_sessions, lambda _count: done(), self._failed, owner=self)


def _one_here(sessions: "list[OpenSession]") -> "list[OpenSession]":
    """Return the sessions without the earlier ones of this computer, which nobody uses any more."""
    here = {each.device_name for each in sessions if each.this_one}
    return [each for each in sessions if each.this_one or each.device_name not in here]


def _computer(session: "OpenSession") -> str:
    return isolated(computer_of(session.device_name)) or _UNNAMED
