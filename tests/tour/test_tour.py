"""The tour, as `make tour` runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.node import ROOT


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_step_of_the_tour_does_what_it_says(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.tour", str(tmp_path / "tour")],
        cwd=ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (tmp_path / "tour" / "index.html").exists()
