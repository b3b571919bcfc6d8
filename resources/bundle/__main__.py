"""`python -m resources.bundle`: make the bundle, check it, pack it as archive and .deb, run its self-test."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from resources.bundle import checks
from resources.bundle.archive import pack, unpack, write_checksums
from resources.bundle.deb import Release, faults_of_descriptions, make_deb
from resources.bundle.elf import is_elf, is_loadable, needs_of
from resources.bundle.licences import write_licences

_ROOT: Final = Path(__file__).parents[2]
_WORK: Final = _ROOT / "build" / "bundle"
_BUNDLE: Final = _WORK / "dist" / "bahi"
_PUBLISHED: Final = _ROOT / "dist"
_EXECUTABLES: Final = ("bahi", "bahi-server")


def main() -> int:
    """Make everything; return the exit status."""
    version = metadata.version("bahi")
    archive = _PUBLISHED / f"bahi-{version}-{sys.platform}-{platform.machine()}.tar.xz"
    seconds: dict[str, float] = {}
    with _timed("build", seconds):
        _build()
    with _timed("strip", seconds):
        _strip(_elf_files())
    with _timed("licences", seconds):
        write_licences(_BUNDLE, _WORK / "work" / "build")
    release = Release(version, datetime.fromtimestamp(_epoch(), UTC))
    with _timed("check", seconds):
        faults = [*_faults(), *faults_of_descriptions(release)]
    if faults:
        sys.stderr.write("\n".join(faults) + "\n")
        return 1
    with _timed("pack", seconds):
        shutil.rmtree(_PUBLISHED, ignore_errors=True)
        pack(_BUNDLE, archive, _epoch())
    with _timed("deb", seconds):
        package = make_deb(_BUNDLE, _PUBLISHED, release)
    write_checksums(_PUBLISHED)
    with _timed("selftest", seconds):
        status = _selftest(archive)
    _report(archive, package, seconds)
    return status


@contextmanager
def _timed(step: str, seconds: dict[str, float]) -> Iterator[None]:
    sys.stdout.write(f"{step} …\n")
    sys.stdout.flush()
    began = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - began, 1)


def _build() -> None:
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    folders = ["--distpath", str(_WORK / "dist"), "--workpath", str(_WORK / "work")]
    subprocess.run([*command, *folders, str(_ROOT / "build.spec")], check=True, cwd=_ROOT)
    # Written by pip for `direct_url`: where the source was on this machine.
    for path in _BUNDLE.rglob("direct_url.json"):
        path.unlink()


def _elf_files() -> list[Path]:
    files = [path for path in sorted(_BUNDLE.rglob("*")) if path.is_file() and not path.is_symlink()]
    return [path for path in files if is_elf(path)]


def _strip(files: list[Path]) -> None:
    """Remove the debugging symbols. The executables stay as they are: their content is appended to them."""
    libraries = [path for path in files if path.parent != _BUNDLE]
    for path in libraries:
        stripped = path.with_name(f"{path.name}.stripped")
        subprocess.run(["strip", "--strip-debug", "-o", str(stripped), str(path)], check=True)
        if is_loadable(stripped):
            stripped.replace(path)
        else:
            stripped.unlink()


def _faults() -> list[str]:
    files = _elf_files()
    needs = needs_of(files)
    present = {path.name for path in _BUNDLE.rglob("*")}
    return [
        *checks.newer_symbols(needs),
        *checks.unknown_libraries(needs, present),
        *(f"{path} cannot be loaded." for path in files if not is_loadable(path)),
        *checks.dangling_links(_BUNDLE),
        *checks.build_paths(_BUNDLE, [_ROOT]),
        *checks.tests_inside(_BUNDLE),
    ]


def _epoch() -> int:
    """Return the time that the files of the archive get: that of SOURCE_DATE_EPOCH or of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=_ROOT, capture_output=True, text=True)
    return int(done.stdout) if done.returncode == 0 else int(time.time())


def _selftest(archive: Path) -> int:
    """Run what a user gets: the unpacked archive."""
    with tempfile.TemporaryDirectory(prefix="bahi-bundle-") as folder:
        bundle = unpack(archive, Path(folder))
        for name in _EXECUTABLES:
            subprocess.run([bundle / name, "--version"], check=True)
        return subprocess.run([bundle / "bahi", "--selftest"]).returncode


def _megabytes(file: Path) -> float:
    return round(file.stat().st_size / 1e6, 1)


def _report(archive: Path, package: Path, seconds: dict[str, float]) -> None:
    folder = sum(path.lstat().st_size for path in _BUNDLE.rglob("*") if not path.is_dir())
    sizes = {
        "folder_mb": round(folder / 1e6, 1),
        "archive_mb": _megabytes(archive),
        "deb_mb": _megabytes(package),
    }
    (_ROOT / "build" / "bundle.json").write_text(
        json.dumps({"archive": archive.name, **sizes, "seconds": seconds}, indent=2) + "\n", encoding="utf-8"
    )
    sys.stdout.write(f"\n{archive.relative_to(_ROOT)}\n{package.relative_to(_ROOT)}\n")
    for name, value in {**sizes, **{f"{step}_s": each for step, each in seconds.items()}}.items():
        sys.stdout.write(f"  {name:<12}{value:>8}\n")


if __name__ == "__main__":
    sys.exit(main())
