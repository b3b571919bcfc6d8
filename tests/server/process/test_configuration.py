"""Configuration files and environment variables, through the command line."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.discovery import write_key
from tests.support.postgres import rows
from tests.support.rosters import new_cluster
from tests.support.servers import Ended, command, server_process

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """The folder of the configuration file; commands run in its parent."""
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder


def _write(folder: Path, text: str) -> str:
    file = folder / "bahi.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def _sentence(ended: Ended) -> str:
    assert ended.status == 1
    assert ended.errors.startswith("bahi-server: ")
    assert len(ended.errors.splitlines()) == 1
    return ended.errors


def test_a_server_starts_as_its_file_and_the_environment_say(
    empty_database_url: str, etc: Path, tmp_path: Path
) -> None:
    file = _write(etc, 'data = "data"\nserver_id = "in-1"\nregion = "r"\nregistration = "closed"\n')
    given = {
        "BAHI_DATABASE_URL": empty_database_url,
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "BAHI_SERVER_ID": "in-mum-7",
        "BAHI_REGION_LETTER": "M",
        "BAHI_REGISTRATION": "open",
        "BAHI_PROT": "80",
    }
    with server_process("run", "--config", file, environment=given, folder=tmp_path) as server:
        assert server.ready["serverId"] == "in-mum-7"
        signed_in = server.api().register().signed_in
        assert (signed_in.primary.region, signed_in.code_prefix[0]) == ("r", "M")
        assert server.end() == 0
    assert (etc / "data" / "server-key.pem").exists()


def test_a_discovery_server_starts_from_the_environment_alone(etc: Path, tmp_path: Path) -> None:
    cluster = new_cluster(("ap-south-1", "M"))
    cluster.add_discovery("disc-1", "https://disc-1.example.org")
    (tmp_path / "roster.jws").write_text(cluster.signed(), encoding="ascii")
    write_key(tmp_path / "data", cluster.keys["disc-1"])
    given = {
        "BAHI_DATA": "data",
        "BAHI_DISCOVERY_ID": "disc-1",
        "BAHI_ROSTER": "roster.jws",
        "BAHI_CLUSTER_KEY": cluster.fingerprint,
    }
    file = _write(etc, "")
    with server_process("discovery", "--config", file, environment=given, folder=tmp_path) as server:
        assert server.ready["serverId"] == "disc-1"
        assert server.end() == 0


def test_users_are_looked_for_where_file_and_environment_say(
    database_url: str, etc: Path, tmp_path: Path
) -> None:
    file = _write(etc, 'data = "data"\ndatabase_url = "postgresql://nobody@127.0.0.1:1/nothing"\n')
    for given in ({"DATABASE_URL": database_url}, {"BAHI_DATABASE_URL": database_url}):
        for where in (("--config", file), ()):
            ended = command("user", "list", *where, environment=given, folder=tmp_path)
            assert (ended.status, ended.out.split()) == (0, ["NAME", "CREATED", "LAST", "USED", "DISABLED"])


def test_the_database_of_the_environment_is_migrated(empty_database_url: str) -> None:
    given = {
        "BAHI_DATABASE_URL": empty_database_url,
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    }
    assert command("migrate", environment=given).out.startswith("0001_journal\n")
    assert rows(empty_database_url, "select count(*) from public.accounting_entry") == [(0,)]


_COMMANDS: tuple[Callable[[str], tuple[str, ...]], ...] = (
    lambda file: ("run", "--config", file),
    lambda file: ("discovery", "--config", file),
    lambda file: ("user", "list", "--config", file),
    lambda file: ("user", "invite", "--config", file),
)


@pytest.mark.parametrize("arguments", _COMMANDS)
def test_a_bad_value_of_a_variable_stops_every_command(
    arguments: Callable[[str], tuple[str, ...]], etc: Path, tmp_path: Path
) -> None:
    file = _write(etc, 'data = "data"\n')
    ended = command(*arguments(file), environment={"BAHI_PORT": "tcp://10.0.0.1:80"}, folder=tmp_path)
    assert "BAHI_PORT" in _sentence(ended)
    assert not (etc / "data").exists()


@pytest.mark.parametrize("arguments", _COMMANDS)
def test_a_data_folder_that_only_the_working_directory_has_stops_every_command(
    arguments: Callable[[str], tuple[str, ...]], etc: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    ended = command(*arguments(_write(etc, 'data = "data"\n')), folder=tmp_path)
    said = _sentence(ended)
    assert f"{etc / 'data'} does not exist" in said
    assert f"{tmp_path / 'data'} does" in said
    assert not (etc / "data").exists()


def test_an_unknown_variable_is_logged_by_its_name(etc: Path, tmp_path: Path) -> None:
    file = _write(etc, 'data = "data"\ncolour = "red"\n')  # so that it ends
    first, last = command("run", "--config", file, environment={"BAHI_PROT": "8443"}).errors.splitlines()
    line = json.loads(first)
    assert (line["message"], line["variable"], line["similar"]) == (
        "unknown environment variable",
        "BAHI_PROT",
        "BAHI_PORT",
    )
    assert "colour" in last
