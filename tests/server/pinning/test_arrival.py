"""A client moves to the closer region once what it has written is there: two regions, rows by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.contract import paths, shapes
from tests.support.api import BookApi
from tests.support.postgres import Cluster, rows
from tests.support.regional import MUMBAI, SINGAPORE
from tests.support.two_regions import MUMBAI_1, SINGAPORE_1, TwoRegions, two_regions


@pytest.fixture
def regions(cluster: Cluster, tmp_path: Path) -> Iterator[TwoRegions]:
    with two_regions(cluster, tmp_path) as both:
        yield both


@pytest.fixture
def book(regions: TwoRegions) -> BookApi:
    mumbai = regions.start(MUMBAI_1)
    regions.start(SINGAPORE_1)
    regions.regional.tell(mumbai)
    return mumbai.api().register()


def nearer_to(regions: TwoRegions, book: BookApi, closest: str, at: str = MUMBAI_1) -> tuple[str, str]:
    """Refresh where another region is closest; return the rule and the region."""
    body = shapes.RefreshRequest(book.signed_in.refresh_token, "r1", closest)
    answer = regions.servers[at].api().send("POST", paths.AUTH_REFRESH, shapes.Refreshed, body)
    return answer.reason, answer.primary.region


def test_a_client_stays_until_its_last_change_has_arrived(regions: TwoRegions, book: BookApi) -> None:
    book.add()
    assert nearer_to(regions, book, SINGAPORE_1) == ("closer_region", MUMBAI)
    regions.carry("in", "sg")
    assert nearer_to(regions, book, SINGAPORE_1) == ("closer_region", SINGAPORE)
    book.add()
    assert nearer_to(regions, book, SINGAPORE_1) == ("closer_region", MUMBAI)


def test_changes_of_other_devices_do_not_delay_a_move(regions: TwoRegions, book: BookApi) -> None:
    regions.carry("in", "sg")
    regions.servers[MUMBAI_1].api().login(book.signed_in.user_name).add()
    assert nearer_to(regions, book, SINGAPORE_1) == ("closer_region", SINGAPORE)


def test_old_changes_are_not_checked(regions: TwoRegions, book: BookApi) -> None:
    """Its session and its device are rows too."""
    assert nearer_to(regions, book, SINGAPORE_1) == ("closer_region", MUMBAI)
    rows(regions.urls["in"], "update public.journal set at = at - interval '16 minutes'")
    assert nearer_to(regions, book, SINGAPORE_1) == ("closer_region", SINGAPORE)


def test_half_of_an_operation_has_not_arrived(regions: TwoRegions, book: BookApi) -> None:
    saved = book.add()
    book_id, op_id = book.book_id, saved.op_id
    regions.carry("in", "sg")
    half = (
        "insert into public.journal (book_id, op_id, kind, id, ver, doc, author, device, region)"
        " select book_id, op_id, 'later', id, ver, '{}', author, device, region from public.journal"
        " where book_id = %s and op_id = %s"
    )
    rows(regions.urls["in"], half, book_id, op_id)
    assert nearer_to(regions, book, SINGAPORE_1) == ("closer_region", MUMBAI)


def test_where_the_region_does_not_answer_nothing_has_arrived(regions: TwoRegions) -> None:
    mumbai = regions.start(MUMBAI_1)
    regions.regional.tell(mumbai)
    book = mumbai.api().register()
    regions.carry("in", "sg")
    assert nearer_to(regions, book, SINGAPORE_1) == ("closer_region", MUMBAI)


def test_the_other_region_cannot_tell_what_it_has_not_heard_of(regions: TwoRegions, book: BookApi) -> None:
    """It may answer a refresh, but only the region that took the changes knows them."""
    regions.carry("in", "sg")
    book.add()
    regions.regional.tell(regions.servers[SINGAPORE_1])
    assert nearer_to(regions, book, SINGAPORE_1, at=SINGAPORE_1) == ("closer_region", MUMBAI)


def test_arrival_is_not_checked_if_an_earlier_rule_decides(regions: TwoRegions, book: BookApi) -> None:
    asked = []

    async def note(*question: object) -> bool:
        asked.append(question)
        return True

    regions.servers[MUMBAI_1].services.placement.writes_arrived = note
    assert nearer_to(regions, book, MUMBAI_1) == ("balance", MUMBAI)
    body = shapes.RefreshRequest(
        book.signed_in.refresh_token, "r1", SINGAPORE_1, critical_task_in_progress=True
    )
    book.send("POST", paths.AUTH_REFRESH, shapes.Refreshed, body)
    book.call("POST", paths.AUTH_REFRESH, json={"refreshToken": "x", "refreshId": "y"})
    assert asked == []
