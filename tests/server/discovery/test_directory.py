"""The signed directory: what it says, when it is made anew, and that its version only rises."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from server.contract import cluster
from server.contract.cluster import DIRECTORY_SECONDS, Directory
from server.discovery.directory import Directories
from server.discovery.registry import Registry
from server.tokens.tokens import Signer
from tests.support.discovery import LOAD, beater
from tests.support.rosters import TestCluster, new_cluster

WALL = 1_800_000_000.0


@dataclass(slots=True)
class Desk:
    """A directory's maker with its clocks in hand."""

    made: TestCluster = field(default_factory=lambda: _cluster())
    wall: float = WALL

    def __post_init__(self) -> None:
        self.registry = Registry(self.made.roster, WALL)
        self.directories = self.another()

    registry: Registry = field(init=False)
    directories: Directories = field(init=False)

    def another(self) -> Directories:
        signer = Signer(self.made.keys["disc-1"])
        version = self.made.roster.version
        return Directories("disc-1", self.registry, lambda: signer, lambda: version, lambda: self.wall)

    def read(self, now: float) -> Directory:
        return cluster.read_directory(self.directories.text(now), self.made.roster, self.wall)


def _cluster() -> TestCluster:
    made = new_cluster(("ap-south-1", "M"))
    made.add_discovery("disc-1", "https://disc-1.example.org")
    for number in (1, 2):
        made.add_server(f"in-mum-{number}", "ap-south-1", f"https://mum-{number}.example.org")
    return made


def test_it_says_what_is_held_of_everybody() -> None:
    desk = Desk()
    desk.registry.beat(beater(desk.made, "in-mum-1").beat(), WALL + 1)
    found = desk.read(WALL + 2)
    assert (found.discovery_id, found.roster_version) == ("disc-1", desk.made.roster.version)
    assert found.expires_at_ms - found.issued_at_ms == DIRECTORY_SECONDS * 1_000
    assert not found.self_preservation
    first, second = found.servers
    assert (first.id, first.state, first.since_ms, first.load, first.version) == (
        *("in-mum-1", "up", int((WALL + 1) * 1_000)),
        *(LOAD, "0.1.0"),
    )
    assert (second.id, second.state, second.load) == ("in-mum-2", "unknown", None)


def test_it_is_signed_once_a_second_at_most_while_nothing_changes() -> None:
    desk = Desk()
    texts = {desk.directories.text(WALL + step / 10) for step in range(30)}
    assert len(texts) == 3


def test_it_is_made_anew_at_once_when_a_state_changes_by_an_event_or_by_time() -> None:
    desk = Desk()
    assert desk.read(WALL).state_of("in-mum-1") == "unknown"
    desk.registry.beat(beater(desk.made, "in-mum-1").beat(), WALL + 0.1)
    assert desk.read(WALL + 0.1).state_of("in-mum-1") == "up"
    desk.read(WALL + 7.55)
    assert desk.read(WALL + 7.65).state_of("in-mum-1") == "suspect"


def test_it_tells_that_it_suspects_itself() -> None:
    desk = Desk()
    for id_ in ("in-mum-1", "in-mum-2"):
        desk.registry.beat(beater(desk.made, id_).beat(), WALL)
    assert desk.read(WALL + 60).self_preservation


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(-100, 100), st.booleans()), max_size=30))
def test_its_version_only_rises_whatever_the_clock_does(
    history: list[tuple[float, float, bool]],
) -> None:
    desk, now, last = Desk(), WALL, (0, "")
    beats = beater(desk.made, "in-mum-1")
    for gap, jump, beat in history:
        now += gap
        desk.wall += jump
        if beat:
            desk.registry.beat(beats.beat(), now)
        text, found = desk.directories.text(now), desk.read(now)
        assert (found.version > last[0]) if text != last[1] else (found.version == last[0])
        last = found.version, text


def test_its_version_rises_over_a_restart_with_an_empty_memory() -> None:
    desk = Desk()
    versions = []
    for start in range(3):
        desk.wall += 0.01
        desk.directories = desk.another()
        versions.append(desk.read(WALL + start).version)
    assert versions == sorted(set(versions))
