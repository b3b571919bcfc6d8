"""The configuration of a regional server, from a file and from the environment."""

import logging
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.config import Config, database_url_of_environment, read_config
from server.discovery.config import DiscoveryConfig
from server.errors import StartError


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what the shell of the person who runs this sets for servers."""
    for name in list(os.environ):
        if name == "DATABASE_URL" or name.startswith("BAHI_"):
            monkeypatch.delenv(name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the file; the working directory is another one, `elsewhere` beside it."""
    for name in ("etc", "elsewhere"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "etc"


def _read(folder: Path, text: str) -> Config:
    path = folder / "server.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def _refusal(folder: Path, text: str = 'data = "x"\n') -> str:
    with pytest.raises(StartError) as caught:
        _read(folder, text)
    assert str(caught.value).endswith(".")
    return str(caught.value)


# --- the file -----------------------------------------------------------------------------------------


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
        ("data = 1\n", "data"),
        ("", "data"),
        ("data = ", "TOML"),
        ("[[[", "TOML"),
    ],
)
def test_a_mistake_is_named_with_the_file(tmp_path: Path, text: str, named: str) -> None:
    said = _refusal(tmp_path, text)
    assert named in said
    assert "server.toml" in said


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be read"):
        read_config(tmp_path / "nowhere.toml")


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    path.write_bytes(b"data = '\xff\xfe'")
    with pytest.raises(StartError, match=r"server\.toml"):
        read_config(path)


def test_a_database_of_a_mesh_needs_a_fixed_port(tmp_path: Path) -> None:
    assert "database_port" in _refusal(tmp_path, 'data = "x"\nreplication = true\n')
    assert _read(tmp_path, 'data = "x"\nreplication = true\ndatabase_port = 5544\n').replication


# --- the environment ----------------------------------------------------------------------------------

_EXAMPLES: dict[str, tuple[str, object]] = {
    "data": ("/srv/bahi", "/srv/bahi"),
    "port": ("8443", 8443),
    "database_port": ("5544", 5544),
    "pool_size": ("5", 5),
    "servers": ("3", 3),
    "capacity": ("128", 128),
    "drain_seconds": ("0", 0),
    "replication": ("true", True),
    "local": ("false", False),
    "registration": ("open", "open"),
    "policy": ("strict", "strict"),
    "roster": ("/srv/roster.jws", "/srv/roster.jws"),
    "documents": ("/srv/bills", "/srv/bills"),
    "ca_file": ("/srv/ca.pem", "/srv/ca.pem"),
    "tls_certificate": ("/srv/certificate.pem", "/srv/certificate.pem"),
    "tls_key": ("/srv/key.pem", "/srv/key.pem"),
}


def test_every_key_is_overridden_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = {name: _EXAMPLES.get(name, ("0042", "0042")) for name in Config.__struct_fields__}
    for name, (text, _) in examples.items():
        monkeypatch.setenv(f"BAHI_{name.upper()}", text)
    monkeypatch.setenv("BAHI_PUBLIC_URL", "https://mum-1.example.com")
    read = msgspec.structs.asdict(_read(tmp_path, 'data = "x"\nport = 1\nregion = "r"\n'))
    assert read.pop("public_url") == "https://mum-1.example.com"
    del examples["public_url"]
    assert read == {name: value for name, (_, value) in examples.items()}


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("BAHI_PORT", "tcp://10.0.0.1:8443", "`int`"),
        ("BAHI_PORT", "70000", "<= 65535"),
        ("BAHI_PORT", "", "`int`"),
        ("BAHI_REPLICATION", "yes", "`bool`"),
        ("BAHI_REGISTRATION", "maybe", "maybe"),
        ("BAHI_SERVERS", "17", "<= 16"),
    ],
)
def test_a_bad_value_stops_the_start_and_the_variable_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, text: str, said: str
) -> None:
    monkeypatch.setenv(variable, text)
    sentence = _refusal(tmp_path)
    assert variable in sentence
    assert said in sentence
    assert "server.toml" not in sentence


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "file"),
        ({"DATABASE_URL": "plain"}, "plain"),
        ({"BAHI_DATABASE_URL": "ours"}, "ours"),
        ({"BAHI_DATABASE_URL": "ours", "DATABASE_URL": "plain"}, "ours"),
        ({"DATABASE_URL": ""}, ""),
        ({"BAHI_DATABASE_URL": "", "DATABASE_URL": "plain"}, ""),
    ],
)
def test_the_database_is_named_by_two_variables_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert _read(tmp_path, 'data = "x"\ndatabase_url = "file"\n').database_url == expected
    assert database_url_of_environment() == (expected if environment else None)


def test_a_key_that_the_file_leaves_out_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAHI_DATA", "/srv/bahi")
    assert _read(tmp_path, "").data == "/srv/bahi"


def test_an_empty_variable_clears_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAHI_ROSTER", "")
    assert _read(tmp_path, 'data = "x"\nroster = "r.jws"\n').roster == ""


def _warned(caplog: pytest.LogCaptureFixture) -> list[tuple[Any, Any]]:
    return [
        (vars(record)["variable"], vars(record)["similar"])
        for record in caplog.records
        if record.getMessage() == "unknown environment variable"
    ]


def test_an_unknown_variable_is_logged_and_does_not_stop_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("BAHI_PROT", "80")
    monkeypatch.setenv("BAHI_SERVICE_HOST", "10.0.0.1")
    with caplog.at_level(logging.WARNING):
        assert _read(tmp_path, 'data = "x"\n').port == 0
    assert ("BAHI_PROT", "BAHI_PORT") in _warned(caplog)
    assert [name for name, _ in _warned(caplog)] == ["BAHI_PROT", "BAHI_SERVICE_HOST"]
    assert "10.0.0.1" not in caplog.text


def test_a_variable_of_another_program_of_ours_is_not_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keys = {*Config.__struct_fields__, *DiscoveryConfig.__struct_fields__}
    for name in {"BAHI_DATABASE_URL_AP_SOUTH_1", *(f"BAHI_{key.upper()}" for key in keys)}:
        monkeypatch.setenv(name, _EXAMPLES.get(name.removeprefix("BAHI_").lower(), ("", ""))[0])
    with caplog.at_level(logging.WARNING):
        _read(tmp_path, 'data = "x"\n')
    assert _warned(caplog) == []


# --- paths --------------------------------------------------------------------------------------------

_PATHS = ("data", "roster", "documents", "ca_file", "tls_certificate", "tls_key")


def _text(values: dict[str, str]) -> str:
    return "".join(f'{name} = "{value}"\n' for name, value in values.items())


def test_relative_paths_of_the_file_count_from_its_folder(folder: Path) -> None:
    values = {name: f"sub/{name}" for name in _PATHS}
    config = _read(folder, _text(values))
    assert {name: getattr(config, name) for name in _PATHS} == {
        name: str(folder / "sub" / name) for name in _PATHS
    }


def test_relative_paths_count_from_the_folder_of_a_file_that_is_named_relatively(folder: Path) -> None:
    (folder / "server.toml").write_text('data = "data"\n')
    assert read_config(Path("../etc/server.toml")).folder.resolve() == folder / "data"


def test_relative_paths_of_variables_count_from_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in _PATHS:
        monkeypatch.setenv(f"BAHI_{name.upper()}", f"sub/{name}")
    config = _read(folder, _text(dict.fromkeys(_PATHS, "in-the-file")))
    assert {name: getattr(config, name) for name in _PATHS} == {
        name: str(Path.cwd() / "sub" / name) for name in _PATHS
    }


@pytest.mark.parametrize("name", _PATHS)
def test_a_path_that_only_the_working_directory_has_stops_the_start(folder: Path, name: str) -> None:
    Path("there").mkdir()
    said = _refusal(folder, _text({"data": "data", name: "there"}))
    assert said.startswith(f"In the configuration {folder / 'server.toml'}, {name} ")
    assert str(folder / "there") in said
    assert str(Path.cwd() / "there") in said
    assert not (folder / "there").exists()


def test_a_path_that_the_folder_of_the_file_has_too_is_taken_from_there(folder: Path) -> None:
    for each in (Path("there"), folder / "there"):
        each.mkdir()
    assert _read(folder, 'data = "there"\n').folder == folder / "there"


def test_a_path_of_the_file_that_a_variable_overrides_is_not_looked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("there").mkdir()
    monkeypatch.setenv("BAHI_DATA", "there")
    assert _read(folder, 'data = "there"\n').folder == Path.cwd() / "there"


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no folder that a process is in")
def test_a_working_directory_that_is_gone_does_not_matter(folder: Path) -> None:
    Path.cwd().rmdir()
    assert _read(folder, 'data = "data"\n').folder == folder / "data"
