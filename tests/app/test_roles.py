"""The commands of the roles without a window, and the environment of what is started from the bundle."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.roles import folder_of_roles, previews_command, restore_search_paths, server_command


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the executable of a bundle that this process claims to be."""
    executable = tmp_path / "bahi"
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(executable))
    return executable


def test_the_bundle_starts_its_roles_with_the_executable_that_is_without_qt(bundled: Path) -> None:
    sibling = str(bundled.with_name("bahi-server"))
    assert server_command("user", "list") == [sibling, "user", "list"]
    assert previews_command() == [sibling, "--previews"]
    assert folder_of_roles() is None


def test_from_source_the_commands_of_the_roles_run() -> None:
    done = subprocess.run(
        server_command("--version"), cwd=folder_of_roles(), capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("bahi-server ")
    assert subprocess.run(previews_command(), cwd=folder_of_roles(), stdin=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize(
    ("given", "restored"),
    [
        ({"LD_LIBRARY_PATH": "/bundle"}, {}),
        (
            {"LD_LIBRARY_PATH": "/bundle:/own", "LD_LIBRARY_PATH_ORIG": "/own"},
            {"LD_LIBRARY_PATH": "/own"},
        ),
        ({"LD_LIBRARY_PATH": "/bundle", "LD_LIBRARY_PATH_ORIG": ""}, {"LD_LIBRARY_PATH": ""}),
        ({"DYLD_LIBRARY_PATH": "/bundle", "PATH": "/bin"}, {"PATH": "/bin"}),
    ],
)
@pytest.mark.usefixtures("bundled")
def test_another_program_gets_the_search_paths_of_the_user(
    given: dict[str, str], restored: dict[str, str]
) -> None:
    restore_search_paths(given)
    assert given == restored


def test_from_source_the_search_paths_stay() -> None:
    environment = {"LD_LIBRARY_PATH": "/own"}
    restore_search_paths(environment)
    assert environment == {"LD_LIBRARY_PATH": "/own"}
