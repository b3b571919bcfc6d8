"""The licences of the bundle: every file in it has an owner with a text, or the bundle is not made."""

import shutil
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.licences import FILE_NAME, LicenceMissingError
from resources.bundle.licences import debian_parts, shipped_files, text_for, write_licences

STDLIB = Path(sysconfig.get_path("stdlib"))
OURS = Path(__file__).parents[2] / "app/errors.py"
Row = tuple[str, str, str]
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="needs dpkg")


def put_tables(
    work: Path, collected: list[tuple[str, str, str]], modules: list[tuple[str, str, str]]
) -> None:
    """Write tables as PyInstaller writes them."""
    work.mkdir(parents=True)
    (work / "COLLECT-00.toc").write_text(repr((collected,)), encoding="utf-8")
    (work / "PYZ-00.toc").write_text(repr((str(work / "PYZ-00.pyz"), modules)), encoding="utf-8")


def module(name: str) -> str:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return spec.origin


def test_the_files_are_those_of_all_tables_without_links_and_namespaces(tmp_path: Path) -> None:
    work = tmp_path / "work"
    put_tables(
        work,
        [("a.so", "/x/a.so", "BINARY"), ("b.so", "a.so", "SYMLINK"), ("c", "/x/c", "DATA")],
        [("requests", "/y/requests.py", "PYMODULE"), ("jaraco", "-", "PYMODULE")],
    )
    assert shipped_files(work) == {Path("/x/a.so"), Path("/x/c"), Path("/y/requests.py")}


def test_without_tables_the_bundle_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        shipped_files(tmp_path)


def test_the_text_has_the_packages_whose_files_are_in_the_bundle_and_no_others(tmp_path: Path) -> None:
    files = [OURS, Path(module("requests")), STDLIB / "json/__init__.py", tmp_path / "made/base_library.zip"]
    text = text_for(files, tmp_path / "made")
    head = text.partition("=" * 20)[0]
    assert "requests" in head
    assert "bahi" in head
    assert f"Python {sys.version.split()[0]}" in head
    assert "starlette" not in head


def test_a_file_that_nobody_owns_is_an_error_that_names_it(tmp_path: Path) -> None:
    stranger = tmp_path / "libstranger.so"
    stranger.touch()
    with pytest.raises(LicenceMissingError, match="libstranger"):
        text_for([stranger], tmp_path / "work")


@needs_dpkg
def test_a_library_of_the_system_is_listed_with_the_licence_of_its_debian_package() -> None:
    tool = shutil.which("dpkg-query")
    assert tool is not None
    (part,) = debian_parts([Path(tool), Path(tool)])
    assert part.name == "dpkg"
    assert "GPL" in part.texts[0]


def test_the_licences_are_written_where_the_program_and_people_look(tmp_path: Path) -> None:
    put_tables(tmp_path / "work", [], [("requests", module("requests"), "PYMODULE")])
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    written = write_licences(bundle, tmp_path / "work")
    assert written == bundle / "_internal/resources" / FILE_NAME
    assert (bundle / FILE_NAME).read_text(encoding="utf-8") == written.read_text(encoding="utf-8")
    assert write_licences(bundle, tmp_path / "work") == written  # again, over the first one
    assert "requests" in written.read_text(encoding="utf-8")
