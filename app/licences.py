"""The licences of Bahi and of everything that is shipped with it, as one text.

The bundle has this text as a file. From source it is made from the installed packages.
"""

import re
import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from app import resources
from app.errors import StoreError

FILE_NAME: Final = "LICENCES.txt"
NOT_SHIPPED: Final = frozenset({"boto3"})
"""Dependencies that the bundle leaves out."""

_FOLDER: Final = resources.ROOT / "licences"
STANDARD: Final = ("Apache-2.0", "GPL-2.0", "GPL-3.0", "LGPL-2.0", "LGPL-2.1", "LGPL-3.0", "MPL-2.0")
"""The standard licences that other texts refer to."""
_REQUIREMENT: Final = re.compile(r"(?P<name>[\w.-]+)\s*(?:\[(?P<extras>[^\]]*)\])?[^;]*(?:;(?P<marker>.*))?")
_EXTRA: Final = re.compile(r"""\bextra\s*==\s*['"]([^'"]+)""")
_Wanted = tuple[str, frozenset[str]]
"""A package's normal name, and the extras that are wanted of it."""

_RULE: Final = "=" * 100
_HEAD: Final = """\
Licences

Bahi is free software. It is shipped with the parts below; each has its own licence.
"""


class LicenceMissingError(StoreError):
    """A part that is shipped has no licence text."""


@dataclass(frozen=True, slots=True)
class LicensedPart:
    """A part that is shipped, and the texts of its licence. `source` says where texts of ours are from."""

    name: str
    version: str
    licence: str
    texts: tuple[str, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class IndexedPart:
    """A part as `resources/licences/index.toml` has it. The fields are explained there."""

    name: str
    inside: tuple[str, ...] = ()
    licence: str = ""
    texts: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    source: str = ""


@dataclass(slots=True)
class _Written:
    """The text as far as it is written. `owners` maps each licence text to the part that has it in full."""

    lines: list[str] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)


def licences_text(folder: Path = resources.ROOT) -> str:
    """Return the file that the bundle has in `folder`; without one, make it from the installed packages.

    Raises LicenceMissingError if a package, or its text, is missing.
    """
    written = folder / FILE_NAME
    if written.is_file():
        return written.read_text(encoding="utf-8")
    return as_text(parts(shipped_packages()))


def shipped_packages() -> frozenset[str]:
    """Return the normal names of the Python packages that Bahi needs when it runs, itself included."""
    found: set[str] = set()
    wanted = [("bahi", frozenset[str]())]
    while wanted:
        name, extras = wanted.pop()
        if (name in found and not extras) or name in NOT_SHIPPED or (package := _package(name)) is None:
            continue
        found.add(name)
        wanted += _requirements(package, extras)
    return frozenset(found)


def _package(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None  # it is for another system, or another version of Python


def _requirements(package: metadata.Distribution, extras: frozenset[str]) -> Iterator["_Wanted"]:
    for requirement in package.requires or ():
        match = _REQUIREMENT.match(requirement)
        assert match is not None
        asked = _EXTRA.search(match["marker"] or "")
        if asked is None or asked[1] in extras:
            named = (extra.strip() for extra in (match["extras"] or "").split(","))
            yield normal_name(match["name"]), frozenset(filter(None, named))


def normal_name(name: str) -> str:
    """Return the form of a package's name in which two spellings of it are equal."""
    return re.sub(r"[-_.]+", "-", name).lower()


def index() -> tuple[IndexedPart, ...]:
    """Return the parts that no Python package has a text for."""
    table = tomllib.loads((_FOLDER / "index.toml").read_text(encoding="utf-8"))
    return tuple(IndexedPart(**_frozen(part)) for part in table["part"])


def _frozen(part: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in part.items()}


def parts(packages: Iterable[str]) -> list[LicensedPart]:
    """Return `packages` (normal names), what they carry, Python and the fonts, sorted by name.

    Raises LicenceMissingError if one of them has no text.
    """
    shipped = frozenset(packages)
    indexed = index()
    replaced = {normal_name(part.name): part for part in indexed if part.texts}
    inside = [part for part in indexed if shipped & {normal_name(name) for name in part.inside}]
    found = [
        *(_of_package(name, replaced.get(name)) for name in shipped),
        *(_of_indexed(part, shipped) for part in inside),
        *_fonts(),
        _python(),
    ]
    return sorted(found, key=lambda part: part.name.casefold())


def _of_package(name: str, ours: IndexedPart | None) -> LicensedPart:
    """Return the package `name`. Its texts and its licence are those of `ours`, if there is one."""
    package = _package(name)
    if package is None:
        raise LicenceMissingError(f"The package {name} is not installed, so its licence is not known.")
    if ours is not None:
        texts = tuple(map(_text, ours.texts))
        return LicensedPart(package.name, package.version, ours.licence, texts, ours.source)
    texts = tuple(_texts_of(package))
    if not texts:
        raise LicenceMissingError(
            f"The package {name} has no licence text. Add one to {_FOLDER / 'index.toml'}."
        )
    return LicensedPart(package.name, package.version, _licence_name(package), texts)


def _texts_of(package: metadata.Distribution) -> Iterator[str]:
    """Return the texts that the package brings: those that its metadata name, else those in its folder."""
    named = package.metadata.get_all("License-File") or []
    for file in package.files or ():
        path = file.as_posix()
        if ".dist-info/" in path and (_is_named(path, named) if named else _is_licence(file.name)):
            found = Path(str(package.locate_file(file)))
            yield found.read_text(encoding="utf-8", errors="replace").strip()


def _is_named(path: str, named: list[str]) -> bool:
    inner = path.partition(".dist-info/")[2]
    return any(inner in {name, f"licenses/{name}"} for name in named)


def _is_licence(name: str) -> bool:
    return name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE"))


def _licence_name(package: metadata.Distribution) -> str:
    """Return the licence as the package names it, in one line."""
    given = _first(package, "License-Expression") or _first(package, "License")
    classifiers = package.metadata.get_all("Classifier") or ()
    kinds = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License ::")]
    return next(iter(given.strip().splitlines()), "") or ", ".join(kinds) or "see the text"


def _first(package: metadata.Distribution, key: str) -> str:
    return next(iter(package.metadata.get_all(key) or ()), "")


def _of_indexed(part: IndexedPart, shipped: frozenset[str]) -> LicensedPart:
    carriers = [_package(normal_name(name)) for name in part.inside if normal_name(name) in shipped]
    version = "in " + ", ".join(f"{each.name} {each.version}" for each in carriers if each is not None)
    return LicensedPart(part.name, version, part.licence, tuple(map(_text, part.texts)), part.source)


def _fonts() -> Iterator[LicensedPart]:
    for file in sorted((resources.ROOT / "fonts").glob("*-LICENSE.txt")):
        text = file.read_text(encoding="utf-8").strip()
        yield LicensedPart(f"{file.name.removesuffix('-LICENSE.txt')} (font)", "", "OFL-1.1", (text,))


def _python() -> LicensedPart:
    """Return the licence of this Python: of its standard library, or a system's copy of it."""
    folders = (Path(sysconfig.get_path("stdlib")), Path(sys.base_prefix) / "share/doc/python3")
    for file in (folder / name for folder in folders for name in ("LICENSE.txt", "LICENSE", "copyright")):
        if file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace").strip()
            return LicensedPart("Python", sys.version.split()[0], "PSF-2.0", (text,))
    raise LicenceMissingError(f"Python has no licence text in {folders[0]}.")


def _text(file: str) -> str:
    try:
        return (_FOLDER / file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise LicenceMissingError(f"The licence text {_FOLDER / file} is missing.") from error


def as_text(listed: Iterable[LicensedPart]) -> str:
    """Return the whole text: a table of contents, each part with its texts, and the standard licences.

    A text that several parts have is printed once.
    """
    listed = list(listed)
    written = _Written(lines=[_HEAD, *(f"  {_title(part)} · {part.licence}" for part in listed)])
    for part in listed:
        _write(part, written)
    for name in STANDARD:
        _write(LicensedPart(name, "(standard licence)", name, (_text(f"{name}.txt"),)), written)
    return "\n".join(written.lines) + "\n"


def _write(part: LicensedPart, written: _Written) -> None:
    written.lines += ["", _RULE, _title(part), f"Licence: {part.licence}"]
    if part.source:
        written.lines.append(f"Where the text is from: {part.source}")
    written.lines.append(_RULE)
    for text in part.texts:
        first = written.owners.setdefault(text, _title(part))
        same = first != _title(part)
        written.lines += ["", f"The text is the same as that of {first}, above." if same else text]


def _title(part: LicensedPart) -> str:
    return f"{part.name} {part.version}".strip()
