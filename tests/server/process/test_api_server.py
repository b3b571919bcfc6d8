"""A server of a cluster as a process: drained by SIGTERM, and speaking https."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from server.contract import cluster_calls, paths, shapes
from tests.support.api import BookApi
from tests.support.certificates import make_certificate
from tests.support.fake_discovery import FakeDiscovery
from tests.support.ports import steady_port
from tests.support.regional import Regional
from tests.support.servers import ServerProcess, command, server_process
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no such signals")
ONE, TWO = "in-1", "in-2"


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def discovery(running: ExitStack) -> FakeDiscovery:
    return running.enter_context(FakeDiscovery().running())


@pytest.fixture
def regional(tmp_path: Path, discovery: FakeDiscovery) -> Regional:
    found = Regional(tmp_path, (ONE, TWO), discovery.url)
    discovery.servers = cluster_calls.Servers(found.publish(), found.directory(used={ONE: 0.0, TWO: 1.0}))
    return found


def process(regional: Regional, database_url: str, running: ExitStack, **settings: Any) -> ServerProcess:
    """Start the first server; the second is only said to be there."""
    config = regional.config(ONE, "", policy="strict", **settings)
    file = write(regional.folder / "server.toml", msgspec.to_builtins(config))
    server = running.enter_context(
        server_process("run", "--config", str(file), environment={"DATABASE_URL": database_url})
    )
    wait_until(lambda: server.api().send("GET", paths.SERVERS, cluster_calls.Servers).directory)
    return server


def write(file: Path, values: dict[str, Any]) -> Path:
    file.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
    return file


def refresh(book: BookApi, token: str, *, critical: bool = False) -> shapes.Refreshed:
    body = shapes.RefreshRequest(token, f"{critical}{token[-9:]}", "", critical)
    return book.send("POST", paths.AUTH_REFRESH, shapes.Refreshed, body)


def is_draining(book: BookApi) -> bool:
    return book.call("GET", paths.ENTRIES).headers.get(paths.DRAINING_HEADER) == "1"


def states(discovery: FakeDiscovery) -> list[str]:
    """Return what the server said of itself, each change once."""
    said = [beat.state for beat in discovery.beats]
    return [state for number, state in enumerate(said) if number == 0 or said[number - 1] != state]


# --- draining -----------------------------------------------------------------------------------------


def test_a_drained_server_answers_until_its_last_client_has_moved(
    regional: Regional, discovery: FakeDiscovery, database_url: str, running: ExitStack
) -> None:
    server = process(regional, database_url, running)
    book = server.api().register()
    assert book.signed_in.primary.server_id == ONE
    kept = running.enter_context(requests.Session())
    assert kept.get(book.url + paths.ENTRIES, headers=book.headers, timeout=10).ok
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: is_draining(book))
    wait_until(lambda: states(discovery) == ["up", "draining"])
    busy = refresh(book, book.signed_in.refresh_token, critical=True)
    assert (busy.reason, busy.changed) == ("critical", False)
    assert kept.get(book.url + paths.ENTRIES, headers=book.headers, timeout=10).ok
    moved = refresh(book, busy.refresh_token)
    assert (moved.reason, moved.primary.server_id) == ("drain", TWO)
    assert server.process.wait(60) == 0
    assert states(discovery) == ["up", "draining", "left"]


def test_a_second_signal_ends_a_drain_at_once(
    regional: Regional, discovery: FakeDiscovery, database_url: str, running: ExitStack
) -> None:
    server = process(regional, database_url, running)
    book = server.api().register()
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: is_draining(book))
    wait_until(lambda: states(discovery) == ["up", "draining"])
    assert server.end() == 0
    assert states(discovery) == ["up", "draining", "left"]


def test_a_drain_ends_at_its_deadline_with_clients_still_there(
    regional: Regional, discovery: FakeDiscovery, database_url: str, running: ExitStack
) -> None:
    server = process(regional, database_url, running, drain_seconds=2)
    server.api().register()
    began = time.monotonic()
    assert server.end() == 0
    assert time.monotonic() - began >= 2
    assert states(discovery) == ["up", "draining", "left"]


def test_a_server_with_nobody_there_is_soon_drained_and_an_interrupt_never_drains(
    regional: Regional, discovery: FakeDiscovery, database_url: str, running: ExitStack
) -> None:
    assert process(regional, database_url, running).end() == 0
    assert states(discovery) == ["up", "draining", "left"]
    discovery.beats.clear()
    server = process(regional, database_url, running)
    server.api().register()
    assert server.end(signal.SIGINT) == 0
    assert states(discovery) == ["up", "left"]


def test_a_server_that_is_not_in_its_roster_does_not_start(regional: Regional, database_url: str) -> None:
    config = regional.config(ONE, "", region="eu-north-1")
    file = write(regional.folder / "server.toml", msgspec.to_builtins(config))
    ended = command("run", "--config", str(file), environment={"DATABASE_URL": database_url})
    assert ended.status == 1
    assert "Traceback" not in ended.errors
    assert "region is eu-north-1 in the configuration, but ap-south-1 for in-1" in ended.errors


# --- https --------------------------------------------------------------------------------------------


def tls_config(folder: Path, **changes: Any) -> Path:
    certificate, key = make_certificate(folder)
    port = steady_port()
    values = {
        "data": str(folder / "data"),
        "server_id": ONE,
        "region": "ap-south-1",
        "region_letter": "M",
        "port": port,
        "public_url": f"https://127.0.0.1:{port}",
        "tls_certificate": str(certificate),
        "tls_key": str(key),
    }
    return write(folder / "server.toml", {**values, **changes})


def test_a_server_speaks_https_by_its_own_certificate(database_url: str, tmp_path: Path) -> None:
    file = tls_config(tmp_path)
    with server_process("run", "--config", str(file), environment={"DATABASE_URL": database_url}) as server:
        url = str(server.ready["url"])
        assert url.startswith("https://")
        trusted = str(tmp_path / "certificate.pem")
        assert requests.get(url + paths.HEALTH_READY, verify=trusted, timeout=10).ok
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url + paths.HEALTH_READY, timeout=10)
        assert server.end() == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tls_key": ""}, "Set both tls_certificate and tls_key, or neither."),
        ({"public_url": "http://127.0.0.1:4711"}, "speaks https"),
        ({"tls_key": "/nowhere/key.pem"}, "Cannot use the TLS certificate or its key"),
        ({"ca_file": "/nowhere/ca.pem"}, "The certificates in /nowhere/ca.pem cannot be read."),
    ],
)
def test_a_mistake_about_certificates_is_told(
    database_url: str, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    file = tls_config(tmp_path, **changes)
    ended = command("run", "--config", str(file), environment={"DATABASE_URL": database_url})
    assert ended.status == 1
    assert said in ended.errors
    assert "Traceback" not in ended.errors
