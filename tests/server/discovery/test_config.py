"""The configuration of a discovery server."""

from pathlib import Path

import msgspec
import pytest

from server.discovery.config import DiscoveryConfig, read_config
from server.errors import StartError

WHOLE = 'data = "d"\ndiscovery_id = "disc-1"\nroster = "r.jws"\ncluster_key = "00"\n'


def _written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "discovery.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_four_keys_are_enough_and_it_listens_on_loopback(tmp_path: Path) -> None:
    config = read_config(_written(tmp_path, WHOLE))
    assert (config.host, config.port, config.folder) == ("127.0.0.1", 0, tmp_path / "d")
    assert config.roster == str(tmp_path / "r.jws")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WHOLE + "color = 1\n", "color"),
        (WHOLE + 'port = "http"\n', "port"),
        (WHOLE + "port = 65536\n", "port"),
        (WHOLE.replace('cluster_key = "00"\n', ""), "cluster_key"),
        ("data =", "not valid TOML"),
        (WHOLE + 'tls_key = "k"\n', "tls_certificate"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(StartError, match=words):
        read_config(_written(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be read"):
        read_config(tmp_path / "nowhere.toml")


def test_the_environment_overrides_each_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: f"/from/the/environment/{name}" for name in DiscoveryConfig.__struct_fields__}
    for name, value in {**given, "port": "4711"}.items():
        monkeypatch.setenv(f"BAHI_{name.upper()}", value)
    config = read_config(_written(tmp_path, ""))
    assert msgspec.structs.asdict(config) == {**given, "port": 4711}


def test_a_bad_value_of_a_variable_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAHI_PORT", "http")
    with pytest.raises(StartError, match="BAHI_PORT"):
        read_config(_written(tmp_path, WHOLE))
