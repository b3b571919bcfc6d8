"""Names of bills."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.file_names import MAX_BYTES, clean_name, name_to_save
from server.contract.checks import check_text
from server.contract.limits import MAX_FILE_NAME
from server.contract.media import EXTENSIONS


@pytest.mark.parametrize(
    ("name", "media_type", "clean"),
    [
        ("IMG_1.JPG", "image/jpeg", "IMG_1.JPG"),
        ("scan.jpeg", "image/jpeg", "scan.jpeg"),
        ("photo.png", "image/jpeg", "photo.jpg"),
        ("invoice.exe", "application/pdf", "invoice.exe.pdf"),
        ("Bill 12.05.2026", "application/pdf", "Bill 12.05.2026.pdf"),
        ("../../etc/passwd", "image/png", "passwd.png"),
        ("C:\\Users\\me\\bill.pdf", "application/pdf", "bill.pdf"),
        ("a\x00b\nc.pdf", "application/pdf", "ab c.pdf"),
        ("evil\u202egpj.pdf", "application/pdf", "evilgpj.pdf"),
        ('what?<>:"|*.pdf', "application/pdf", "what_______.pdf"),
        ("  .hidden.pdf ", "application/pdf", "hidden.pdf"),
        ("bill .pdf", "application/pdf", "bill.pdf"),
        ("", "image/gif", "bill.gif"),
        ("...", "image/gif", "bill.gif"),
        ("रसीद\u200d.pdf", "application/pdf", "रसीद\u200d.pdf"),
        ("a\udcffb.pdf", "application/pdf", "ab.pdf"),
        ("notes.txt", "", "notes.txt"),
    ],
)
def test_names_are_cleaned(name: str, media_type: str, clean: str) -> None:
    assert clean_name(name, media_type) == clean


def test_a_long_name_loses_the_end_of_its_stem_and_keeps_its_extension() -> None:
    name = clean_name("x" * 500 + ".JPEG", "image/jpeg")
    assert len(name) == MAX_FILE_NAME
    assert name.endswith("x.JPEG")


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("aux.pdf", "_aux.pdf"),
        ("AUX.PDF", "_AUX.PDF"),
        ("con", "_con.pdf"),
        ("nul.", "_nul.pdf"),
        ("Prn .pdf", "_Prn.pdf"),
        ("com1.tar.pdf", "_com1.tar.pdf"),
        ("COM\u00b9.pdf", "_COM\u00b9.pdf"),
        ("lpt9 .2026.pdf", "_lpt9 .2026.pdf"),
        ("conout$.png", "_conout$.pdf"),
        ("a\u202eux.pdf", "_aux.pdf"),
        ("bills/lpt0", "_lpt0.pdf"),
        ("auxiliary.pdf", "auxiliary.pdf"),
        ("com10.pdf", "com10.pdf"),
        ("console.pdf", "console.pdf"),
    ],
)
def test_the_name_of_a_device_of_windows_is_changed(name: str, clean: str) -> None:
    assert clean_name(name, "application/pdf") == clean


def test_a_name_is_normalised_after_an_invisible_character_was_removed() -> None:
    assert clean_name("cafe\u202e\u0301.pdf", "application/pdf") == "café.pdf"


def test_a_type_of_a_later_version_keeps_its_extension() -> None:
    assert clean_name("aux.avif", "image/avif") == "_aux.avif"


@given(st.text(max_size=400), st.sampled_from([*EXTENSIONS]))
def test_every_cleaned_name_is_valid_for_a_server_and_a_disk(name: str, media_type: str) -> None:
    clean = clean_name(name, media_type)
    assert check_text("fileName", clean, MAX_FILE_NAME, required=True) == []
    assert len(clean.encode()) <= MAX_BYTES
    assert not set(clean) & set('/\\<>:"|?*')
    assert clean_name(clean, media_type) == clean
    assert clean_name(clean) == clean
    assert not clean.endswith((" ", "."))


@pytest.mark.parametrize(
    ("typed", "extension", "name"),
    [
        ("Expenses 31.03.2026", ".csv", "Expenses 31.03.2026.csv"),
        ("Book.CSV", ".csv", "Book.CSV"),
        ("book.csv. ", ".csv", "book.csv"),
        ("31/03/2026", ".csv", "31-03-2026.csv"),
        ("scan.jpeg", ".jpg", "scan.jpeg"),
        ("scan.png", ".jpg", "scan.png.jpg"),
        ("Nul", "", "_Nul"),
    ],
)
def test_a_typed_name_gets_its_extension(typed: str, extension: str, name: str) -> None:
    assert name_to_save(typed, extension) == name


@given(st.text(max_size=300), st.sampled_from([".csv", ".jpg", ".pdf", ""]))
def test_every_system_can_write_a_name_to_save(typed: str, extension: str) -> None:
    name = name_to_save(typed, extension)
    assert name_to_save(name, extension) == name
    assert clean_name(name) == name
    assert name.lower().endswith((extension, ".jpeg", ".jpe", ".jfif"))
    assert len(name.encode()) <= MAX_BYTES
