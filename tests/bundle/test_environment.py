"""What the processes get that the bundled program starts."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.support.postgres import remove_cluster
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(300)]

ROOT: Final = Path(__file__).parents[2]
BUNDLE: Final = Path(os.environ.get("BAHI_BUNDLE", ROOT / "build/bundle/dist/bahi"))


@pytest.mark.parametrize("own", ["/opt/asha/lib", None])
def test_what_the_program_starts_gets_the_search_path_of_the_user(tmp_path: Path, own: str | None) -> None:
    """The executable of the server notes what it was given as LD_LIBRARY_PATH, before it sets its own."""
    if not (BUNDLE / "bahi").exists():
        pytest.skip("There is no bundle. Please run `make bundle` first.")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_DATA_HOME": str(tmp_path / "data")}
    environment.pop("LD_LIBRARY_PATH", None)
    if own is not None:
        environment["LD_LIBRARY_PATH"] = own
    program = subprocess.Popen([BUNDLE / "bahi"], env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _given(program.pid), pause=0.05)
        given = _given(program.pid)
    finally:
        program.send_signal(signal.SIGTERM)
        program.wait(60)
        remove_cluster(tmp_path / "data/Bahi/server")
    assert str(BUNDLE) in given["LD_LIBRARY_PATH"]
    assert given.get("LD_LIBRARY_PATH_ORIG") == own


def _given(parent: int) -> dict[str, str]:
    """Return the environment of the server that `parent` has started; empty if it has not started one."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if not entry.name.isdecimal() or "bahi-server" not in (entry / "cmdline").read_text():
                continue
            if (entry / "stat").read_text().rpartition(")")[2].split()[1] != str(parent):
                continue
            lines = (entry / "environ").read_text(errors="replace").split("\0")
            found = dict(line.split("=", 1) for line in lines if "=" in line)
            if "LD_LIBRARY_PATH" in found:  # set, before the executable runs itself again
                return found
    return {}
