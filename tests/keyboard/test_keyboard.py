"""The session with the keyboard alone, as `make keyboard` runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.node import ROOT


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_part_of_the_session_can_be_done_with_the_keyboard_alone(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.keyboard", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "in again" in ended.stdout
    assert (tmp_path / "keyboard.csv").exists()
