"""Whatever cannot be taken is told at its place, by the real windows over the real store and server.

With `PICTURES=DIR` in the environment each case leaves its pictures there.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from app.domain.entry import EntryFilter
from app.ui.desktop import Desktop
from tests.end_to_end.conftest import ServerProcess
from tests.tour.driver import Driver

NOON = datetime(2026, 11, 23, 12).astimezone()
CTRL = Qt.KeyboardModifier.ControlModifier
DESKTOP = Desktop(now=lambda: NOON, confirm=lambda *_: True)

FIELDS = {
    "comma": ("amount_field", "12,34", "Did you mean 12.34 or 1,234?"),
    "negative": ("amount_field", "-5", "above zero"),
    "exponent": ("amount_field", "1e9", "without an exponent"),
    "letters": ("amount_field", "abc", "only digits"),
    "digits": ("amount_field", "12345678901234567890", "at most 16 digits"),
    "far-date": ("date_field", "22/11/2036", "more than a year ahead"),
    "category": ("category_field", "", "category"),
}


def start_book(driver: Driver) -> None:
    button = driver.find("submit_button", QAbstractButton)
    driver.wait("the first start", lambda: button.isVisible() and button.text() == "Start")
    driver.click("submit_button")
    driver.wait("the book to open", lambda: driver.window.signed_in)


def fill(driver: Driver) -> None:
    driver.type("date_field", "22 Nov 2026")
    driver.type("amount_field", "1,250.00")
    driver.type("category_field", "Travel")
    driver.type("description_field", "Taxi")


def save(driver: Driver) -> None:
    driver.press("amount_field", Qt.Key.Key_Return, CTRL)


def encrypted_pdf() -> bytes:
    """A PDF whose trailer names an encryption that nobody here has the password of (ISO 32000-1, 7.6)."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>",
        b"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <"
        + b"12" * 32
        + b"> /U <"
        + b"34" * 32
        + b"> >>",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    ids = b"<" + b"ab" * 16 + b">"
    return (
        out
        + b"xref\n0 5\n0000000000 65535 f \n"
        + table
        + b"trailer\n<< /Size 5 /Root 1 0 R /Encrypt 4 0 R /ID [%s %s] >>\n" % (ids, ids)
        + b"startxref\n%d\n%%%%EOF\n" % len(out)
    )


def test_each_wrong_field_has_its_own_sentence_and_nothing_is_saved(open_program) -> None:
    with open_program(DESKTOP) as (driver, desk):
        start_book(driver)
        for name, (field, text, sentence) in FIELDS.items():
            fill(driver)
            driver.type(field, text)
            save(driver)
            driver.wait(f"“{sentence}”", lambda f=field, s=sentence: s in driver.text(f"{f}_error"))
            driver.picture(f"input-{name}", sentence)
            assert not driver.text("saved_label").startswith("Saved")
        fill(driver)
        save(driver)
        driver.wait("the right one", lambda: driver.text("saved_label").startswith("Saved "))
        driver.wait("the server to have it", lambda: desk.services.sync.waiting() == 0)
        assert desk.services.entries.totals(EntryFilter()).count == 1


def test_files_that_cannot_be_pinned_are_refused_and_doubtful_ones_are_noted(
    open_program, samples: Path, tmp_path: Path
) -> None:
    with (tmp_path / "binder.pdf").open("wb") as big:
        big.write(b"%PDF-1.4\n")
        big.truncate(26 * 1024 * 1024)
    (tmp_path / "notes.pdf").write_text("Not a PDF at all.", encoding="utf-8")
    whole = (samples / "hotel-invoice.pdf").read_bytes()
    (tmp_path / "half.pdf").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "locked.pdf").write_bytes(encrypted_pdf())
    with open_program(DESKTOP) as (driver, desk):
        start_book(driver)
        fill(driver)
        driver.drop(tmp_path / "binder.pdf", tmp_path / "notes.pdf")
        driver.wait("both refusals", lambda: driver.text("documents_refusal_text").count("“") == 2)
        assert "“binder.pdf” is larger than 25 MB" in driver.text("documents_refusal_text")
        assert "“notes.pdf” is not a photo, a scan or a PDF" in driver.text("documents_refusal_text")
        driver.picture("input-files-refused", "Files that cannot be pinned.")
        driver.drop(tmp_path / "half.pdf", tmp_path / "locked.pdf")
        driver.wait("the note", lambda: driver.find("documents_note_text").isVisible())
        driver.wait("the question", lambda: driver.find("documents_password_field").isVisible())
        assert "“locked.pdf” has a password" in driver.text("documents_password_text")
        assert "“half.pdf” seems to be damaged" in driver.text("documents_note_text")
        driver.picture("input-files-noted", "Files that are pinned as they are.")
        save(driver)
        driver.wait("it to be saved", lambda: driver.text("saved_label").startswith("Saved "))
        driver.wait("the server to have it", lambda: desk.services.sync.waiting() == 0)
        entry = desk.services.entries.page(EntryFilter(), None).entries[0]
        kept = {d.file_name: d for d in desk.services.entries.detail(entry.id).documents}
        for name in ("half.pdf", "locked.pdf"):
            assert desk.services.documents.fetch(kept[name]).read_bytes() == (tmp_path / name).read_bytes()


def test_a_wrong_password_and_a_server_that_is_gone_are_told_on_the_login_card(
    open_program, regional_server: ServerProcess
) -> None:
    with open_program(DESKTOP) as (driver, _desk):
        button = driver.find("submit_button", QAbstractButton)
        driver.wait("the login screen", lambda: button.isVisible() and button.text() == "Start")
        driver.click("place_server")
        driver.type("address_field", regional_server.url)
        driver.type("user_name_field", "nobody")
        driver.type("password_field", "not the password")
        driver.click("submit_button")
        driver.wait("the refusal", lambda: "Wrong user name" in driver.text("password_field_error"))
        driver.picture("login-wrong", "A wrong password.")
        regional_server.stop()
        driver.type("password_field", "not the password")
        driver.click("submit_button")
        driver.wait(
            "the server to be missed", lambda: "No server runs at" in driver.text("login_banner_text")
        )
        driver.picture("login-gone", "The server is gone.")


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk of this size; only root can."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_told_nothing_typed_is_lost_and_saving_works_once_there_is_room(
    open_program, tmp_path: Path
) -> None:
    with (
        small_disk(tmp_path / "disk", "2m") as disk,
        open_program(DESKTOP, disk / "home") as (driver, desk),
    ):
        start_book(driver)
        fill(driver)
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
        save(driver)
        driver.wait("the sentence", lambda: "disk is full" in driver.text("entry_banner_text"))
        driver.picture("input-disk-full", "The disk is full.")
        assert driver.text("amount_field") == "1,250.00"
        assert desk.services.entries.pending(EntryFilter()) == ()
        ballast.unlink()
        save(driver)
        driver.wait("it to be saved", lambda: driver.text("saved_label").startswith("Saved "))
        driver.wait("the server to have it", lambda: desk.services.sync.waiting() == 0)
        assert desk.services.entries.totals(EntryFilter()).count == 1
