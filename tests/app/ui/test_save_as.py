"""Saving under a name that is typed in the real file dialog: what is asked about is what is written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.ui.desktop import Desktop, choose_save_path, confirm
from app.ui.dialogs.export_dialog import ExportDialog
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.app.ui.conftest import Person, make_photo
from tests.support.fake_services import FakeServices


@dataclass
class Saver(Person):
    """Types into the real dialogs."""

    def desktop(self) -> Desktop:
        """Return a desktop with the real dialogs."""
        return replace(super().desktop(), choose_save_path=choose_save_path, confirm=confirm)


@pytest.fixture
def person() -> Saver:
    return Saver()


@dataclass
class Hands:
    """Answers each dialog that opens: types a name, or presses a button. `said` is what the boxes said."""

    answers: list[str] = field(default_factory=list)
    proposed: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Answer the dialog that is open now, if there is one."""
        shown = QApplication.activeModalWidget()
        if isinstance(shown, QFileDialog):
            self._type(shown)
        elif isinstance(shown, QMessageBox):
            self._press(shown)

    def _type(self, dialog: QFileDialog) -> None:
        edit = dialog.findChild(QLineEdit, "fileNameEdit")
        assert edit is not None
        self.proposed.append(edit.text())
        if not self.answers:
            QTest.keyClick(edit, Qt.Key.Key_Escape)
            return
        edit.selectAll()
        QTest.keyClicks(edit, self.answers.pop(0))
        QTest.keyClick(edit, Qt.Key.Key_Return)

    def _press(self, box: QMessageBox) -> None:
        self.said.append(f"{box.text()} {box.informativeText()}")
        wanted = self.answers.pop(0)
        found = next(each for each in box.findChildren(QPushButton) if each.text() == wanted)
        found.setFocus()
        QTest.keyClick(found, Qt.Key.Key_Space)


@pytest.fixture
def hands(qapp: QApplication) -> Iterator[Hands]:
    made, timer = Hands(), QTimer(interval=20)
    timer.timeout.connect(made.look)
    timer.start()
    yield made
    timer.stop()


@pytest.fixture
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's folder of documents, where a save dialog begins."""
    folder = tmp_path / "home" / "Documents"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder.parent))
    return folder


Save = Callable[[], None]


@pytest.fixture
def export(qtbot: QtBot, documents: Path, book: MainWindow, hands: Hands) -> Save:
    """Export the book: Ctrl+E, then Enter, then what `hands` answer."""

    def run() -> None:
        qtbot.keyClick(book, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
        dialog = book.findChild(ExportDialog, "export_dialog")
        assert dialog is not None
        qtbot.waitUntil(dialog.setup_page.start_button.isEnabled)
        qtbot.keyClick(dialog, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: dialog.result_page.isVisible() or not hands.answers)
        if hands.proposed and dialog.work_page.isVisible():
            qtbot.waitUntil(dialog.result_page.isVisible)

    return run


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Expenses 31.03.2026", "Expenses 31.03.2026.csv"),
        ("accounts", "accounts.csv"),
        ("accounts.csv", "accounts.csv"),
        ("Accounts.CSV", "Accounts.CSV"),
        ("accounts.txt", "accounts.txt.csv"),
    ],
)
def test_an_export_gets_its_extension_whatever_dots_are_in_the_name(
    export: Save, documents: Path, hands: Hands, typed: str, written: str
) -> None:
    hands.answers = [typed]
    export()
    assert hands.proposed == ["Bahi all entries.csv"]
    assert hands.said == []
    assert names(documents) == [written]


def test_the_question_is_about_the_name_that_is_written(export: Save, documents: Path, hands: Hands) -> None:
    (documents / "accounts.csv").write_text("last year")
    hands.answers = ["accounts", "Choose another name", "accounts", "Replace"]
    export()
    assert hands.proposed == ["Bahi all entries.csv", "accounts.csv"]
    assert [each.split(" The")[0] for each in hands.said] == ["Replace “accounts.csv”?"] * 2
    assert names(documents) == ["accounts.csv"]
    assert "Money Out" in (documents / "accounts.csv").read_text("utf-8-sig")


def test_nothing_is_replaced_when_the_person_changes_his_mind(
    export: Save, documents: Path, hands: Hands
) -> None:
    (documents / "accounts.csv").write_text("last year")
    hands.answers = ["accounts", "Choose another name"]
    export()
    assert (documents / "accounts.csv").read_text() == "last year"


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("aux", "_aux.csv"),
        ("CON.csv", "_CON.csv"),
        ("accounts: March", "accounts_ March.csv"),
        ("March?", "March_.csv"),
        ("Expenses 31/03/2026", "Expenses 31-03-2026.csv"),
    ],
)
def test_a_name_that_not_every_system_can_write_is_told_with_one_that_can(
    export: Save, documents: Path, hands: Hands, typed: str, written: str
) -> None:
    hands.answers = [typed, "Save"]
    export()
    (said,) = hands.said
    assert said.startswith(f"Save as “{written}”? Not every computer can use the name that you typed")
    assert names(documents) == [written]


def test_the_name_that_is_proposed_instead_does_not_replace_a_file_unasked(
    export: Save, documents: Path, hands: Hands
) -> None:
    (documents / "_aux.csv").write_text("last year")
    hands.answers = ["aux", "Choose another name"]
    export()
    assert "Its content will be lost." in hands.said[0]
    assert (documents / "_aux.csv").read_text() == "last year"


def test_a_folder_is_not_taken_for_a_file(export: Save, documents: Path, hands: Hands) -> None:
    (documents / "accounts.csv").mkdir()
    hands.answers = ["accounts", "OK", "accounts 2"]
    export()
    assert "“accounts.csv” is a folder" in hands.said[0]
    assert names(documents) == ["accounts 2.csv", "accounts.csv"]


@pytest.mark.parametrize(
    ("typed", "answers", "written"),
    [
        ("Taxi 31.03.2026", [], "Taxi 31.03.2026.png"),
        ("taxi", ["Replace"], "taxi.png"),
        ("taxi.PNG", [], "taxi.PNG"),
        ("nul", ["Save"], "_nul.png"),
    ],
)
def test_a_copy_of_a_bill_is_saved_under_the_name_that_was_asked_about(
    qtbot: QtBot,
    book: MainWindow,
    fake: FakeServices,
    tasks: Tasks,
    hands: Hands,
    documents: Path,
    tmp_path: Path,
    typed: str,
    answers: list[str],
    written: str,
) -> None:
    photo = make_photo(tmp_path / "photo.png")
    (documents / "taxi.png").write_text("another bill")
    hands.answers = [typed, *answers]
    book.opener.save_as(replace(fake.documents.attach_file(photo), file_name="CON .png"))
    qtbot.waitUntil(lambda: not tasks.busy)
    assert hands.proposed[0] == "_CON.png"
    assert (documents / written).read_bytes() == photo.read_bytes()
    assert len(hands.said) == len(answers)
