"""Whom to ask in a region, by what discovery says; and downloads that break off, hang or are too long."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from server.cluster.membership import Membership
from server.cluster.peer_http import PeerHttp, PeerHttpError
from server.cluster.trusted_keys import TrustedKeys
from server.contract.cluster import Directory, DirectoryServer, Liveness, RosterServer
from server.peers import client
from server.peers.client import NotThereError, PeerClient, in_order
from server.process.ready_line import loop_factory
from server.tokens.tokens import Signer
from tests.support.raw_server import RawServer, Talk, raw_server
from tests.support.rosters import new_cluster

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


# --- downloads ----------------------------------------------------------------------------------------

DATA = bytes(range(256)) * 1_000
BOOK = "5b0e9a52-5a8a-4f9c-8d59-0c8d4f1b2a6e"
Fetch = Callable[..., Awaitable[None]]
Loop = Callable[[], asyncio.AbstractEventLoop]


class Bytes:
    """Serves DATA from the place asked for (`starts`), `at_once` bytes on each connection."""

    def __init__(self, at_once: int = len(DATA), *, hangs: bool = False) -> None:
        self.at_once, self.hangs = at_once, hangs
        self.starts: list[int] = []

    def talk(self, server: RawServer) -> Talk:
        def talk(connection: socket.socket) -> None:
            server.take_request(connection)
            (line,) = [line for line in server.asked[-1].split(b"\r\n") if line.startswith(b"Range: bytes=")]
            start = int(line.removeprefix(b"Range: bytes=").removesuffix(b"-"))
            self.starts.append(start)
            length, last = len(DATA) - start, len(DATA) - 1
            head = f"Content-Length: {length}\r\nContent-Range: bytes {start}-{last}/{len(DATA)}\r\n\r\n"
            connection.sendall(b"HTTP/1.1 206 Partial Content\r\n" + head.encode())
            connection.sendall(DATA[start:][: self.at_once])
            if self.hangs:
                server.take_request(connection)

        return talk


def run_fetches(
    server: RawServer,
    part: Path,
    work: Callable[[Fetch], Awaitable[None]],
    loop: Loop = asyncio.new_event_loop,
) -> None:
    """Let `work` fetch DATA from `server` into files beside `part`."""
    made = new_cluster(("ap-south-1", "M"))
    made.add_server("in-1", "ap-south-1", "https://in-1.example.org")
    made.add_server("in-2", "ap-south-1", server.url)
    membership = Membership(made.fingerprint, made.roster, made.signed, time.time)
    keys = TrustedKeys("in-1", membership, lambda: [Signer(made.keys["in-1"])])

    async def main() -> None:
        async with PeerHttp() as http:
            peers, to = PeerClient(membership, keys, http), made.roster.servers[1]

            async def fetch(file: Path = part, seconds: float = 60) -> None:
                await peers.fetch(to, BOOK, "0" * 64, file, len(DATA), time.monotonic() + seconds)

            await work(fetch)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_FETCH_SECONDS", (60.0, 60.0))


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, loop_factory()], ids=["asyncio", "ours"])
def test_a_download_that_breaks_off_is_resumed_from_what_came(tmp_path: Path, loop: Loop) -> None:
    part, source = tmp_path / "part", Bytes(100_000)

    async def work(fetch: Fetch) -> None:
        tries = 0
        while not part.exists() or part.read_bytes() != DATA:
            assert tries < 20
            tries += 1
            try:
                await fetch()
            except PeerHttpError:
                assert DATA.startswith(part.read_bytes())
        await fetch()  # whole: nobody is asked

    with raw_server(source.talk) as server:
        run_fetches(server, part, work, loop)
    assert source.starts[0] == 0 < source.starts[1]
    assert source.starts == sorted(set(source.starts))
    assert part.read_bytes() == DATA


def test_a_download_that_hangs_ends_in_time_and_what_came_is_kept(tmp_path: Path) -> None:
    part, source = tmp_path / "part", Bytes(50_000, hangs=True)

    async def work(fetch: Fetch) -> None:
        with pytest.raises(PeerHttpError, match="no time left"):
            await fetch(seconds=2)
        assert part.read_bytes() == DATA[:50_000]
        source.at_once = len(DATA)
        await fetch()

    with raw_server(source.talk) as server:
        run_fetches(server, part, work)
    assert source.starts == [0, 50_000]
    assert part.read_bytes() == DATA


def test_a_cancelled_download_keeps_what_came(tmp_path: Path) -> None:
    part, source = tmp_path / "part", Bytes(50_000, hangs=True)

    async def work(fetch: Fetch) -> None:
        task = asyncio.ensure_future(fetch())
        async with asyncio.timeout(60):
            while not part.exists() or part.stat().st_size < 50_000:
                await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with raw_server(source.talk) as server:
        run_fetches(server, part, work)
    assert part.read_bytes() == DATA[:50_000]


def test_only_some_downloads_go_on_at_a_time(tmp_path: Path) -> None:
    source = Bytes(10, hangs=True)

    async def work(fetch: Fetch) -> None:
        tasks = [asyncio.ensure_future(fetch(tmp_path / str(number))) for number in range(5)]
        async with asyncio.timeout(60):
            while len(source.starts) < 3:
                await asyncio.sleep(0.005)
        with pytest.raises(PeerHttpError, match="no time left"):
            await fetch(tmp_path / "late", seconds=0.1)
        assert len(source.starts) == 3
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    with raw_server(source.talk) as server:
        run_fetches(server, tmp_path / "part", work)


@pytest.mark.parametrize(
    ("answer", "error", "left"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "not there", b"here"),
        (b"HTTP/1.1 307 Elsewhere\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "status 307", b"here"),
        (b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n", "status 416", None),
        (
            b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 3-9/9\r\n\r\n",
            "not the requested range",
            b"here",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole", "interrupted", b"whole"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + DATA + b"x", "longer than announced", None),
    ],
)
def test_other_answers_are_errors(tmp_path: Path, answer: bytes, error: str, left: bytes | None) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"here")

    async def work(fetch: Fetch) -> None:
        with pytest.raises(PeerHttpError, match=error) as failed:
            await fetch()
        assert isinstance(failed.value, NotThereError) == (error == "not there")

    with raw_server(lambda server: server.answers_once(answer)) as server:
        run_fetches(server, part, work)
    assert (part.read_bytes() if part.exists() else None) == left
