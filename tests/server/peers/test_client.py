"""Whom to ask in a region, by what discovery says."""

from server.contract.cluster import Directory, DirectoryServer, Liveness, RosterServer
from server.peers.client import in_order

IDS = ("a", "b", "c", "d")
SERVERS = [RosterServer(id_, "ap-south-1", f"https://{id_}.example", []) for id_ in IDS]


def asked(*states: Liveness, doubtful: bool = False, heard: bool = True) -> list[str]:
    servers = [DirectoryServer(id_, state, 0) for id_, state in zip(IDS, states, strict=False)]
    directory = Directory("d-1", 1, 0, 120_000, 1, doubtful, servers)
    return [server.id for server in in_order(SERVERS, directory if heard else None)]


def test_who_is_up_is_asked_before_who_may_be_and_the_dead_not_at_all() -> None:
    for _ in range(20):
        assert asked("unknown", "down", "up", "draining") == ["c", "d", "a"]
        assert asked("left", "suspect", "left", "up") == ["d", "b"]


def test_of_several_that_are_up_each_is_asked_first_at_times() -> None:
    assert {asked("up", "up", "up", "up")[0] for _ in range(200)} == set(IDS)


def test_without_good_word_of_discovery_everybody_may_be_up() -> None:
    assert sorted(asked("down", "down", "down", "down", doubtful=True)) == list(IDS)
    assert sorted(asked(heard=False)) == list(IDS)
    assert sorted(asked("up")) == list(IDS)  # of the others it says nothing
