"""Discovery servers as processes: beats, long polls, reports, rosters, restarts, and what cannot start."""

import contextlib
import json
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.contract import cluster, paths
from server.contract.cluster_calls import (
    HeartbeatTaken,
)
from server.contract.errors import ErrorBody
from server.contract.shapes import (
    Health,
)
from tests.support.discovery import (
    DiscoveryClient,
    beater,
    discovery_process,
    sign_beat,
    write_config,
    write_key,
)
from tests.support.rosters import TestCluster, new_cluster
from tests.support.servers import command, server_process
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
IDS = ("in-mum-0", "in-mum-1", "in-mum-2", "in-mum-3")


class Answering:
    """Stands for a regional server: says at once that it lives, and counts how often it was asked; `refuses`
    closes its door, `silent` keeps it open without a word."""

    def __init__(self, id_: str) -> None:
        self.id, self.asked, self.silent = id_, 0, False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._kept: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        body = msgspec.json.encode(Health("ok", self.id, "1"))
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.asked += 1
                if self.silent:
                    self._kept.append(connection)
                    continue
                with connection:
                    connection.recv(4_096)
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + body)

    def refuse(self) -> None:
        """Let nobody in any more."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)

    def end(self) -> None:
        """Close everything."""
        with contextlib.suppress(OSError):
            self.refuse()
        for connection in self._kept:
            connection.close()


@pytest.fixture(scope="module")
def doors() -> Iterator[dict[str, Answering]]:
    """What answers at the addresses of the servers."""
    made = {id_: Answering(id_) for id_ in (f"in-mum-{number}" for number in range(24))}
    yield made
    for door in made.values():
        door.end()


def _cluster(doors: dict[str, Answering]) -> TestCluster:
    made = new_cluster(("ap-south-1", "M"))
    made.add_discovery("disc-1", "https://disc-1.example.org")
    made.add_discovery("disc-2", "https://disc-2.example.org")
    for id_, door in doors.items():
        made.add_server(id_, "ap-south-1", door.url)
    return made


@pytest.fixture
def made(doors: dict[str, Answering]) -> TestCluster:
    """A cluster of a test's own."""
    return _cluster({id_: doors[id_] for id_ in IDS})


@pytest.fixture(scope="module")
def api(doors: dict[str, Answering], tmp_path_factory: pytest.TempPathFactory) -> Iterator[DiscoveryClient]:
    """A discovery server that the tests share: each takes a server that no other test has (`id_`). All have
    left, so that time changes nothing about them before they start anew."""
    with discovery_process(tmp_path_factory.mktemp("shared"), _cluster(doors)) as (_, client):
        for each in doors:
            assert client.send(beater(client.cluster_, each).signed(state="left")).ok
        yield client


@pytest.fixture(scope="module")
def unused(doors: dict[str, Answering]) -> Iterator[str]:
    return iter(doors)


@pytest.fixture
def id_(unused: Iterator[str]) -> str:
    return next(unused)


def _beat_all(api: DiscoveryClient) -> None:
    for id_ in IDS:
        assert api.send(beater(api.cluster_, id_).signed()).ok


def _reason(answer: requests.Response) -> str:
    error = msgspec.json.decode(answer.content, type=ErrorBody).error
    assert (answer.status_code, error.code) == (403, "heartbeat_refused")
    return str(error.detail["reason"])


# --- beats --------------------------------------------------------------------------------------------


def test_a_beat_is_taken_once_and_told_to_all(api: DiscoveryClient, id_: str) -> None:
    sender = beater(api.cluster_, id_)
    first, second = sender.signed(), sender.signed()
    taken = msgspec.json.decode(api.send(second).content, type=HeartbeatTaken)
    assert taken.roster_version == api.cluster_.roster.version
    assert _reason(api.send(second)) == "replayed"
    assert _reason(api.send(first)) == "replayed"
    found = api.server(id_)
    assert (found.state, found.version) == ("up", "0.1.0")


def test_a_beat_of_a_start_that_is_over_is_a_replay(api: DiscoveryClient, id_: str) -> None:
    old, new = beater(api.cluster_, id_), beater(api.cluster_, id_)
    kept = [old.signed() for _ in range(3)]
    assert api.send(kept[0]).ok
    assert api.send(new.signed()).ok
    assert _reason(api.send(kept[1])) == "replayed"
    assert api.send(new.signed()).ok


def test_what_is_refused_says_why_and_changes_nothing(api: DiscoveryClient, id_: str) -> None:
    sender = beater(api.cluster_, id_)
    assert _reason(api.send("unsigned")) == "unsigned"
    assert _reason(api.send(sign_beat(Ed25519PrivateKey.generate(), sender.beat()))) == "unknown_key"
    assert (
        _reason(api.send(sign_beat(api.cluster_.keys["in-mum-23"], sender.beat()))) == "another_servers_key"
    )
    assert _reason(api.send(sender.signed(url="https://evil.example.org"))) == "url"
    assert _reason(api.send(sender.signed(sent_at_ms=int((time.time() - 61) * 1_000)))) == "clock"
    assert api.server(id_).state == "left"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad_request"),
        (b"{", "bad_request"),
        (b"[]", "bad_request"),
        (b'{"heartbeat": 1}', "bad_request"),
        (b'{"heartbeat": "x", "more": 1}', "unknown_field"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(api: DiscoveryClient, body: bytes, code: str) -> None:
    answer = requests.post(api.url + paths.HEARTBEATS, data=body, timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_server_that_says_it_left_has_left(api: DiscoveryClient, id_: str) -> None:
    sender = beater(api.cluster_, id_)
    for said in ("up", "draining", "left"):
        assert api.send(sender.signed(state=said)).ok
        assert api.state(id_) == said


# --- long polls ---------------------------------------------------------------------------------------


def test_a_state_that_is_not_the_known_one_is_told_at_once(api: DiscoveryClient, id_: str) -> None:
    assert api.state(id_, wait=25, known="up") == "left"
    assert api.state(id_) == "left"


def test_a_waiting_request_is_answered_when_the_state_changes(api: DiscoveryClient, id_: str) -> None:
    sender = beater(api.cluster_, id_)
    with ThreadPoolExecutor(8) as waiting:
        asked = [waiting.submit(api.state, id_, 25, "left") for _ in range(8)]
        assert api.state(id_, wait=0.2) == "left"
        assert not any(each.done() for each in asked)
        assert api.send(sender.signed()).ok
        assert {each.result(20) for each in asked} == {"up"}


def test_time_alone_wakes_who_waits(api: DiscoveryClient, doors: dict[str, Answering], id_: str) -> None:
    assert api.send(beater(api.cluster_, id_).signed()).ok
    assert api.state(id_, wait=20, known="up") == "suspect"
    wait_until(lambda: doors[id_].asked > 0)  # it was knocked at when the beat was missed


def test_a_wait_is_bounded_and_a_number(api: DiscoveryClient, id_: str) -> None:
    path = api.url + paths.SERVER_STATE.format(id=id_)
    for wait in ("-1", "nan", "soon", ""):
        assert requests.get(path, params={"wait": wait}, timeout=10).status_code == 400
    assert requests.get(path, params={"wait": "1e9", "known": "up"}, timeout=10).ok


def test_nobody_knows_a_server_that_is_not_in_the_roster(api: DiscoveryClient) -> None:
    path = paths.SERVER_STATE.format(id="nobody")
    assert requests.get(api.url + path, timeout=10).status_code == 404
    assert api.suspect("nobody").status_code == 404
    assert requests.get(api.url + "/v1/nothing", timeout=10).status_code == 404


def test_a_server_that_ends_answers_waiting_requests(made: TestCluster, tmp_path: Path) -> None:
    with discovery_process(tmp_path, made) as (process, api):
        before = _sockets(process.process.pid)
        with contextlib.closing(HTTPConnection(urlsplit(api.url).netloc, timeout=30)) as waiting:
            # All of it is sent here: who is let in has asked.
            waiting.request("GET", paths.SERVER_STATE.format(id=IDS[0]) + "?wait=25&known=unknown")
            wait_until(lambda: _sockets(process.process.pid) > before)
            assert process.end() == 0
            assert json.load(waiting.getresponse())["state"] == "unknown"


def _sockets(pid: int) -> int:
    """Return how many sockets a process has: one more while somebody calls."""
    while True:
        with contextlib.suppress(FileNotFoundError):  # one was closed while we looked
            links = [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]
            return sum(link.startswith("socket:") for link in links)


# --- reports ------------------------------------------------------------------------------------------


def test_a_report_is_looked_into_and_a_server_that_answers_stays(
    api: DiscoveryClient, doors: dict[str, Answering], id_: str
) -> None:
    assert api.send(beater(api.cluster_, id_).signed()).ok
    before = doors[id_].asked
    assert api.suspect(id_).json() == {"state": "up"}
    assert api.state(id_, wait=20, known="suspect") == "up"
    assert doors[id_].asked > before


@pytest.mark.parametrize("silent", [False, True], ids=["refused", "silent"])
def test_a_server_that_answers_nobody_is_down_and_back_with_a_beat(
    api: DiscoveryClient, doors: dict[str, Answering], id_: str, silent: bool
) -> None:
    sender = beater(api.cluster_, id_)
    assert api.send(sender.signed()).ok
    doors[id_].silent = silent
    if not silent:
        doors[id_].refuse()
    assert api.suspect(id_).json() == {"state": "up"}
    assert api.state(id_, wait=20, known="suspect") == "down"
    assert api.send(sender.signed()).ok
    assert api.state(id_) == "up"


def test_a_flood_of_reports_makes_few_probes(
    api: DiscoveryClient, doors: dict[str, Answering], id_: str
) -> None:
    assert api.send(beater(api.cluster_, id_).signed()).ok
    began, before = time.monotonic(), doors[id_].asked
    with ThreadPoolExecutor(8) as flood:
        reports = list(flood.map(lambda _: api.suspect(id_).ok, range(400)))
    assert all(reports)
    wait_until(lambda: doors[id_].asked > before)
    asked, seconds = doors[id_].asked - before, time.monotonic() - began
    assert asked <= 2 + 5 * seconds


# --- starts and restarts ------------------------------------------------------------------------------


def test_one_that_was_killed_starts_empty_and_calls_nobody_down(made: TestCluster, tmp_path: Path) -> None:
    with discovery_process(tmp_path, made) as (process, api):
        _beat_all(api)
        before = api.directory()
        assert process.end(signal.SIGKILL) == -signal.SIGKILL
    with discovery_process(tmp_path, made) as (process, api):
        after = api.directory()
        assert {each.state for each in after.servers} == {"unknown"}
        assert after.version > before.version
        _beat_all(api)
        assert {each.state for each in api.directory().servers} == {"up"}
        assert process.end(signal.SIGINT) == 0


def test_several_side_by_side_know_each_what_it_heard(made: TestCluster, tmp_path: Path) -> None:
    with (
        discovery_process(tmp_path / "1", made, "disc-1") as (first, one),
        discovery_process(tmp_path / "2", made, "disc-2") as (_, two),
    ):
        assert (one.directory().discovery_id, two.directory().discovery_id) == ("disc-1", "disc-2")
        text = beater(made, IDS[0]).signed()
        assert one.send(text).ok
        assert two.send(text).ok  # one beat goes to all
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
        assert two.state(IDS[0]) == "up"


def test_a_newer_roster_is_taken_while_it_runs_and_an_older_one_never(
    made: TestCluster, tmp_path: Path
) -> None:
    older = made.signed()
    with discovery_process(tmp_path, made) as (process, api):
        made.add_server("in-sin-5", "ap-south-1", "http://127.0.0.1:1")
        (tmp_path / "roster.txt").write_text(made.signed(), encoding="ascii")
        wait_until(lambda: api.servers().roster == made.signed())
        assert api.directory().roster_version == made.roster.version
        assert api.send(beater(made, "in-sin-5").signed()).ok
        (tmp_path / "roster.txt").write_text(older, encoding="ascii")
        assert process.end() == 0
    config = write_config(tmp_path / "data", made, "disc-1", tmp_path / "roster.txt")
    with server_process("discovery", "--config", str(config)) as process:  # it kept the newer one
        again = DiscoveryClient(str(process.ready["url"]), made)
        assert cluster.read_roster(again.servers().roster, made.fingerprint) == made.roster


def test_its_ready_line_health_and_document(api: DiscoveryClient) -> None:
    assert api.get(paths.HEALTH_LIVE, Health).server_id == "disc-1"
    document = requests.get(api.url + paths.OPENAPI, timeout=10).json()
    assert set(document["paths"]) == {
        paths.HEARTBEATS,
        paths.SERVERS,
        paths.SERVER_STATE,
        paths.SERVER_SUSPICIONS,
        paths.HEALTH_LIVE,
    }


def _refused_start(made: TestCluster, folder: Path, id_: str, **more: object) -> str:
    roster = folder / "roster.txt"
    folder.mkdir(exist_ok=True)
    roster.write_text(made.signed(), encoding="ascii")
    config = write_config(folder / "data", made, id_, roster, **more)
    ended = command("discovery", "--config", str(config))
    assert ended.status == 1
    assert "Traceback" not in ended.errors
    (line,) = [line for line in ended.errors.splitlines() if line.startswith("bahi-server: ")]
    return line


def test_one_that_is_not_in_the_roster_is_told_which_key_to_add(made: TestCluster, tmp_path: Path) -> None:
    line = _refused_start(made, tmp_path, "disc-9")
    assert f"--key={command('key', '--data', str(tmp_path / 'data')).out.strip()}" in line
    assert "disc-9" in line


def test_a_discovery_server_with_another_key_is_refused(made: TestCluster, tmp_path: Path) -> None:
    write_key(tmp_path / "data", Ed25519PrivateKey.generate())
    assert "with a key of this one" in _refused_start(made, tmp_path, "disc-1")


def test_a_roster_of_another_cluster_is_told(made: TestCluster, tmp_path: Path) -> None:
    assert "roster" in _refused_start(made, tmp_path, "disc-1", cluster_key="0" * 64)


def test_certificates_to_trust_that_cannot_be_read_are_told(made: TestCluster, tmp_path: Path) -> None:
    assert "nowhere.pem cannot be read" in _refused_start(made, tmp_path, "disc-1", ca_file="nowhere.pem")


def test_a_certificate_that_is_none_is_told(made: TestCluster, tmp_path: Path) -> None:
    text = tmp_path / "x.pem"
    text.write_text("no certificate")
    line = _refused_start(made, tmp_path, "disc-1", tls_certificate=str(text), tls_key=str(text))
    assert "TLS certificate" in line
