"""Pasting in the forms that take no bills: an invite link in any field, and no path is typed."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.domain.book_location import LOCATION_KEY
from app.ui.controllers.text_pasting import ONLY_TEXT
from app.ui.dialogs.account_dialog import AccountDialog
from app.ui.dialogs.move_dialog import MoveDialog
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.views.login_view import ADDRESS_KEY
from app.ui.widgets.field import Field
from server.contract import join
from tests.app.ui.test_pasting import copied_files, from_word, picture
from tests.support.drags import data_of
from tests.support.fake_services import FakeServices

ADDRESS = "https://books.example.com"
LINK = join.make_link(join.InviteLink(ADDRESS, "ab" * 32, "once-only-code"))
MAIL = f"Hello Asha,\r\n\r\nhere is your link: <{LINK.replace('&', '&amp;')}>.\r\n\r\nRegards, Meera"
LOGIN_FIELDS = ("address_field", "user_name_field", "password_field", "invite_field")


def line(parent: QWidget, name: str) -> QLineEdit:
    found = parent.findChild(QLineEdit, name)
    assert found is not None
    return found


def paste(qtbot: QtBot, editor: QLineEdit) -> None:
    editor.setFocus()
    qtbot.keyClick(editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def error_of(editor: QLineEdit) -> str:
    parent = editor.parentWidget()
    assert isinstance(parent, Field)
    return parent.error_text


@pytest.fixture
def creating(qtbot: QtBot, window: MainWindow, fake: FakeServices, tasks: Tasks) -> MainWindow:
    """The log-in shows all its fields."""
    fake.settings.set(LOCATION_KEY, "server")
    fake.settings.set(ADDRESS_KEY, "https://old.example.in")
    window.start()
    qtbot.waitUntil(lambda: not tasks.busy and window.login.card.create_button.isVisible())
    qtbot.mouseClick(window.login.card.create_button, Qt.MouseButton.LeftButton)
    return window


@pytest.mark.parametrize("name", LOGIN_FIELDS)
def test_an_invite_link_is_read_whichever_field_it_is_pasted_into(
    qtbot: QtBot, creating: MainWindow, name: str
) -> None:
    card = creating.login.card
    card.user_name.setText("asha")
    QGuiApplication.clipboard().setText(MAIL)
    paste(qtbot, line(creating, name))
    assert card.address.text() == ADDRESS
    assert card.invite.text() == "once-only-code"
    assert card.submit_button.text() == "Create account"
    assert (card.user_name.text(), card.password.text()) == ("asha", "")


def test_an_invite_link_pasted_as_your_name_at_the_first_start_opens_the_form_of_the_server(
    qtbot: QtBot, window: MainWindow, tasks: Tasks
) -> None:
    window.start()
    qtbot.waitUntil(lambda: not tasks.busy and window.login.card.user_name.isVisible())
    QGuiApplication.clipboard().setText(MAIL)
    paste(qtbot, window.login.card.user_name)
    card = window.login.card
    assert window.login.location == "server"
    assert (card.address.text(), card.address.isVisible()) == (ADDRESS, True)
    assert card.user_name.text() == "asha"  # proposed before


@pytest.mark.parametrize("name", LOGIN_FIELDS)
def test_a_link_that_cannot_be_used_is_told_where_it_was_pasted_and_nothing_is_typed(
    qtbot: QtBot, creating: MainWindow, name: str
) -> None:
    editor = line(creating, name)
    before = editor.text()
    QGuiApplication.clipboard().setText(f"Your link: {LINK[:70]}…")
    paste(qtbot, editor)
    assert "ask the person who runs the server for a new one" in error_of(editor)
    other = join.make_link(join.InviteLink("https://other.example.com", "cd" * 32))
    QGuiApplication.clipboard().setText(f"{LINK}\n{other}")
    paste(qtbot, editor)
    assert error_of(editor).startswith("There are two different links")
    assert editor.text() == before


def test_a_long_mail_is_read_although_the_field_would_cut_it(qtbot: QtBot, creating: MainWindow) -> None:
    QGuiApplication.clipboard().setText("Received: by mail\n" * 3_000 + MAIL)
    paste(qtbot, creating.login.card.address)
    assert creating.login.card.address.text() == ADDRESS


def test_a_link_that_was_typed_as_the_invitation_is_read_at_the_button(
    qtbot: QtBot, creating: MainWindow
) -> None:
    card = creating.login.card
    card.invite.setText(LINK)
    qtbot.mouseClick(card.submit_button, Qt.MouseButton.LeftButton)
    assert (card.address.text(), card.invite.text()) == (ADDRESS, "once-only-code")


def test_a_link_that_a_browser_copied_as_an_address_is_read(qtbot: QtBot, creating: MainWindow) -> None:
    data = data_of({"text/uri-list": f"{LINK}\r\n".encode()})
    QGuiApplication.clipboard().setMimeData(data)
    paste(qtbot, creating.login.card.password)
    assert creating.login.card.address.text() == ADDRESS


# --- no path is typed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["uris", "copy", "text", "both"])
def test_a_copied_file_is_refused_at_the_field_and_not_typed(
    qtbot: QtBot, creating: MainWindow, photo: Path, how: str
) -> None:
    for name in LOGIN_FIELDS:
        editor = line(creating, name)
        before = editor.text()
        QGuiApplication.clipboard().setMimeData(copied_files(photo, how))
        paste(qtbot, editor)
        assert editor.text() == before
        assert error_of(editor) == ONLY_TEXT


def test_a_picture_is_refused_and_a_text_beside_it_is_pasted(qtbot: QtBot, creating: MainWindow) -> None:
    editor = creating.login.card.user_name
    editor.clear()
    QGuiApplication.clipboard().setImage(picture())
    paste(qtbot, editor)
    assert (editor.text(), error_of(editor)) == ("", ONLY_TEXT)
    QGuiApplication.clipboard().setMimeData(from_word("Asha"))
    paste(qtbot, editor)
    assert editor.text() == "Asha"


@pytest.fixture
def account(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> AccountDialog:
    qtbot.mouseClick(book.sidebar.user_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not tasks.busy)
    found = book.findChild(AccountDialog, "account_dialog")
    assert isinstance(found, AccountDialog)
    return found


@pytest.fixture
def move(qtbot: QtBot, account: AccountDialog, book: MainWindow) -> MoveDialog:
    qtbot.mouseClick(account.move_button, Qt.MouseButton.LeftButton)
    found = book.findChild(MoveDialog, "move_dialog")
    assert isinstance(found, MoveDialog)
    return found


@pytest.mark.parametrize(
    ("opened", "names"),
    [
        ("account", ("old_password_field", "new_password_field", "again_password_field")),
        ("move", ("move_address_field", "move_user_field", "move_password_field", "move_code_field")),
    ],
)
def test_a_copied_file_is_not_typed_in_a_dialog(
    request: pytest.FixtureRequest, qtbot: QtBot, photo: Path, opened: str, names: tuple[str, ...]
) -> None:
    dialog = request.getfixturevalue(opened)
    QGuiApplication.clipboard().setMimeData(copied_files(photo, "both"))
    for name in names:
        paste(qtbot, line(dialog, name))
        assert line(dialog, name).text() == ""
        assert error_of(line(dialog, name)) == ONLY_TEXT


def test_an_invite_link_is_read_in_any_field_of_the_move(qtbot: QtBot, move: MoveDialog) -> None:
    QGuiApplication.clipboard().setText(MAIL)
    paste(qtbot, move.form.password)
    assert move.form.address.text() == ADDRESS
    assert (move.form.invite.text(), move.form.password.text()) == ("once-only-code", "")


def test_the_menu_of_a_field_pastes_as_the_keys_do(qtbot: QtBot, creating: MainWindow) -> None:
    QGuiApplication.clipboard().setText(MAIL)
    editor = creating.login.card.password
    at = QPoint(4, 4)
    QApplication.sendEvent(
        editor, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, editor.mapToGlobal(at))
    )
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    action = menu.findChild(QAction, "paste_action")
    assert action is not None
    menu.setActiveAction(action)
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    assert creating.login.card.address.text() == ADDRESS
    assert editor.text() == ""
