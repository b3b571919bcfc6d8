"""The package for Debian, made from a small bundle: its files, its scripts, and what desktops read."""

import configparser
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtGui import QImage

from app.ui.application import DESKTOP_FILE
from resources.bundle.deb import DESKTOP_ID, PARTS, Release, make_deb, metainfo, packages_needed
from resources.bundle.elf import Needs
from resources.bundle.icons import LARGEST_SMALL, SIZES, write_icons

RELEASE = Release("1.2.3", datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC))
pytestmark = pytest.mark.usefixtures("qapp")  # the icons are drawn with Qt
needs_tools = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")


def desktop_entry() -> configparser.SectionProxy:
    read = configparser.ConfigParser(interpolation=None)
    read.read(PARTS / f"{DESKTOP_ID}.desktop", encoding="utf-8")
    return read["Desktop Entry"]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return a bundle with two programs that sleep."""
    made = tmp_path / "bundle"
    (made / "_internal").mkdir(parents=True)
    for name in ("bahi", "bahi-server"):
        shutil.copy(shutil.which("sleep") or "", made / name)
    (made / "_internal/data.txt").write_text("data", encoding="utf-8")
    (made / "link.txt").symlink_to("_internal/data.txt")
    return made


# --- the menu entry, and what software centres show ----------------------------------------------------


def test_the_menu_entry_starts_the_program_and_its_window_has_the_same_name() -> None:
    entry = desktop_entry()
    assert entry["Exec"] == "bahi"
    assert entry["Icon"] == DESKTOP_ID == DESKTOP_FILE
    assert entry["StartupWMClass"] == "Bahi"


def test_the_description_has_the_release_and_starts_the_menu_entry() -> None:
    root = ElementTree.fromstring(metainfo(RELEASE))  # noqa: S314 - a file of this project
    assert root.findtext("id") == DESKTOP_ID
    assert root.findtext("launchable") == f"{DESKTOP_ID}.desktop"
    release = root.find("releases/release")
    assert release is not None
    assert release.attrib == {"version": "1.2.3", "date": "2026-05-04"}


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="needs desktop-file-utils")
def test_the_menu_entry_is_valid() -> None:
    done = subprocess.run(
        ["desktop-file-validate", PARTS / f"{DESKTOP_ID}.desktop"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("appstreamcli") is None, reason="needs appstream")
def test_the_description_is_valid(tmp_path: Path) -> None:
    file = tmp_path / f"{DESKTOP_ID}.metainfo.xml"
    file.write_text(metainfo(RELEASE), encoding="utf-8")
    done = subprocess.run(["appstreamcli", "validate", "--no-net", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_icon_is_drawn_in_every_size_and_small_ones_have_fewer_details(tmp_path: Path) -> None:
    files = write_icons(tmp_path, "x")
    assert len(files) == len(SIZES) + 1
    for file, size in zip(files, SIZES, strict=False):
        picture = QImage(str(file))
        assert (picture.width(), picture.height()) == (size, size)
        assert picture.pixelColor(size // 2, size // 10).alpha() > 200
        assert picture.pixelColor(0, 0).alpha() < 100
    small = QImage(str(files[SIZES.index(LARGEST_SMALL)]))
    large = QImage(str(files[-2])).scaled(small.size())
    assert small.convertToFormat(large.format()) != large


# --- the package --------------------------------------------------------------------------------------


def test_the_packages_are_those_of_the_libraries_that_the_bundle_lacks() -> None:
    program = Needs(frozenset({"libc.so.6", "libmine.so.1", "libxcb.so.1"}), frozenset({("GLIBC", (2, 34))}))
    library = Needs(frozenset({"libz.so.1"}), frozenset({("GLIBC", (2, 9)), ("GCC", (12, 0))}))
    needs = {Path("bahi"): program, Path("libmine.so.1"): library}
    assert packages_needed(needs) == ["libc6 (>= 2.34)", "libxcb1", "zlib1g"]


@needs_tools
def test_the_package_has_the_programs_the_licences_and_the_menu_entry(bundle: Path, tmp_path: Path) -> None:
    made = make_deb(bundle, tmp_path / "out", RELEASE, "none")
    tree = tmp_path / "tree"
    subprocess.run(["dpkg-deb", "--extract", made, tree], check=True)
    for name in ("bahi", "bahi-server"):
        link = tree / "usr/bin" / name
        assert link.is_symlink()
        assert link.resolve().read_bytes() == (bundle / name).read_bytes()
        assert link.resolve().stat().st_mode & 0o777 == 0o755
    home = (tree / "usr/bin/bahi").resolve().parent
    assert home.parent == tree / "usr/lib/bahi"
    assert home.name.startswith("1.2.3-")
    assert (home / "link.txt").read_text(encoding="utf-8") == "data"
    assert (tree / f"usr/share/applications/{DESKTOP_ID}.desktop").is_file()
    assert (tree / f"usr/share/metainfo/{DESKTOP_ID}.metainfo.xml").is_file()
    assert (tree / f"usr/share/icons/hicolor/48x48/apps/{DESKTOP_ID}.png").is_file()
    assert "Permission is hereby granted" in (tree / "usr/share/doc/bahi/copyright").read_text(
        encoding="utf-8"
    )
    assert str((tree / "usr/share/doc/bahi/LICENCES.txt").readlink()).endswith(f"{home.name}/LICENCES.txt")


@needs_tools
def test_the_package_manager_can_verify_every_file(bundle: Path, tmp_path: Path) -> None:
    made = make_deb(bundle, tmp_path / "out", RELEASE, "none")
    tree = tmp_path / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", made, tree], check=True)
    subprocess.run(["md5sum", "--check", "--quiet", "DEBIAN/md5sums"], cwd=tree, check=True)
    listed = (tree / "DEBIAN/md5sums").read_text(encoding="utf-8").splitlines()
    files = [path for path in (tree / "usr").rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(listed) == len(files)


@needs_tools
def test_the_same_bundle_makes_the_same_package_and_another_one_another_folder(
    bundle: Path, tmp_path: Path
) -> None:
    first = make_deb(bundle, tmp_path / "first", RELEASE, "none").read_bytes()
    (bundle / "bahi").touch()
    second = make_deb(bundle, tmp_path / "second", RELEASE, "none").read_bytes()
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    (bundle / "_internal/data.txt").write_text("other", encoding="utf-8")
    third = make_deb(bundle, tmp_path / "third", RELEASE, "none")
    assert folder_in(third) != folder_in(tmp_path / "first" / third.name)


def folder_in(package: Path) -> str:
    listed = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True)
    return next(line for line in listed.stdout.splitlines() if "/usr/bin/bahi ->" in line).partition("-> ")[2]


# --- what is done at an upgrade -----------------------------------------------------------------------


class Installed:
    """The folder of the package in another place than `/usr/lib/bahi`, and the package's scripts for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str) -> Path:
        """Put the files of a version there."""
        place = self.folder / name
        place.mkdir(parents=True)
        shutil.copy(shutil.which("sleep") or "", place / "bahi")
        (place / "data.txt").write_text(name, encoding="utf-8")
        return place

    def script(self, name: str, *arguments: str, current: str = "") -> None:
        """Run a script of the package."""
        text = (PARTS / name).read_text(encoding="utf-8").replace("/usr/lib/bahi", str(self.folder))
        text = text.replace("@FOLDER@", str(self.folder / current))
        subprocess.run(["sh", "-s", "--", *arguments], input=text, text=True, check=True)

    def upgrade(self, old: str, new: str) -> None:
        """Do what the package manager does."""
        self.script("preinst", "upgrade", "1.0")
        self.put(new)
        shutil.rmtree(self.folder / old)
        self.script("postinst", "configure", "1.0", current=new)


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    return Installed(tmp_path / "bahi")


@pytest.fixture
def running(installed: Installed) -> Iterator[subprocess.Popen[bytes]]:
    """Return a program of version 1.0, which is running."""
    with subprocess.Popen([installed.put("1.0-aaaa") / "bahi", "600"]) as process:
        yield process
        process.kill()


def test_an_upgrade_replaces_the_files_if_nobody_uses_them(installed: Installed) -> None:
    installed.put("1.0-aaaa")
    installed.upgrade("1.0-aaaa", "2.0-bbbb")
    assert [path.name for path in installed.folder.iterdir()] == ["2.0-bbbb"]


def test_a_running_program_keeps_its_files_until_an_upgrade_after_its_end(
    installed: Installed, running: subprocess.Popen[bytes]
) -> None:
    installed.upgrade("1.0-aaaa", "2.0-bbbb")
    assert {path.name for path in installed.folder.iterdir()} == {"1.0-aaaa", "2.0-bbbb"}
    assert (installed.folder / "1.0-aaaa/data.txt").read_text(encoding="utf-8") == "1.0-aaaa"
    installed.upgrade("2.0-bbbb", "3.0-cccc")
    assert {path.name for path in installed.folder.iterdir()} == {"1.0-aaaa", "3.0-cccc"}
    running.kill()
    running.wait()
    installed.upgrade("3.0-cccc", "4.0-dddd")
    assert {path.name for path in installed.folder.iterdir()} == {"4.0-dddd"}


def test_the_same_version_again_keeps_nothing_twice(
    installed: Installed, running: subprocess.Popen[bytes]
) -> None:
    installed.script("preinst", "upgrade", "1.0")
    installed.script("postinst", "configure", "1.0", current="1.0-aaaa")
    assert [path.name for path in installed.folder.iterdir()] == ["1.0-aaaa"]


def test_a_removal_leaves_no_file_of_the_program(
    installed: Installed, running: subprocess.Popen[bytes]
) -> None:
    installed.upgrade("1.0-aaaa", "2.0-bbbb")
    installed.script("postrm", "remove")
    assert not installed.folder.exists()
