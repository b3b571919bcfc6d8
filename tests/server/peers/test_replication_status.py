"""Where a change is: asked of real servers with a database and a store each, over HTTP."""

import socket
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.contract import cluster_calls, limits, paths, peers, shapes
from server.contract.peers import AskedOperation, PeerRequest, PeerStatus, StatusQuestion
from server.peers import client, questions
from server.tokens.tokens import Signer
from tests.support.api import Api, BookApi, a_document, read, refusal
from tests.support.postgres import Cluster
from tests.support.regional import MUMBAI, SINGAPORE
from tests.support.servers import StillClock
from tests.support.two_regions import MUMBAI_1, SINGAPORE_1, TwoRegions, status, two_regions

OTHER_MUMBAI, OTHER_SINGAPORE = "in-2", "sg-2"


@pytest.fixture
def regions(cluster: Cluster, tmp_path: Path) -> Iterator[TwoRegions]:
    with two_regions(cluster, tmp_path, MUMBAI_1, SINGAPORE_1, OTHER_SINGAPORE) as both:
        yield both


@pytest.fixture
def book(regions: TwoRegions) -> BookApi:
    """A book in Mumbai; a server of Singapore runs too."""
    mumbai = regions.start(MUMBAI_1)
    regions.start(SINGAPORE_1)
    regions.regional.tell(mumbai, {OTHER_SINGAPORE: "down"})
    return mumbai.api().register()


def _where(found: cluster_calls.SyncStatus) -> list[tuple[list[str], list[str]]]:
    return [(each.row_in, each.bytes_in) for each in found.operations]


# --- the truth ----------------------------------------------------------------------------------------


def test_a_change_is_here_and_there_once_it_has_arrived(regions: TwoRegions, book: BookApi) -> None:
    saved = book.add()
    before = status(book, saved)
    assert (before.regions, before.silent) == ([MUMBAI, SINGAPORE], [])
    assert before.operations[0].row_in == [MUMBAI]
    regions.carry("in", "sg")
    assert _where(status(book, saved)) == [([MUMBAI, SINGAPORE], [MUMBAI, SINGAPORE])]


def test_row_and_bytes_are_told_apart(regions: TwoRegions, book: BookApi) -> None:
    bill, plain = a_document(), book.add()
    saved = book.add(bill)
    assert _where(status(book, saved, plain)) == [([MUMBAI], [MUMBAI]), ([MUMBAI], [MUMBAI, SINGAPORE])]
    store = regions.servers[SINGAPORE_1].config.documents_folder / book.book_id
    store.mkdir(parents=True)
    (store / bill.sha256).write_bytes(bill.data)  # as the client sends it to both
    assert _where(status(book, saved)) == [([MUMBAI], [MUMBAI, SINGAPORE])]


def test_a_change_that_only_the_other_region_has_is_told_with_its_bills(
    regions: TwoRegions, book: BookApi
) -> None:
    regions.carry("in", "sg")
    name = book.signed_in.user_name
    there = regions.servers[SINGAPORE_1].api().login(name)
    bill = a_document()
    saved = there.add(bill)
    assert _where(status(book, saved)) == [([SINGAPORE], [SINGAPORE])]
    book.upload(bill)
    assert _where(status(book, saved)) == [([SINGAPORE], [MUMBAI, SINGAPORE])]


def test_a_bill_that_a_change_takes_away_is_none_that_it_brings(regions: TwoRegions, book: BookApi) -> None:
    bill = a_document()
    saved = book.add(bill)
    body = shapes.EditEntry(
        str(uuid4()),
        saved.entry.ver + 1,
        saved.entry.ver,
        *(saved.entry.entry_date, "1.00", "DR", "Other", ""),
        remove_documents=[bill.id],
    )
    edited = book.send("PUT", paths.ENTRY.format(id=saved.entry.id), shapes.EntrySaved, body)
    regions.servers[MUMBAI_1].services.documents.store.path(UUID(book.book_id), bill.sha256).unlink()
    assert _where(status(book, edited, saved)) == [([MUMBAI], [MUMBAI, SINGAPORE]), ([MUMBAI], [])]


def test_bytes_that_were_lost_are_not_claimed(regions: TwoRegions, book: BookApi) -> None:
    bill = a_document()
    saved = book.add(bill)
    regions.servers[MUMBAI_1].services.documents.store.path(UUID(book.book_id), bill.sha256).unlink()
    assert _where(status(book, saved)) == [([MUMBAI], [])]


def test_two_hundred_operations_are_asked_in_batches_and_told_in_order(
    regions: TwoRegions, book: BookApi
) -> None:
    saved = [book.add() for _ in range(3)]
    op_ids = [str(uuid4()) for _ in range(limits.MAX_SYNC_OPERATIONS - 3)]
    asked = [saved[0].op_id, *op_ids[:120], saved[1].op_id, *op_ids[120:], saved[2].op_id]
    regions.carry("in", "sg")
    found = status(book, *asked)
    assert [each.op_id for each in found.operations] == asked
    arrived = [each.op_id for each in found.operations if each.row_in == [MUMBAI, SINGAPORE]]
    assert arrived == [each.op_id for each in saved]
    error = refusal(lambda: status(book, *asked, str(uuid4())))
    assert list(error.fields) == ["opIds"]
    assert refusal(lambda: status(book, "x")).code == "invalid_fields"


def test_nobody_learns_where_another_books_changes_are(regions: TwoRegions, book: BookApi) -> None:
    bill = a_document()
    saved = book.add(bill)
    stranger = regions.servers[MUMBAI_1].api().register()
    regions.carry("in", "sg")
    assert _where(status(stranger, saved)) == [([], [])]
    stranger.upload(bill)
    assert _where(status(stranger, saved)) == [([], [])]


def test_who_is_not_signed_in_asks_in_vain(regions: TwoRegions, book: BookApi) -> None:
    api = regions.servers[MUMBAI_1].api()
    body = cluster_calls.SyncStatusRequest([])
    assert (
        refusal(lambda: api.send("POST", paths.SYNC_STATUS, cluster_calls.SyncStatus, body)).code
        == "unauthenticated"
    )


def test_a_server_that_is_a_cluster_of_its_own_knows_of_itself_only(book: BookApi, start_server: Any) -> None:
    alone = start_server().api().register()
    saved = alone.add()
    assert status(alone, saved) == cluster_calls.SyncStatus(
        [cluster_calls.OperationStatus(saved.op_id, ["test"], ["test"])], ["test"], []
    )


# --- regions that do not answer -----------------------------------------------------------------------


def test_a_region_that_does_not_answer_is_named_and_nothing_is_said_of_it(regions: TwoRegions) -> None:
    book = regions.start(MUMBAI_1).api().register()
    saved = book.add()
    found = status(book, saved)
    assert found.silent == [SINGAPORE]
    assert _where(found) == [([MUMBAI], [MUMBAI])]


def test_another_server_of_the_region_is_asked_where_the_first_is_dead(regions: TwoRegions) -> None:
    mumbai = regions.start(MUMBAI_1)
    regions.start(SINGAPORE_1)  # its neighbour is dead, and discovery has not noticed
    book = mumbai.api().register()
    regions.regional.tell(mumbai)
    for _ in range(6):
        assert status(book).silent == []


def test_a_server_that_hangs_makes_its_region_silent_within_the_limit(
    regions: TwoRegions, monkeypatch: pytest.MonkeyPatch
) -> None:
    mumbai = regions.start(MUMBAI_1)
    book = mumbai.api().register()
    saved = book.add()
    regions.regional.tell(mumbai, {OTHER_SINGAPORE: "down"})
    port = int(regions.regional.url(SINGAPORE_1).rpartition(":")[2])
    with (
        socket.create_server(("127.0.0.1", port)),  # takes connections, and that is all
        monkeypatch.context() as impatient,
    ):
        impatient.setattr(client, "SECONDS", 0.3)
        assert status(book, saved).silent == [SINGAPORE]


def test_an_answer_by_another_server_than_the_one_asked_is_none(regions: TwoRegions) -> None:
    mumbai = regions.start(MUMBAI_1)
    singapore = regions.start(SINGAPORE_1)
    regions.regional.tell(mumbai, {OTHER_SINGAPORE: "down"})
    singapore.services.replication_lookup.server_id = OTHER_SINGAPORE
    assert status(mumbai.api().register()).silent == [SINGAPORE]


# --- who may ask --------------------------------------------------------------------------------------


def _question(**changes: Any) -> StatusQuestion:
    values: dict[str, Any] = {
        "server_id": MUMBAI_1,
        "to": SINGAPORE_1,
        "sent_at_ms": int(time.time() * 1_000),
        "book_id": str(uuid4()),
        "operations": [AskedOperation(str(uuid4()), [])],
    }
    return StatusQuestion(**{**values, **changes})


def _ask(
    api: Api, key: Ed25519PrivateKey, question: StatusQuestion, kind: str = peers.STATUS
) -> requests.Response:
    body = PeerRequest(questions.sign(Signer(key), kind, question))
    return api.call("POST", paths.PEER_STATUS, data=msgspec.json.encode(body))


def test_a_server_of_the_roster_is_answered(regions: TwoRegions) -> None:
    api, key = regions.start(SINGAPORE_1).api(), regions.regional.cluster.keys[MUMBAI_1]
    assert read(_ask(api, key, _question()), PeerStatus) == PeerStatus(SINGAPORE_1, [], [])


def test_nobody_else_is_answered(regions: TwoRegions) -> None:
    regions.clock = StillClock()
    api, keys = regions.start(SINGAPORE_1).api(), regions.regional.cluster.keys
    now_ms = int(regions.clock() * 1_000)
    mine = keys[MUMBAI_1]
    assert _ask(api, mine, _question(sent_at_ms=now_ms - 59_000)).ok
    assert _ask(api, mine, _question(sent_at_ms=now_ms + 59_000)).ok
    for answer in (
        _ask(api, Ed25519PrivateKey.generate(), _question()),  # of another cluster
        _ask(api, keys[SINGAPORE_1], _question()),  # a server of the roster in another's name
        _ask(api, regions.regional.cluster.key, _question()),
        _ask(api, mine, _question(server_id="in-9")),
        _ask(api, mine, _question(to=OTHER_SINGAPORE)),
        _ask(api, mine, _question(sent_at_ms=now_ms - 61_000)),
        _ask(api, mine, _question(sent_at_ms=now_ms + 61_000)),
        _ask(api, mine, _question(), kind=peers.BYTES),
        _ask(api, mine, _question(), kind="bahi-heartbeat"),
        api.call("POST", paths.PEER_STATUS, data=b'{"question": "who is there?"}'),
        api.call("POST", paths.PEER_STATUS, data=b'{"question": "a.b.c"}'),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (HTTPStatus.FORBIDDEN, "forbidden")


def test_a_server_that_left_the_roster_is_answered_no_more(regions: TwoRegions) -> None:
    singapore, cluster = regions.start(SINGAPORE_1), regions.regional.cluster
    question = _question()
    assert _ask(singapore.api(), cluster.keys[MUMBAI_1], question).ok
    left = [each for each in cluster.roster.servers if each.id != MUMBAI_1]
    text = regions.regional.publish(servers=left, version=cluster.roster.version + 1)

    async def take() -> bool:
        return singapore.services.membership.offer_roster(text)

    singapore.run(take())
    assert _ask(singapore.api(), cluster.keys[MUMBAI_1], question).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "changes",
    [
        {"book_id": "../.."},
        {"operations": [AskedOperation("x", [])]},
        {"operations": [AskedOperation(str(uuid4()), ["../../server-key.pem"])]},
        {"operations": [AskedOperation(str(uuid4()), [])] * (limits.MAX_SYNC_OPERATIONS + 1)},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(regions: TwoRegions, changes: dict[str, Any]) -> None:
    api, key = regions.start(SINGAPORE_1).api(), regions.regional.cluster.keys[MUMBAI_1]
    answer = _ask(api, key, _question(**changes))
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
