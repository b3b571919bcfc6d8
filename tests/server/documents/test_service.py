"""Bills: planned, sent, kept, and fetched, over HTTP."""

import hashlib
import os
import socket
import stat
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import requests

from server.contract import limits, media, shapes
from server.documents.signed_urls import SignedUrl, make_url
from tests.support.api import BookApi, a_document, an_entry, content, refusal
from tests.support.servers import RunningServer, StillClock
from tests.support.waiting import wait_until

Start = Callable[..., RunningServer]


def _code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def _kept(server: RunningServer, book: BookApi) -> list[Path]:
    folder = server.config.folder / "documents" / book.book_id
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_bill_is_planned_sent_kept_and_fetched_unchanged(server: RunningServer, book: BookApi) -> None:
    bill = a_document(file_name="बिल नवंबर.png")
    (plan,) = book.plan(bill)
    assert not plan.stored
    assert plan.upload is not None
    assert plan.upload.headers == {"Content-Type": "image/png"}
    assert book.put(plan, bill.data).status_code == HTTPStatus.NO_CONTENT
    assert book.plan(bill) == [shapes.DocumentPlan(bill.sha256, stored=True)]
    book.create(an_entry(documents=[bill.pinned()]))
    link = book.link(bill.id)
    assert (link.file_name, link.media_type) == ("बिल नवंबर.png", "image/png")
    assert (link.byte_size, link.sha256) == (len(bill.data), bill.sha256)
    answer = book.call("GET", link.url)
    assert answer.content == bill.data
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cache-Control"] == "private, no-store"
    (file,) = _kept(server, book)
    assert file.name == bill.sha256
    assert hashlib.sha256(file.read_bytes()).hexdigest() == bill.sha256


@pytest.mark.parametrize("media_type", sorted(media.EXTENSIONS))
def test_every_kind_of_bill_is_taken(book: BookApi, media_type: str) -> None:
    heads = {
        "image/jpeg": b"\xff\xd8\xff\xe0",
        "image/png": b"\x89PNG\r\n\x1a\n",
        "image/webp": b"RIFF\x00\x00\x00\x00WEBP",
        "image/heic": b"\x00\x00\x00\x18ftypheic",
        "image/gif": b"GIF89a",
        "image/tiff": b"II*\x00",
        "application/pdf": b"%PDF-1.7\n",
    }
    bill = a_document(heads[media_type] + b"x" * 100, media_type=media_type)
    book.add(bill)
    assert book.fetch(bill.id) == bill.data


def test_a_plan_answers_for_each_document_in_the_order_asked(book: BookApi) -> None:
    bills = [a_document() for _ in range(5)]
    book.upload(bills[1], bills[3])
    plans = book.plan(*bills)
    assert [plan.sha256 for plan in plans] == [bill.sha256 for bill in bills]
    assert [plan.stored for plan in plans] == [False, True, False, True, False]
    assert book.plan() == []


def test_bytes_of_another_hash_are_refused_and_nothing_is_kept(server: RunningServer, book: BookApi) -> None:
    bill = a_document()
    (plan,) = book.plan(bill)
    damaged = bill.data[:-1] + bytes([bill.data[-1] ^ 1])
    assert _code(book.put(plan, damaged)) == (HTTPStatus.UNPROCESSABLE_ENTITY, "checksum_mismatch")
    assert _kept(server, book) == []
    assert not book.plan(bill)[0].stored
    content(book.put(plan, bill.data))


def test_fewer_bytes_than_announced_are_refused(server: RunningServer, book: BookApi) -> None:
    bill = a_document()
    (plan,) = book.plan(bill)
    for data in (bill.data[:-1], b""):
        assert _code(book.put(plan, data)) == (HTTPStatus.UNPROCESSABLE_ENTITY, "checksum_mismatch")
    assert _kept(server, book) == []


def test_more_bytes_than_announced_are_refused(server: RunningServer, book: BookApi) -> None:
    bill = a_document()
    (plan,) = book.plan(bill)
    answer = book.put(plan, bill.data + b"x" * 1_000_000)
    assert _code(answer) == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
    assert _kept(server, book) == []


def test_the_size_limit_holds_to_the_byte(book: BookApi) -> None:
    most = limits.MAX_DOCUMENT_BYTES
    bill = a_document(b"%PDF-1.7\n" + bytes(most - 9), media_type="application/pdf")
    book.add(bill)
    assert book.link(bill.id).byte_size == most
    error = refusal(lambda: book.plan(bill.planned(byte_size=most + 1)))
    assert list(error.fields) == ["byteSize"]
    assert "25 MB" in error.message


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"just some text", "application/pdf"),
        (b"<html><script>alert(1)</script></html>", "image/png"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 50, "image/jpeg"),
        (b"MZ\x90\x00 a program", "application/pdf"),
        (b"\x00\x00\x00\x18ftypmp42 a film", "image/heic"),
        (b"x" * 1_100 + b"%PDF-1.7", "application/pdf"),
    ],
)
def test_a_file_of_another_kind_than_it_says_is_refused(
    server: RunningServer, book: BookApi, data: bytes, media_type: str
) -> None:
    bill = a_document(data, file_name="bill.pdf", media_type=media_type)
    (plan,) = book.plan(bill)
    assert _code(book.put(plan, data)) == (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type_refused")
    assert _kept(server, book) == []


def test_a_kind_that_nobody_pins_is_refused_at_once(book: BookApi) -> None:
    error = refusal(lambda: book.plan(a_document(b"text", media_type="text/plain")))
    assert list(error.fields) == ["mediaType"]


def test_a_plan_of_twenty_one_documents_is_refused(book: BookApi) -> None:
    assert len(book.plan(*(a_document() for _ in range(20)))) == 20
    assert refusal(lambda: book.plan(*(a_document() for _ in range(21)))).code == "invalid_fields"


def _dribble(url: str, data: bytes, cut: int) -> bytes:
    """PUT `data` in two pieces, the second once the server has had time for the first."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    head = f"PUT {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((parts.hostname, parts.port or 80)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head.encode() + data[:cut])
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(60)
        connection.sendall(data[cut:])
        return connection.recv(4_096)


@pytest.mark.parametrize(
    ("head", "media_type", "cut"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png", 3),
        (b"\x00\x00\x00\x18ftypheic", "image/heic", 7),
        (b"some junk first\n%PDF-1.7", "application/pdf", 12),
    ],
)
def test_a_first_packet_of_a_few_bytes_does_not_hide_the_kind_of_file(
    book: BookApi, head: bytes, media_type: str, cut: int
) -> None:
    bill = a_document(head + b"x" * 2_000, media_type=media_type)
    (plan,) = book.plan(bill)
    assert plan.upload is not None
    assert _dribble(plan.upload.url, bill.data, cut).startswith(b"HTTP/1.1 204")
    assert book.plan(bill)[0].stored


def test_an_upload_that_breaks_off_leaves_nothing_behind(server: RunningServer, book: BookApi) -> None:
    bill = a_document(b"%PDF-1.7\n" + bytes(500_000), media_type="application/pdf")
    (plan,) = book.plan(bill)
    assert plan.upload is not None
    parts = urlsplit(plan.upload.url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80)) as connection:
        head = f"PUT {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(bill.data)}\r\n\r\n"
        connection.sendall(head.encode() + bill.data[:200_000])
    content(book.put(plan, bill.data))  # planned again, sent again
    wait_until(lambda: [file.name for file in _kept(server, book)] == [bill.sha256])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_bills_are_closed_to_other_users_of_the_computer(start_server: Start) -> None:
    server = start_server()
    book = server.api().register()
    book.add(a_document())
    folder = server.config.folder / "documents"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / book.book_id).stat().st_mode) == 0o700


def test_the_same_bytes_may_be_sent_twice(server: RunningServer, book: BookApi) -> None:
    bill = a_document()
    (plan,) = book.plan(bill)
    for _ in range(2):
        assert book.put(plan, bill.data).status_code == HTTPStatus.NO_CONTENT
    assert len(_kept(server, book)) == 1


def test_a_link_ends_after_five_minutes(start_server: Start) -> None:
    clock = StillClock()
    book = start_server(clock).api().register()
    bill, late = a_document(), a_document()
    book.add(bill)
    (plan,) = book.plan(late)
    url = book.link(bill.id).url
    clock.advance(298)
    content(book.call("GET", url))
    clock.advance(3)
    assert _code(book.call("GET", url)) == (HTTPStatus.GONE, "link_expired")
    assert _code(book.put(plan, late.data)) == (HTTPStatus.GONE, "link_expired")


def test_a_link_serves_its_own_method_only(book: BookApi) -> None:
    there, missing = a_document(), a_document()
    book.add(there)
    (plan,) = book.plan(missing)
    assert plan.upload is not None
    assert _code(book.call("GET", plan.upload.url)) == (HTTPStatus.FORBIDDEN, "forbidden")
    put = book.call("PUT", book.link(there.id).url, data=there.data)
    assert _code(put) == (HTTPStatus.FORBIDDEN, "forbidden")
    post = book.call("POST", plan.upload.url, data=missing.data)
    assert _code(post) == (HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")


def test_a_tampered_link_is_refused(book: BookApi) -> None:
    bill = a_document()
    (plan,) = book.plan(bill)
    assert plan.upload is not None
    base, _, token = plan.upload.url.rpartition("/")
    head, claims, signature = token.split(".")
    other = claims[:-2] + ("AA" if claims[-2:] != "AA" else "BB")
    for tampered in (
        *(f"{head}.{other}.{signature}", f"{head}.{claims}.", f"{head}.{claims}", "x"),
        book.signed_in.access_token,
        book.signed_in.refresh_token,
    ):
        answer = book.call("PUT", f"{base}/{tampered}", data=bill.data)
        assert _code(answer) == (HTTPStatus.FORBIDDEN, "forbidden")


def test_a_link_is_no_access_token(book: BookApi) -> None:
    bill = a_document()
    book.add(bill)
    token = book.link(bill.id).url.rpartition("/")[2]
    assert refusal(book.with_token(token).page).code == "unauthenticated"


def test_a_link_needs_no_other_authority(server: RunningServer, book: BookApi) -> None:
    bill = a_document()
    book.add(bill)
    assert server.api().call("GET", book.link(bill.id).url).content == bill.data


def test_a_part_of_a_bill_can_be_fetched(book: BookApi) -> None:
    bill = a_document()
    book.add(bill)
    answer = book.call("GET", book.link(bill.id).url, headers={"Range": "bytes=8-15"})
    assert answer.status_code == HTTPStatus.PARTIAL_CONTENT
    assert answer.content == bill.data[8:16]


@pytest.mark.parametrize("id_", ["0197e3a5-1111-7aaa-8bbb-123456789abc", "x", "..%2f..%2fetc%2fpasswd"])
def test_a_document_that_is_not_there_is_not_found(book: BookApi, id_: str) -> None:
    assert refusal(lambda: book.link(id_)).code == "not_found"


def test_bytes_that_were_lost_are_told(server: RunningServer, book: BookApi) -> None:
    bill = a_document()
    book.add(bill)
    url = book.link(bill.id).url
    _kept(server, book)[0].unlink()
    assert _code(book.call("GET", url)) == (HTTPStatus.NOT_FOUND, "not_found")


def test_a_store_that_cannot_write_says_so(start_server: Start) -> None:
    server = start_server()
    book = server.api().register()
    folder = server.config.folder / "documents"
    folder.mkdir(exist_ok=True)
    (folder / book.book_id).write_text("a file in the folder's place")
    bill = a_document()
    answer = server.api().call("PUT", _upload_url(server, book, bill.sha256, len(bill.data)), data=bill.data)
    assert _code(answer) == (HTTPStatus.SERVICE_UNAVAILABLE, "store_unavailable")
    assert answer.headers["Retry-After"] == "1"


def _upload_url(server: RunningServer, book: BookApi, sha256: str, size: int) -> str:
    link = SignedUrl("PUT", UUID(book.book_id), sha256, size, "image/png")
    return make_url(server.services.signer, server.url, link, int(server.services.clock()))[0]
