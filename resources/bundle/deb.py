"""The package for Debian and Ubuntu, made from the bundle.

The files lie in `/usr/lib/bahi/<version>-<digest>`. A package that is installed over an older one has another
folder, so a running Bahi never loads files of two versions; `linux/preinst` says how it keeps its own.
"""

import gzip
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from app.licences import FILE_NAME
from resources.bundle.checks import SYSTEM_LIBRARIES
from resources.bundle.elf import Needs, is_elf, needs_of

NAME: Final = "bahi"
DESKTOP_ID: Final = "org.bahi.Bahi"
PROGRAMS: Final = ("bahi", "bahi-server")
PARTS: Final = Path(__file__).parent / "linux"
ROOT: Final = Path(__file__).parents[2]

_C_LIBRARY: Final = "libc6"
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_SCRIPTS: Final = ("preinst", "postinst", "postrm")
_DIGEST_LENGTH: Final = 8
_OPTIONAL: Final = ("libwayland-",)
"""Packages whose names begin so are only recommended: without them, a part of the program is not used."""

_ALSO_NEEDED: Final = ("ca-certificates", "fontconfig-config")
"""The certificates that servers are checked with; the fonts of the system, for letters that ours lack."""

_ALSO_RECOMMENDED: Final = ("xdg-utils",)
"""The command that opens a bill in another program."""


@dataclass(frozen=True, slots=True)
class Release:
    """What is packed: its version, and the moment that all its files bear."""

    version: str
    moment: datetime


def make_deb(bundle: Path, folder: Path, release: Release, compression: str = "xz") -> Path:
    """Make the package of the unpacked `bundle` in `folder`; return its path.

    Raises CalledProcessError if a tool reports an error.
    """
    folder.mkdir(parents=True, exist_ok=True)
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    made = folder / f"{NAME}_{release.version}_{architecture}.deb"
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary) / "tree"
        home = put_program(tree, bundle, release.version)
        put_desktop_parts(tree, release)
        put_documents(tree, home, release)
        packages = packages_needed(needs_of(_programs_of(bundle)))
        put_control(tree, home, release.version, architecture, packages)
        _set_modes_and_times(tree, release.moment)
        _build(tree, made, release.moment, compression)
    return made


def put_program(tree: Path, bundle: Path, version: str) -> Path:
    """Copy the bundle into the `tree` of the package; return the path of its folder when it is installed."""
    home = Path("/usr/lib") / NAME / f"{version}-{digest(bundle)}"
    place = _inside(tree, home)
    shutil.copytree(bundle, place, symlinks=True)
    binaries = tree / "usr/bin"
    binaries.mkdir(parents=True)
    for program in PROGRAMS:
        (binaries / program).symlink_to(Path("..") / home.relative_to("/usr") / program)
    return home


def digest(bundle: Path) -> str:
    """Return the first digits of a SHA-256 over the names and the contents of all files of the bundle."""
    total = hashlib.sha256()
    for path in sorted(bundle.rglob("*")):
        total.update(f"{path.relative_to(bundle).as_posix()}\0".encode())
        if path.is_symlink():
            total.update(str(path.readlink()).encode())
        elif path.is_file():
            total.update(path.read_bytes())
    return total.hexdigest()[:_DIGEST_LENGTH]


def put_desktop_parts(tree: Path, release: Release) -> None:
    """Write the menu entry, its icons, and what software centres show."""
    from resources.bundle.icons import write_icons  # it needs Qt

    share = tree / "usr/share"
    entry = share / "applications" / f"{DESKTOP_ID}.desktop"
    _write(entry, (PARTS / entry.name).read_text(encoding="utf-8"))
    write_icons(share / "icons/hicolor", DESKTOP_ID)
    _write(share / "metainfo" / f"{DESKTOP_ID}.metainfo.xml", metainfo(release))


def faults_of_descriptions(release: Release) -> list[str]:
    """Return what the validators of the desktops say against the menu entry and the AppStream description."""
    with tempfile.TemporaryDirectory() as folder:
        described = Path(folder) / f"{DESKTOP_ID}.metainfo.xml"
        _write(described, metainfo(release))
        said = [
            _output("desktop-file-validate", PARTS / f"{DESKTOP_ID}.desktop"),
            _output("appstreamcli", "validate", "--no-net", described),
        ]
    return [text for text in said if text]


def _output(*command: str | Path) -> str:
    """Return what a command says if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"{command[0]}: {done.stdout}{done.stderr}".strip() if done.returncode else ""


def metainfo(release: Release) -> str:
    """Return the AppStream description of the program in this release."""
    text = (PARTS / f"{DESKTOP_ID}.metainfo.xml").read_text(encoding="utf-8")
    return text.replace("@VERSION@", release.version).replace("@DATE@", release.moment.date().isoformat())


def put_documents(tree: Path, home: Path, release: Release) -> None:
    """Write the licences and the list of changes, as Debian asks for them."""
    documents = tree / "usr/share/doc" / NAME
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    indented = "\n".join(f" {line}" if line.strip() else " ." for line in licence.strip().splitlines())
    copyright_text = (PARTS / "copyright").read_text(encoding="utf-8").replace("@LICENCE@", indented)
    _write(documents / "copyright", copyright_text)
    (documents / FILE_NAME).symlink_to(Path("../../..") / home.relative_to("/usr") / FILE_NAME)
    changes = (ROOT / "CHANGELOG.md").read_bytes()
    # Without the moment of packing in it, the file is the same each time.
    (documents / "changelog.gz").write_bytes(gzip.compress(changes, mtime=int(release.moment.timestamp())))


def put_control(tree: Path, home: Path, version: str, architecture: str, packages: list[str]) -> None:
    """Write the description of the package, and its scripts."""
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    optional = [each for each in packages if each.startswith(_OPTIONAL)]
    fields = {
        "Package": NAME,
        "Version": version,
        "Section": "misc",
        "Priority": "optional",
        "Architecture": architecture,
        "Maintainer": "The Bahi authors <authors@bahi.invalid>",
        "Installed-Size": str(size // 1024),
        "Depends": ", ".join([each for each in packages if each not in optional] + [*_ALSO_NEEDED]),
        "Recommends": ", ".join([*optional, *_ALSO_RECOMMENDED]),
        "Description": "account book with the bills in it\n"
        " Bahi is an account book for a shop, a household or a small office. You note\n"
        " what goes out and what comes in, and attach the bill to each entry: a\n"
        " photograph, a scan or a PDF. The book is kept on your computer.",
    }
    text = "".join(f"{key}: {value}\n" for key, value in fields.items() if value)
    _write(tree / "DEBIAN/control", text)
    _write(tree / "DEBIAN/md5sums", "".join(_checksum_lines(tree)))
    for script in _SCRIPTS:
        written = (PARTS / script).read_text(encoding="utf-8").replace("@FOLDER@", str(home))
        _write(tree / "DEBIAN" / script, written)


def _checksum_lines(tree: Path) -> Iterator[str]:
    """Yield a line for each file of the package; `dpkg --verify` reads them."""
    for path in sorted(tree.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.parent.name != "DEBIAN":
            checksum = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            yield f"{checksum}  {path.relative_to(tree).as_posix()}\n"


def packages_needed(needs: dict[Path, Needs]) -> list[str]:
    """Return the packages of the libraries that the files of the bundle need and that are not in it.

    `needs` are those of all files. A library that is not known is a fault that `checks` has found.
    """
    inside = {path.name for path in needs}
    wanted = {library for each in needs.values() for library in each.libraries} - inside
    packages = {SYSTEM_LIBRARIES[library] for library in wanted} - {_C_LIBRARY}
    return [_c_library_needed(needs.values()), *sorted(packages)]


def _c_library_needed(needs: Iterable[Needs]) -> str:
    versions = {version for each in needs for family, version in each.versions if family == "GLIBC"}
    return f"{_C_LIBRARY} (>= {'.'.join(map(str, max(versions)))})"


def _programs_of(bundle: Path) -> list[Path]:
    return [path for path in bundle.rglob("*") if path.is_file() and not path.is_symlink() and is_elf(path)]


def _inside(tree: Path, path: Path) -> Path:
    return tree / path.relative_to("/")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _set_modes_and_times(tree: Path, moment: datetime) -> None:
    """Let every file be readable by everybody and bear the same moment, whoever packs it, and when."""
    scripts = {tree / "DEBIAN" / name for name in _SCRIPTS}
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100 or path in scripts
            path.chmod(0o755 if executable else 0o644)
        os.utime(path, (moment.timestamp(), moment.timestamp()), follow_symlinks=False)


def _build(tree: Path, made: Path, moment: datetime, compression: str) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(int(moment.timestamp()))}
    command = ["dpkg-deb", "--root-owner-group", f"-Z{compression}", "--build", str(tree), str(made)]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
