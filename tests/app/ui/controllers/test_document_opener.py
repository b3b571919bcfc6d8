"""Saving and opening a bill whose name came from another computer."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.ui.controllers.document_opener import DocumentOpener
from app.ui.desktop import Desktop
from app.ui.tasks import Tasks
from tests.app.ui.conftest import Person
from tests.support.fake_services import FakeServices


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("aux.png", "_aux.png"),
        ("NUL", "_NUL.png"),
        ("a:b?.png", "a_b_.png"),
        ("bill.png. . ", "bill.png"),
        ("evil\u202egnp.exe", "evilgnp.exe.png"),
    ],
)
def test_a_name_that_not_every_system_can_write_is_not_offered_and_not_written(
    qtbot: QtBot, fake: FakeServices, tasks: Tasks, person: Person, photo: Path, name: str, offered: str
) -> None:
    names: list[str] = []

    def choose(_parent: QWidget, proposed: str) -> Path | None:
        names.append(proposed)
        return None

    desktop: Desktop = replace(person.desktop(), choose_save_path=choose)
    window = QWidget()
    qtbot.addWidget(window)
    opener = DocumentOpener(fake.services(), tasks, desktop, window)
    bill = replace(fake.documents.attach_file(photo), file_name=name)
    opener.save_as(bill)
    assert names == [offered]
    opener.open(bill)
    qtbot.waitUntil(lambda: bool(person.opened) and not tasks.busy)
    assert person.opened[0].name == offered
    assert person.opened[0].read_bytes() == photo.read_bytes()
    opener.close()
