"""What the ELF files of the bundle need: shared libraries, and versions of the symbols in them."""

import os
import re
import struct
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MAGIC: Final = b"\x7fELF"
# Where the program headers of a 64-bit file are, the size of one, and how many there are.
_HEADERS: Final = struct.Struct("<32xQ14xHH")
# Of a header: kind, offset in the file, address, alignment.
_HEADER: Final = struct.Struct("<I4xQQ24xQ")
_LOAD: Final = 1
_FILE: Final = re.compile(r"^(/.*):\s+file format elf", re.MULTILINE)
_NEEDED: Final = re.compile(r"^\s+NEEDED\s+(\S+)", re.MULTILINE)
_REFERENCES: Final = re.compile(r"^Version References:\n((?:[ \t]+.*\n?)*)", re.MULTILINE)
_VERSION: Final = re.compile(r"\s(GLIBC|GLIBCXX|CXXABI|GCC)_([0-9.]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Needs:
    """The shared libraries that a file names, and the versions of symbols, such as `("GLIBC", (2, 34))`."""

    libraries: frozenset[str]
    versions: frozenset[tuple[str, tuple[int, ...]]]


def is_elf(path: Path) -> bool:
    """Return whether `path` is a program or a library of Linux."""
    with path.open("rb") as file:
        return file.read(4) == _MAGIC


def is_loadable(path: Path) -> bool:
    """Return whether the system can map the parts of a 64-bit ELF file, as far as their places tell.

    `strip` moves the parts of files that another tool has changed, and these cannot be loaded any more.
    """
    content = path.read_bytes()
    at, size, count = _HEADERS.unpack_from(content)
    headers = [_HEADER.unpack_from(content, at + number * size) for number in range(count)]
    return all(
        alignment < 2 or offset % alignment == address % alignment
        for kind, offset, address, alignment in headers
        if kind == _LOAD
    )


def needs_of(paths: Iterable[Path]) -> dict[Path, Needs]:
    """Return what each of these ELF files needs. Needs the program `objdump` (binutils)."""
    absolute = [str(path.absolute()) for path in paths]
    if not absolute:
        return {}
    english = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(
        ["objdump", "-p", *absolute], capture_output=True, text=True, env=english, check=True
    )
    return parse(done.stdout)


def parse(text: str) -> dict[Path, Needs]:
    """Return what each file needs, from the output of `objdump -p`."""
    parts = _FILE.split(text)[1:]
    return {Path(name): _needs(part) for name, part in zip(parts[::2], parts[1::2], strict=True)}


def _needs(part: str) -> Needs:
    references = "\n".join(_REFERENCES.findall(part))
    versions = {
        (family, tuple(map(int, number.split(".")))) for family, number in _VERSION.findall(references)
    }
    return Needs(frozenset(_NEEDED.findall(part)), frozenset(versions))
