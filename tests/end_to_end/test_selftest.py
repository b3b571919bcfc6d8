"""`bahi --selftest` and `--version`, as a user runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `bahi` with its home and its temporary files in `folder`."""
    places = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "TMPDIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env={**os.environ, **places, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_the_self_test_passes_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = _run(tmp_path, "--selftest")
    lines = [line.split("  ")[0] for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines == ["database", "preview worker", "PDF", "keyring", "TLS", "fonts", "windows", "capture"]
    assert [path.name for path in tmp_path.iterdir() if path.name != ".cache"] == []


def test_a_part_that_does_not_work_is_named_and_the_others_are_tried(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    done = _run(
        tmp_path, "--selftest", DATABASE_URL="", SSL_CERT_DIR=nowhere, PYTHON_KEYRING_BACKEND="no.such"
    )
    failed = [line for line in done.stdout.splitlines() if "FAILED: " in line]
    assert done.returncode == 1
    assert [line.split(" ")[0] for line in failed] == ["keyring"], done.stdout
    assert "fonts           ok" in done.stdout


@pytest.mark.parametrize("role", [(), ("--server",)])
def test_the_version_is_told(tmp_path: Path, role: tuple[str, ...]) -> None:
    done = _run(tmp_path, *role, "--version")
    assert done.returncode == 0
    assert done.stdout.split() == ["bahi-server" if role else "bahi", "0.1.0"]
