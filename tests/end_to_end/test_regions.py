"""Two regions in a mesh, real processes all: one is destroyed under its clients, and what it had confirmed is
complete in the other; an answer that was lost, and brought again elsewhere, beats no newer edit."""

from collections.abc import Iterator

import pytest

from server.contract import paths, shapes
from tests.support import haproxy
from tests.support.api import Api, BookApi, new_id, now_us
from tests.support.cluster import Cluster, Region
from tests.support.postgres import rows
from tests.support.region_failovers import RegionCampaign, switch_link
from tests.support.regions_verdict import diverged_rows, forget_book, wait_until_equal
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(haproxy.program() is None, reason="HAProxy is not installed"),
]
MUMBAI = Region("ap-south-1", "M", ("in-mum-1",))
SINGAPORE = Region("ap-southeast-1", "S", ("sg-sin-1",))
CLIENTS = 2
SECONDS = 60


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegionCampaign]:
    """Two regions of one server each, joined."""
    folder = tmp_path_factory.mktemp("regions")
    both = (MUMBAI, SINGAPORE)
    with RegionCampaign(folder, CLIENTS, pause=0.2, quick=True, regions=both, say=lambda _: None) as campaign:
        yield campaign


def urls(cluster: Cluster) -> dict[str, str]:
    return {code: cluster.database_url(code) for code in (MUMBAI.code, SINGAPORE.code)}


def test_what_a_destroyed_region_had_confirmed_is_complete_in_the_other(regions: RegionCampaign) -> None:
    regions.start_clients()
    regions.lose("destroy", held="rows", confirmed=10)
    verdict = regions.finish()
    assert regions.lagged_rounds == 1  # else nothing was at stake
    assert (regions.missing, regions.arrived.early) == (0, 0)
    assert regions.arrived.claims == CLIENTS
    assert verdict.shown > 10
    assert verdict.clean, str(verdict)
    assert diverged_rows(urls(regions.cluster)) == 0


def test_an_edit_whose_answer_was_lost_beats_no_newer_one_when_it_is_brought_again_elsewhere(
    regions: RegionCampaign,
) -> None:
    cluster = regions.cluster
    here = Api(cluster.servers[MUMBAI.ids[0]].url).register()
    saved = here.add()
    wait_until_equal(urls(cluster), SECONDS)
    moved = Api(cluster.servers[SINGAPORE.ids[0]].url)
    there = moved.login(here.signed_in.user_name, device=here.device)

    switch_link(cluster.database_url(SINGAPORE.code), MUMBAI.code, "disable")
    lost = edit_of(saved, "What the lost answer was about")
    send(here, saved, lost)  # … and the answer never came
    newer = edit_of(saved, "What another device wrote after it")
    assert not send(here, saved, newer).superseded
    # The client moved, and brings it again: this region has not heard of the newer one.
    assert not send(there, saved, lost).superseded
    switch_link(cluster.database_url(SINGAPORE.code), MUMBAI.code, "enable")

    wait_until(lambda: there.get(saved.entry.id).entry.ver == newer.ver, SECONDS)
    wait_until_equal(urls(cluster), SECONDS)
    for url in urls(cluster).values():
        standing = rows(url, "select description, ver from accounting_entry where id = %s", saved.entry.id)
        assert standing == [(newer.description, newer.ver)]
        copies = "select count(*) from journal where op_id = any(%s::uuid[])"
        assert rows(url, copies, [lost.op_id, newer.op_id]) == [(2,)]  # each once
    assert send(there, saved, lost).superseded  # once more, late: it changes nothing
    assert there.get(saved.entry.id).entry.ver == newer.ver
    for url in urls(cluster).values():
        forget_book(url, here.book_id)  # the other test judges all that there is


def edit_of(saved: shapes.EntrySaved, description: str) -> shapes.EditEntry:
    entry = saved.entry
    return shapes.EditEntry(
        new_id(), now_us(), entry.ver, entry.entry_date, "77.00", "DR", entry.category, description
    )


def send(book: BookApi, saved: shapes.EntrySaved, edit: shapes.EditEntry) -> shapes.EntrySaved:
    return book.send("PUT", paths.ENTRY.format(id=saved.entry.id), shapes.EntrySaved, edit)
