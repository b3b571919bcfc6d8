"""The licences of the bundle: of each file in it, by the package that this file is from.

What is in the bundle is read from the tables that PyInstaller leaves in its working folder. A file of a
Python package needs the licence of that package, a library of this system that of its Debian package.
"""

import ast
import csv
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from app.licences import FILE_NAME, LicenceMissingError, LicensedPart, as_text, normal_name, parts

ROOT: Final = Path(__file__).parents[2]
_TABLES: Final = ("COLLECT-*.toc", "PYZ-*.toc", "EXE-*.toc")
_KINDS_WITHOUT_FILE: Final = frozenset({"SYMLINK", "OPTION"})
_NO_SOURCE: Final = frozenset({"", "-"})
_IN_BUNDLE: Final = Path("_internal/resources") / FILE_NAME


def write_licences(bundle: Path, work: Path) -> Path:
    """Write the licences into the unpacked `bundle`; return the file. `work` is PyInstaller's working folder.

    The program reads the file in `_internal/resources`; a link beside the executables shows it to people.
    Raises LicenceMissingError if a file of the bundle has no licence.
    """
    text = text_for(shipped_files(work), work)
    written = bundle / _IN_BUNDLE
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(text, encoding="utf-8")
    shown = bundle / FILE_NAME
    shown.unlink(missing_ok=True)
    if sys.platform == "win32":
        shown.write_text(text, encoding="utf-8")
    else:
        shown.symlink_to(_IN_BUNDLE)
    return written


def shipped_files(work: Path) -> frozenset[Path]:
    """Return the files of this machine that PyInstaller put into the bundle, modules in archives included."""
    tables = sorted(table for pattern in _TABLES for table in work.glob(pattern))
    if not tables:
        raise FileNotFoundError(f"There are no tables of PyInstaller in {work}.")
    entries = [entry for table in tables for entry in _entries(ast.literal_eval(table.read_text("utf-8")))]
    sources = {source for _name, source, kind in entries if kind not in _KINDS_WITHOUT_FILE}
    return frozenset(Path(source) for source in sources - _NO_SOURCE)


def _entries(table: object) -> Iterator[tuple[str, str, str]]:
    """Return all (name, source, kind) of a table, however deep its lists are."""
    if isinstance(table, tuple) and len(table) == 3 and all(isinstance(each, str) for each in table):
        yield table
    elif isinstance(table, tuple | list):
        for inner in table:
            yield from _entries(inner)


def text_for(files: Iterable[Path], work: Path) -> str:
    """Return the licences for these files. Those of this project, and those made in `work`, are Bahi's.

    Raises LicenceMissingError.
    """
    packages, system = {"bahi"}, set[Path]()
    owners = _owners()
    for file in files:
        if (owner := owners.get(file)) is not None:
            packages.add(owner)
        elif not any(file.is_relative_to(folder) for folder in _own_folders(work)):
            system.add(file)
    found = [*parts(packages), *debian_parts(system)]
    return as_text(sorted(found, key=lambda part: part.name.casefold()))


def _owners() -> dict[Path, str]:
    """Return the Python package of each installed file."""
    return {file: name for package in metadata.distributions() for file, name in _files_of(package)}


def _files_of(package: metadata.Distribution) -> Iterator[tuple[Path, str]]:
    """Yield each file of the package with the package's name."""
    name, folder = normal_name(package.name), str(package.locate_file(""))
    # The record is read as text: the objects of `package.files` would take seconds for all packages.
    for row in csv.reader((package.read_text("RECORD") or "").splitlines()):
        yield Path(os.path.normpath(f"{folder}/{row[0]}")), name


def _own_folders(work: Path) -> tuple[Path, ...]:
    """Return the folders whose files are of this project or of Python, without a virtual environment."""
    ours = [ROOT / name for name in ("app", "server", "resources")]
    python = [] if sys.base_prefix == "/usr" else [Path(sys.base_prefix)]  # else its packages are Debian's
    return (*ours, work, Path(sysconfig.get_path("stdlib")), *python)


def debian_parts(files: Iterable[Path]) -> list[LicensedPart]:
    """Return the Debian packages of these files, with their licences. Raises LicenceMissingError."""
    packages = {_debian_package(file) for file in files}
    return [_debian_part(package) for package in sorted(packages)]


def _debian_package(file: Path) -> str:
    # dpkg knows a file by the one path that its package has, /lib/… or /usr/lib/…
    resolved = file.resolve()
    spellings = (file, resolved, Path("/", *resolved.parts[2:]), Path("/usr", *file.parts[1:]))
    for path in dict.fromkeys(spellings):
        found = _output("dpkg-query", "--search", str(path)).partition(": ")[0]
        if found:
            return found.split(",")[0].partition(":")[0]
    raise LicenceMissingError(f"{file} is in the bundle, and no package with a licence owns it.")


def _debian_part(package: str) -> LicensedPart:
    text = Path("/usr/share/doc") / package / "copyright"
    if not text.is_file():
        raise LicenceMissingError(f"The Debian package {package} has no file {text}.")
    version = _output("dpkg-query", "--show", "--showformat=${Version}\n", package).split("\n")[0]
    licence = text.read_text(encoding="utf-8", errors="replace").strip()
    return LicensedPart(package, version, "see the text", (licence,), f"the Debian package, {text}")


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
