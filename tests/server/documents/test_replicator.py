"""Bytes on their way between regions: eagerly, on demand, resumed, refused; real servers and stores."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.datastructures import Headers
from starlette.responses import FileResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from server.api import peers as peer_calls
from server.contract import paths, peers
from server.contract.peers import BytesQuestion
from server.documents import replicator
from server.peers import questions
from server.tokens.tokens import Signer
from tests.support.api import Bill, BookApi, a_document, refusal
from tests.support.journal import document_row, entry_row, write_journal
from tests.support.mesh import REPLICATED
from tests.support.postgres import Cluster, rows
from tests.support.regional import SINGAPORE
from tests.support.servers import RunningServer
from tests.support.two_regions import MUMBAI_1, SINGAPORE_1, TwoRegions, status, two_regions
from tests.support.waiting import wait_until

NEIGHBOUR = "sg-2"


@pytest.fixture
def regions(cluster: Cluster, tmp_path: Path) -> Iterator[TwoRegions]:
    with two_regions(cluster, tmp_path, MUMBAI_1, SINGAPORE_1, NEIGHBOUR) as both:
        yield both


@pytest.fixture
def book(regions: TwoRegions) -> BookApi:
    """A book in Mumbai."""
    return regions.start(MUMBAI_1).api().register()


def file_of(server: RunningServer, book: BookApi, bill: Bill) -> Path:
    return server.config.documents_folder / book.book_id / bill.sha256


def part_of(server: RunningServer, book: BookApi, bill: Bill) -> Path:
    return server.config.folder / "copies" / f"{book.book_id}.{bill.sha256}"


def wanted(regions: TwoRegions, code: str = "sg") -> list[tuple[Any, ...]]:
    return rows(regions.urls[code], "select sha256, tries from public.document_wanted order by since")


def try_now(regions: TwoRegions) -> None:
    rows(regions.urls["sg"], "update public.document_wanted set next_try = now()")


def want(regions: TwoRegions, bill: Bill, when: str) -> None:
    """Set when one bill is tried next, from now."""
    change = "update public.document_wanted set next_try = now() + %s::interval where sha256 = %s"
    rows(regions.urls["sg"], change, when, bill.sha256)


def a_large_bill() -> Bill:
    return a_document(b"%PDF-1.7\n" + bytes(range(256)) * 4_000, media_type="application/pdf")


class Trickle:
    """Answers for the servers that are asked for bytes: the bill `slow` comes byte by byte until `released`;
    `starts` are the places from which on it was asked for."""

    def __init__(self) -> None:
        self.slow = a_large_bill()
        self.starts: list[int] = []
        self.released = threading.Event()

    def __call__(self, path: Path, media_type: str) -> Any:
        if path.name != self.slow.sha256:
            return FileResponse(path, media_type=media_type)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            data = path.read_bytes()
            start = int(Headers(scope=scope)["range"].removeprefix("bytes=").removesuffix("-"))
            self.starts.append(start)
            headers = {
                "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}",
                "Content-Length": str(len(data) - start),
            }
            await StreamingResponse(self._bytes(data[start:]), 206, headers)(scope, receive, send)

        return answer

    async def _bytes(self, data: bytes) -> AsyncIterator[bytes]:
        sent = 0
        while sent < len(data) and not self.released.is_set():
            yield data[sent : sent + 1]
            sent += 1
            await asyncio.sleep(0.02)
        yield data[sent:]


@pytest.fixture
def trickle(monkeypatch: pytest.MonkeyPatch) -> Trickle:
    """One bill that comes slowly, once a test adds it to a book."""
    trickle = Trickle()
    monkeypatch.setattr(peer_calls, "FileResponse", trickle)
    return trickle


# --- eagerly ------------------------------------------------------------------------------------------


def test_bytes_follow_the_rows_to_the_other_region(regions: TwoRegions, book: BookApi) -> None:
    singapore = regions.start(SINGAPORE_1)
    bills = [a_document(), a_large_bill(), a_document()]
    saved = book.add(*bills)
    assert wanted(regions, "in") == []  # what is accepted with its bytes is never wanted
    regions.carry("in", "sg")
    wait_until(lambda: wanted(regions) == [])
    for bill in bills:
        assert file_of(singapore, book, bill).read_bytes() == bill.data
        assert not part_of(singapore, book, bill).exists()
    assert status(book, saved).operations[0].bytes_in == ["ap-south-1", SINGAPORE]


def test_two_servers_of_a_region_share_the_work_and_the_store(
    regions: TwoRegions, book: BookApi, tmp_path: Path
) -> None:
    bills = [a_document() for _ in range(30)]
    for start in (0, 15):
        book.add(*bills[start : start + 15])
    shared = str(tmp_path / "bills of Singapore")
    one = regions.start(SINGAPORE_1, documents=shared)
    regions.start(NEIGHBOUR, documents=shared)
    regions.carry("in", "sg")
    wait_until(lambda: wanted(regions) == [])
    assert all(file_of(one, book, bill).read_bytes() == bill.data for bill in bills)


def test_bytes_that_the_client_sent_meanwhile_are_not_fetched_again(
    regions: TwoRegions, book: BookApi
) -> None:
    bill = a_document()
    book.add(bill)
    regions.carry("in", "sg")
    file_of(regions.servers[MUMBAI_1], book, bill).unlink()
    singapore = regions.start(SINGAPORE_1)
    singapore.api().login(book.signed_in.user_name).upload(bill)
    try_now(regions)
    wait_until(lambda: wanted(regions) == [])


def test_a_bill_of_two_entries_is_fetched_once(regions: TwoRegions, book: BookApi) -> None:
    bill, entry = a_document(), entry_row()
    book.add(bill)
    twice = [document_row(entry.id), document_row(entry.id)]
    write_journal(regions.urls["sg"], book.book_id, [entry, *twice], as_replica=True)
    assert wanted(regions) == [("0" * 64, 0)]


def test_bills_older_than_the_list_are_found_by_the_sweep(regions: TwoRegions, book: BookApi) -> None:
    bill, kept = a_document(), a_document()
    book.add(bill, kept)
    regions.carry("in", "sg", *REPLICATED)
    rows(regions.urls["sg"], "delete from public.document_wanted")
    singapore = regions.start(SINGAPORE_1)  # it sweeps at its start
    wait_until(lambda: file_of(singapore, book, bill).exists() and file_of(singapore, book, kept).exists())
    wait_until(lambda: wanted(regions) == [])  # a copy leaves the list a moment after its file is there
    file_of(singapore, book, bill).unlink()
    assert singapore.run(singapore.services.documents.replicator.sweep()) == 1
    wait_until(file_of(singapore, book, bill).exists)
    assert singapore.run(singapore.services.documents.replicator.sweep()) == 0


def test_a_sweep_that_failed_comes_again_soon(
    regions: TwoRegions, book: BookApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(replicator, "_SWEEP_AGAIN_SECONDS", 0.05)
    bill = a_document()
    book.add(bill)
    regions.carry("in", "sg")
    rows(regions.urls["sg"], "delete from public.document_wanted")
    in_the_way = regions.regional.data(SINGAPORE_1) / "copies"
    in_the_way.touch()
    singapore = regions.start(SINGAPORE_1)
    wait_until(lambda: "sweep failed; retrying" in caplog.messages)
    in_the_way.unlink()
    wait_until(file_of(singapore, book, bill).exists)


def test_copies_that_nobody_goes_on_with_are_forgotten_and_one_that_vanishes_holds_up_no_sweep(
    regions: TwoRegions, book: BookApi
) -> None:
    bill = a_document()
    book.add(bill)
    regions.carry("in", "sg")
    rows(regions.urls["sg"], "delete from public.document_wanted")
    folder = regions.regional.data(SINGAPORE_1) / "copies"
    folder.mkdir()
    old, fresh, gone = folder / "old", folder / "fresh", folder / "gone"
    for part in (old, fresh):
        part.write_bytes(b"%PDF")
    os.utime(old, (time.time() - 90_000,) * 2)
    gone.symlink_to(folder / "nowhere")  # to a look at it, a file that vanished after the folder was read
    singapore = regions.start(SINGAPORE_1)
    wait_until(file_of(singapore, book, bill).exists)
    assert (old.exists(), fresh.exists()) == (False, True)


# --- one that is slow ---------------------------------------------------------------------------------


def test_a_slow_bill_does_not_delay_others(regions: TwoRegions, book: BookApi, trickle: Trickle) -> None:
    bills = [trickle.slow, *(a_document() for _ in range(19))]
    late = bills[-1]
    for start in (0, 10):
        book.add(*bills[start : start + 10])
    regions.carry("in", "sg")
    want(regions, trickle.slow, "-1 hour")  # so it is among the first
    want(regions, late, "1 day")
    singapore = regions.start(SINGAPORE_1)
    wait_until(lambda: {sha256 for sha256, _ in wanted(regions)} == {trickle.slow.sha256, late.sha256})
    want(regions, late, "0")  # while only the slow one is under way
    wait_until(file_of(singapore, book, late).exists)
    assert not file_of(singapore, book, trickle.slow).exists()
    trickle.released.set()
    wait_until(lambda: wanted(regions) == [])
    assert all(file_of(singapore, book, bill).read_bytes() == bill.data for bill in bills)


def test_a_slow_bill_that_is_claimed_again_is_fetched_once_and_takes_no_second_place(
    regions: TwoRegions, book: BookApi, trickle: Trickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicator, "_AT_ONCE", 2)
    other = a_document()
    book.add(trickle.slow, other)
    regions.carry("in", "sg")
    want(regions, other, "1 day")
    singapore = regions.start(SINGAPORE_1)
    for number in (1, 2, 3):
        wait_until(lambda number=number: (trickle.slow.sha256, number) in wanted(regions))
        want(regions, trickle.slow, "0")  # as two minutes later
    want(regions, other, "0")
    wait_until(file_of(singapore, book, other).exists)
    trickle.released.set()
    wait_until(lambda: wanted(regions) == [])
    assert trickle.starts == [0]
    assert file_of(singapore, book, trickle.slow).read_bytes() == trickle.slow.data


def test_a_bill_that_takes_too_long_is_tried_again_from_where_it_was(
    regions: TwoRegions, book: BookApi, trickle: Trickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicator, "_ATTEMPT_SECONDS", 0.3)
    book.add(trickle.slow)
    regions.carry("in", "sg")
    singapore = regions.start(SINGAPORE_1)
    wait_until(lambda: try_now(regions) or len(trickle.starts) > 1, pause=0.1)  # whatever the pauses became
    monkeypatch.setattr(replicator, "_ATTEMPT_SECONDS", 600)
    trickle.released.set()
    there = file_of(singapore, book, trickle.slow)
    wait_until(lambda: try_now(regions) or there.exists(), pause=0.1)
    assert trickle.starts[0] == 0 < trickle.starts[1]
    assert file_of(singapore, book, trickle.slow).read_bytes() == trickle.slow.data


# --- resumed, and refused -----------------------------------------------------------------------------


def test_a_partial_copy_is_resumed(regions: TwoRegions, book: BookApi) -> None:
    bill = a_large_bill()
    book.add(bill)
    half = len(bill.data) // 2
    # Only who asks for the second half alone gets it all: the first half is damaged over there.
    source = file_of(regions.servers[MUMBAI_1], book, bill)
    source.write_bytes(bytes(half) + bill.data[half:])
    part = regions.regional.data(SINGAPORE_1) / "copies" / f"{book.book_id}.{bill.sha256}"
    part.parent.mkdir(parents=True)
    part.write_bytes(bill.data[:half])
    regions.carry("in", "sg")
    singapore = regions.start(SINGAPORE_1)
    wait_until(lambda: wanted(regions) == [])
    assert file_of(singapore, book, bill).read_bytes() == bill.data
    assert not part.exists()


@pytest.mark.parametrize("beyond", [b"", b"more than there is"])
def test_a_copy_that_was_whole_or_too_long_ends_whole(
    regions: TwoRegions, book: BookApi, beyond: bytes
) -> None:
    bill = a_large_bill()
    book.add(bill)
    part = regions.regional.data(SINGAPORE_1) / "copies" / f"{book.book_id}.{bill.sha256}"
    part.parent.mkdir(parents=True)
    part.write_bytes(bill.data + beyond)
    regions.carry("in", "sg")
    singapore = regions.start(SINGAPORE_1)
    wait_until(lambda: all(tries > 0 for _, tries in wanted(regions)))
    try_now(regions)
    wait_until(lambda: wanted(regions) == [])
    assert file_of(singapore, book, bill).read_bytes() == bill.data


def test_a_damaged_copy_is_never_kept_and_a_whole_one_taken_later(regions: TwoRegions, book: BookApi) -> None:
    bill, other = a_document(), a_document()
    book.add(bill, other)
    source = file_of(regions.servers[MUMBAI_1], book, bill)
    source.write_bytes(bill.data[:-1] + bytes([bill.data[-1] ^ 1]))
    regions.carry("in", "sg")
    singapore = regions.start(SINGAPORE_1)
    wait_until(lambda: [tries > 0 for _, tries in wanted(regions)] == [True])
    assert wanted(regions)[0][0] == bill.sha256  # the other one came through
    assert not file_of(singapore, book, bill).exists()
    wait_until(lambda: not part_of(singapore, book, bill).exists())
    source.write_bytes(bill.data)
    try_now(regions)
    wait_until(file_of(singapore, book, bill).exists)
    assert file_of(singapore, book, bill).read_bytes() == bill.data


def test_more_or_fewer_bytes_than_the_row_says_are_refused(regions: TwoRegions, book: BookApi) -> None:
    bills = [a_document(), a_document()]
    book.add(*bills)
    for bill, data in zip(bills, (bills[0].data + b"x" * 200_000, bills[1].data[:-1]), strict=True):
        file_of(regions.servers[MUMBAI_1], book, bill).write_bytes(data)
    regions.carry("in", "sg")
    singapore = regions.start(SINGAPORE_1)
    wait_until(lambda: [tries > 0 for _, tries in wanted(regions)] == [True, True])
    assert not any(file_of(singapore, book, bill).exists() for bill in bills)


# --- on demand ----------------------------------------------------------------------------------------


def test_a_bill_that_somebody_asks_for_is_fetched_at_once(regions: TwoRegions, book: BookApi) -> None:
    bill = a_large_bill()
    book.add(bill)
    regions.carry("in", "sg")
    rows(regions.urls["sg"], "update public.document_wanted set next_try = now() + interval '1 day'")
    singapore = regions.start(SINGAPORE_1)
    there = singapore.api().login(book.signed_in.user_name)
    assert there.fetch(bill.id) == bill.data
    assert file_of(singapore, book, bill).exists()


def test_while_its_region_is_away_a_bill_is_on_its_way_and_not_lost(
    regions: TwoRegions, book: BookApi
) -> None:
    bill = a_document()
    book.add(bill)
    regions.carry("in", "sg")
    regions.close()
    singapore = regions.start(SINGAPORE_1)
    there = singapore.api().login(book.signed_in.user_name)
    assert refusal(lambda: there.fetch(bill.id)).code == "store_unavailable"
    regions.regional.tell(singapore, {MUMBAI_1: "down"})
    assert refusal(lambda: there.fetch(bill.id)).code == "store_unavailable"
    wait_until(lambda: wanted(regions)[0][1] > 0)
    regions.start(MUMBAI_1)
    regions.regional.tell(singapore)
    try_now(regions)
    wait_until(lambda: wanted(regions) == [])
    assert there.fetch(bill.id) == bill.data


def test_a_bill_that_no_region_has_is_not_found(regions: TwoRegions, book: BookApi) -> None:
    bill = a_document()
    book.add(bill)
    file_of(regions.servers[MUMBAI_1], book, bill).unlink()
    regions.carry("in", "sg")
    there = regions.start(SINGAPORE_1).api().login(book.signed_in.user_name)
    assert refusal(lambda: there.fetch(bill.id)).code == "not_found"


# --- who gets bytes -----------------------------------------------------------------------------------


def ask(
    server: RunningServer, key: Ed25519PrivateKey, kind: str = peers.BYTES, **changes: Any
) -> requests.Response:
    values: dict[str, Any] = {
        "server_id": SINGAPORE_1,
        "to": MUMBAI_1,
        "sent_at_ms": int(time.time() * 1_000),
    }
    text = questions.sign(Signer(key), kind, BytesQuestion(**{**values, **changes}))
    return server.api().call("GET", paths.PEER_BYTES, headers={paths.PEER_HEADER: text})


def test_a_server_of_the_roster_gets_the_bytes_of_the_book_it_names(
    regions: TwoRegions, book: BookApi
) -> None:
    bill = a_document()
    book.add(bill)
    mumbai, key = regions.servers[MUMBAI_1], regions.regional.cluster.keys[SINGAPORE_1]
    stranger = mumbai.api().register()
    assert ask(mumbai, key, book_id=book.book_id, sha256=bill.sha256).content == bill.data
    for book_id, sha256 in (
        (stranger.book_id, bill.sha256),
        (str(uuid4()), bill.sha256),
        (book.book_id, "0" * 64),
        (book.book_id, "../../server-key.pem"),
        ("..", bill.sha256),
    ):
        answer = ask(mumbai, key, book_id=book_id, sha256=sha256)
        assert answer.status_code == HTTPStatus.NOT_FOUND


def test_requests_without_a_valid_signature_get_no_bytes(regions: TwoRegions, book: BookApi) -> None:
    bill = a_document()
    book.add(bill)
    mumbai, keys = regions.servers[MUMBAI_1], regions.regional.cluster.keys
    about = {"book_id": book.book_id, "sha256": bill.sha256}
    key, now_ms = keys[SINGAPORE_1], int(time.time() * 1_000)
    for answer in (
        mumbai.api().call("GET", paths.PEER_BYTES),
        mumbai.api().call("GET", paths.PEER_BYTES, headers={paths.PEER_HEADER: "x"}),
        book.call("GET", paths.PEER_BYTES),
        ask(mumbai, Ed25519PrivateKey.generate(), **about),
        ask(mumbai, keys[NEIGHBOUR], **about),
        ask(mumbai, key, **about, to=NEIGHBOUR),
        ask(mumbai, key, **about, sent_at_ms=now_ms - 61_000),
        ask(mumbai, key, **about, kind=peers.STATUS),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (HTTPStatus.FORBIDDEN, "forbidden")


def test_a_row_that_names_the_hash_of_another_book_gets_nothing(regions: TwoRegions, book: BookApi) -> None:
    bill = a_document()
    book.add(bill)
    singapore = regions.start(SINGAPORE_1)
    stranger = singapore.api().register()
    entry = entry_row()
    row = document_row(entry.id)
    row.doc.update(sha256=bill.sha256, byteSize=len(bill.data))
    write_journal(regions.urls["sg"], stranger.book_id, [entry, row], as_replica=True)
    wait_until(lambda: [tries > 0 for _, tries in wanted(regions)] == [True])
    assert refusal(lambda: stranger.fetch(row.id)).code == "not_found"
    assert not singapore.services.documents.store.path(UUID(stranger.book_id), bill.sha256).exists()
