"""What a server is told."""

from pathlib import Path

import pytest

from server.config import Config, read_config, with_environment
from server.errors import StartError


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A DATABASE_URL of somebody's shell stays out."""
    monkeypatch.delenv("DATABASE_URL", raising=False)


def _read(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "server.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_a_file_is_read(tmp_path: Path) -> None:
    config = _read(tmp_path, 'data = "/srv/bahi"\nport = 8443\nregistration = "closed"\n')
    assert (config.data, config.port, config.registration) == ("/srv/bahi", 8443, "closed")
    assert config.folder == Path("/srv/bahi")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('data = "x"\ncolour = "red"\n', "colour"),
        ('data = "x"\nport = "80"\n', "port"),
        ('data = "x"\nport = 70000\n', "port"),
        ('data = "x"\nport = -1\n', "port"),
        ('data = "x"\nregistration = "maybe"\n', "registration"),
        ("", "data"),
        ("data = ", "TOML"),
        ("[[[", "TOML"),
    ],
)
def test_a_mistake_is_named_with_the_file(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(StartError) as caught:
        _read(tmp_path, text)
    assert named in str(caught.value)
    assert "server.toml" in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be read"):
        read_config(tmp_path / "nowhere.toml")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    path.write_bytes(b"data = '\xff\xfe'")
    with pytest.raises(StartError, match=r"server\.toml"):
        read_config(path)


def test_the_environment_overrides_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _read(tmp_path, 'data = "x"\ndatabase_url = "a"\n').database_url == "a"
    monkeypatch.setenv("DATABASE_URL", "b")
    assert _read(tmp_path, 'data = "x"\ndatabase_url = "a"\n').database_url == "b"
    assert with_environment(Config(data="x")).database_url == "b"


def test_a_database_that_takes_part_in_a_mesh_has_a_port_that_stays(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="database_port"):
        _read(tmp_path, 'data = "x"\nreplication = true\n')
    assert _read(tmp_path, 'data = "x"\nreplication = true\ndatabase_port = 5544\n').replication
