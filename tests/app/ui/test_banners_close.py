"""A banner closes by itself when its cause is gone, and stays while it is not."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow


def test_an_error_closes_when_the_user_goes_elsewhere(qtbot: QtBot, book: MainWindow) -> None:
    book.book.show_error("The bill could not be opened.")
    book.show_add()
    assert book.book.banner.text() == "The bill could not be opened."  # it is the same view
    book.show_listing()
    assert book.book.banner.text() == ""


def test_an_error_closes_when_a_change_succeeds(qtbot: QtBot, book: MainWindow) -> None:
    book.book.show_error("The entry could not be changed.")
    book.book.offer_undo("Changed", undo="")
    assert book.book.banner.text() == ""


def test_news_of_another_device_stay_until_they_are_closed(qtbot: QtBot, book: MainWindow) -> None:
    book.book.say("1 entry was changed on another device.", "warn", passing=False)
    book.show_listing()
    book.book.offer_undo("Changed", undo="")
    assert "another device" in book.book.banner.text()


def test_what_was_refused_is_forgotten_when_a_bill_is_removed(
    qtbot: QtBot, book: MainWindow, tmp_path: Path
) -> None:
    panel = book.entry.documents
    bill, text = tmp_path / "bill.pdf", tmp_path / "notes.txt"
    bill.write_bytes(b"%PDF-1.7 a bill")
    text.write_text("no bill", encoding="utf-8")
    panel.add_files([bill, text])
    qtbot.waitUntil(lambda: not panel.attaching and len(panel.attachments()) == 1)
    assert panel.refusal.text()
    panel.tiles()[0].removed.emit(panel.tiles()[0].key)
    assert panel.refusal.text() == ""
