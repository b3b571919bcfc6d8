"""Which kinds of file are told apart by their first bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.contract import media
from server.contract.media import sniff


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"\xff\xd8\xff\xdb", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"II*\x00", "image/tiff"),
        (b"MM\x00*", "image/tiff"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "image/heic"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00", "image/heic"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\xef\xbb\xbf%PDF-1.4", "application/pdf"),
        (b"x" * 1_000 + b"%PDF-1.4", "application/pdf"),
    ],
)
def test_a_bill_is_known_by_its_first_bytes(head: bytes, kind: str) -> None:
    assert sniff(head) == kind


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"\x89PNG",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        b"\x00\x00\x00\x18ftypmp42",
        b"\x00\x00\x00\x18ftypavif",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!doctype html>",
        b"PK\x03\x04",
        b"MZ\x90\x00",
        b"BM\x00\x00",
        b"just text named bill.pdf",
        b"%pdf-1.7",
        b"x" * 1_020 + b"%PDF-1.4",
    ],
)
def test_whatever_else_is_no_bill(head: bytes) -> None:
    assert sniff(head) is None


@given(st.binary(max_size=2_000))
def test_any_bytes_are_a_known_kind_or_none(head: bytes) -> None:
    assert sniff(head) in {None, *media.EXTENSIONS}


@given(st.binary(max_size=3_000))
def test_only_the_first_bytes_count(data: bytes) -> None:
    assert sniff(data) == sniff(data[: media.SNIFF_BYTES])


def test_every_kind_has_an_extension_of_its_own() -> None:
    assert len(set(media.EXTENSIONS.values())) == len(media.EXTENSIONS)
    assert all(extension.startswith(".") for extension in media.EXTENSIONS.values())
