"""The package for Debian in a bare system: installed, used, upgraded while it is in use, and removed.

`make bundle-check` runs it after `make bundle`. It needs root, debootstrap, Xvfb, openbox, xdotool and the
network. `BAHI_BARE_SYSTEM` names a folder that `debootstrap --variant=minbase` has made; it is copied then.
"""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from resources.bundle.deb import DESKTOP_ID, Release, make_deb
from tests.bundle.bare_system import bare_system, missing
from tests.bundle.person import Person
from tests.display.x_display import XDisplay, missing_programs, x_display

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1800)]

ROOT: Final = Path(__file__).parents[2]
BUNDLE: Final = ROOT / "build/bundle/dist/bahi"
SAMPLES: Final = ROOT / "resources/samples"
INSTALLED: Final = ("usr/lib/bahi", "usr/bin/bahi", "usr/bin/bahi-server", "usr/share/doc/bahi")
OLDER: Final = Release("0.0.9", datetime(2026, 1, 1, tzinfo=UTC))
NEWER: Final = Release("0.1.0", datetime(2026, 2, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the package of an older version and that of this one. Both have the files of this bundle."""
    if not (BUNDLE / "bahi").exists():
        pytest.skip("There is no bundle. Please run `make bundle` first.")
    folder = tmp_path_factory.mktemp("packages")
    return make_deb(BUNDLE, folder, OLDER, "none"), make_deb(BUNDLE, folder, NEWER, "none")


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[XDisplay]:
    if lacking := [*missing(), *missing_programs()]:
        pytest.skip(f"This needs {', '.join(lacking)}.")
    with x_display(tmp_path / "screen", "1280x800x24", "-ac") as made:
        yield made


@pytest.fixture
def person(screen: XDisplay, tmp_path: Path) -> Iterator[Person]:
    base = os.environ.get("BAHI_BARE_SYSTEM")
    with bare_system(tmp_path / "system", Path(base) if base else None) as system:
        yield Person(system, screen)


def test_a_person_without_python_installs_uses_upgrades_and_removes_it(
    person: Person, packages: tuple[Path, Path]
) -> None:
    older, newer = packages
    system = person.system
    receipt = system.give(SAMPLES / "taxi-receipt.jpg")
    invoice = system.give(SAMPLES / "hotel-invoice.pdf")
    picture = system.give(SAMPLES / "stationery-bill.png")

    system.install(older)
    assert system.run("sh", "-c", "command -v python3 || command -v python", check=False).stdout == ""
    system.run_as_user("bahi --selftest")
    assert system.run_as_user("bahi --version").stdout.startswith("bahi ")
    assert system.run_as_user("bahi-server --version").stdout.startswith("bahi-server ")

    person.start()
    person.begin_book()
    person.enter("120.50", "First day", receipt)
    person.close()
    assert person.entries() == [("120.50", "First day")]

    person.start()
    old_folder = person.folder_of("bahi")
    system.install(newer)
    assert (system.root / "usr/lib/bahi" / old_folder).is_dir(), "the running program has lost its files"
    # What the old program starts anew must be of its own version: the preview worker, and the server.
    for role in ("bahi-server --previews", "bahi-server --quiet local"):
        for number in system.processes(role):
            system.end(number, signal.SIGKILL)
    person.enter("99.00", "While it was upgraded", invoice)
    assert {person.folder_of(role) for role in ("bahi", "bahi-server")} == {old_folder}
    person.close()
    assert person.entries() == [("120.50", "First day"), ("99.00", "While it was upgraded")]

    person.start()
    assert person.folder_of("bahi") != old_folder
    person.enter("7.00", "With the new version", picture)
    person.close()
    after = person.entries()
    assert after[-1] == ("7.00", "With the new version")
    assert len(after) == 3
    system.run("dpkg", "--install", f"/tmp/{newer.name}")
    assert not (system.root / "usr/lib/bahi" / old_folder).exists(), "files that nobody uses are left"

    system.run("dpkg", "--purge", "bahi")
    assert not [path for path in INSTALLED if (system.root / path).exists()]
    assert system.run("sh", "-c", f"find /usr/share -name '*{DESKTOP_ID}*'").stdout == ""
    assert len(person.documents()) == 3

    system.install(newer)
    assert person.entries() == after
