"""Takes pictures of the windows with a cluster: `python -m tests.support.connection_pictures [FOLDER]`."""

import os
import sys
import tempfile
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from app.domain.book_location import LOCATION_KEY
from app.domain.connection_status import Moved, Phase
from app.errors import OfflineError
from app.ui.desktop import Desktop
from app.ui.dialogs.account_dialog import AccountDialog
from app.ui.dialogs.move_dialog import MoveDialog
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme
from server.contract import join
from tests.support.fake_connection import PUNE
from tests.support.fake_services import ABROAD, HOME, NOON, FakeServices, shop_entries
from tests.tour.driver import Driver

SIZES = ((1180, 760), (900, 600))
LINK = join.make_link(join.InviteLink("https://books.example.com", "ab" * 32, "K7QD-93MX-once"))


class Pictures:
    """One window over fakes, driven from picture to picture."""

    def __init__(self, folder: Path, home: Path, theme: Theme, tasks: Tasks, size: tuple[int, int]) -> None:
        home.mkdir()
        self.fake = FakeServices(home, shop_entries())
        desktop = Desktop(now=lambda: NOON)
        self.window = MainWindow(self.fake.services(), tasks, theme, desktop, proposed_name="asha")
        self.window.resize(*size)
        self.driver = Driver(self.window, theme, folder)
        self._tasks = tasks
        self._suffix = f"{size[0]}"

    def take(self) -> None:
        """Take all of them."""
        self._login()
        self._open_book()
        self._link()
        self._moved()
        self._places()
        self._move()
        self.window.end_unasked()

    def _picture(self, name: str, dialog: MoveDialog | AccountDialog | None = None) -> None:
        self.driver.picture(f"{name}-{self._suffix}", name, dialog)

    def _rest(self, what: str = "rest") -> None:
        self.driver.wait(what, lambda: not self._tasks.busy)

    def _login(self) -> None:
        self.fake.settings.set(LOCATION_KEY, "server")
        self.window.show()
        self.window.start()
        self._rest()
        QApplication.clipboard().setText(LINK)
        card = self.window.login.card
        card.address.paste()
        card.user_name.setText("meera")
        self._picture("login-invited")
        card.address.setText("")
        QApplication.clipboard().setText(LINK[:80])
        card.address.paste()
        self._picture("login-damaged")

    def _open_book(self) -> None:
        self.fake.settings.set(LOCATION_KEY, "local")
        self.window.enter(self.fake.accounts.sign_in_local("Asha Rao", ""))
        self.window.show_listing()
        self._rest()

    def _link(self) -> None:
        link, window = self.fake.connection, self.window
        link.tell(Phase.RECONNECTING, seconds=24)
        self._picture("reconnecting")
        self.fake.book.offline = True
        self.fake.wait(*(replace(row, id=f"w{row.id}") for row in self.fake.book.entries[:3]))
        link.tell(Phase.OFFLINE)
        window.sync.outbox_changed()
        window.listing.refresh()
        self._rest()
        self._picture("offline")
        self.fake.book.offline = False
        self.fake.clear()
        link.tell(Phase.SWITCHING, PUNE)
        self._picture("changing")

    def _moved(self) -> None:
        link = self.fake.connection
        link.tell(Phase.SYNCING, PUNE, moved=Moved(37, 40))
        self._rest()
        self._picture("moved")
        self.window.show_add()
        self._picture("moved-add")
        self.window.show_listing()
        link.tell(Phase.SYNCING, PUNE, moved=Moved(37, 40, late=True))
        self._picture("moved-late")
        link.tell(Phase.PINNED, PUNE, moved=Moved(40, 40))
        self._picture("moved-complete")
        link.dismiss_move()
        self._rest()

    def _places(self) -> None:
        book, link, listing = self.fake.book, self.fake.connection, self.window.listing
        book.errors["send_pending"] = OfflineError()
        self.fake.wait(replace(book.entries[0], id="w1"))
        for row in book.entries[:4]:
            self.fake.place(row, HOME)
        self.fake.place(book.entries[1], HOME, rows=(ABROAD,))
        for row in book.entries[4:9]:
            self.fake.place(row, HOME, ABROAD)
        self.window.sync.outbox_changed()
        listing.refresh()
        link.tell(Phase.PINNED, unsettled=4)
        self._rest()
        for number, name in ((0, "waiting"), (2, "bill"), (3, "one"), (6, "both")):
            listing.table.selectRow(number)
            self._rest()
            self._picture(f"place-{name}")
        link.tell(Phase.PINNED, unsettled=4, late=3)
        self._rest()
        self._picture("late")
        self.window.show_add()
        self._picture("late-add")
        self.window.show_listing()
        self.fake.clear()
        book.errors.clear()
        listing.refresh()
        link.tell(Phase.PINNED)
        self._rest()

    def _move(self) -> None:
        self.fake.connection.tell(Phase.PINNED, "")
        self.window.sidebar.show_server("This computer")
        self.window.dialogs.show_account()
        self._rest()
        account = self.driver.find("account_dialog", AccountDialog)
        self._picture("account", account)
        account.move_button.click()
        dialog = self.driver.find("move_dialog", MoveDialog)
        self._picture("move-form", dialog)
        QApplication.clipboard().setText(LINK)
        dialog.form.address.paste()
        dialog.form.user_name.setText("asha")
        dialog.form.password.setText("short")
        dialog.begin()
        self._rest()
        self._picture("move-refused", dialog)
        self._work(dialog)

    def _work(self, dialog: MoveDialog) -> None:
        gates = {number: threading.Event() for number in (0, 1, 2)}
        for number, gate in gates.items():
            self.fake.book.gates[f"move {number}"] = partial(_pass, gate)
        dialog.form.password.setText("long enough")
        dialog.begin()
        for number, name in enumerate(("move-connecting", "move-progress", "move-verifying")):
            self.driver.wait(name, partial(self.fake.book.calls.__contains__, f"move {number}"))
            self._picture(name, dialog)
            gates[number].set()
        self._rest()
        self._picture("move-done", dialog)
        dialog.accept()


def _pass(gate: threading.Event) -> None:
    gate.wait(60)


def main() -> None:
    """Take every picture at every size."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/pictures-step3")
    folder.mkdir(parents=True, exist_ok=True)
    application = QApplication(["bahi"])
    theme, tasks = Theme(application, Mode.LIGHT), Tasks()
    with tempfile.TemporaryDirectory() as home:
        for number, size in enumerate(SIZES):
            Pictures(folder, Path(home) / str(number), theme, tasks, size).take()
    tasks.shutdown()


if __name__ == "__main__":
    main()
