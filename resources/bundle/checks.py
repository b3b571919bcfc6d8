"""What must be true of the bundle before it is packed. Each check returns a sentence for each fault."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from resources.bundle.elf import Needs

# Ubuntu 22.04 has these; GLIBCXX_3.4.30 is in the libstdc++ of GCC 12, whose other versions are these.
NEWEST: Final = {"GLIBC": (2, 35), "GLIBCXX": (3, 4, 30), "CXXABI": (1, 3, 13), "GCC": (12, 0, 0)}

# Libraries of the system, and the packages of Debian that have them.
SYSTEM_LIBRARIES: Final = {
    **dict.fromkeys(("libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1"), "libc6"),
    **dict.fromkeys(("libresolv.so.2", "ld-linux-x86-64.so.2"), "libc6"),
    "libgcc_s.so.1": "libgcc-s1",
    "libstdc++.so.6": "libstdc++6",
    "libz.so.1": "zlib1g",
    "libexpat.so.1": "libexpat1",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libdrm.so.2": "libdrm2",
    # Only the plug-in for Wayland needs these. Without them, X11 is used.
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}


def newer_symbols(needs: dict[Path, Needs]) -> list[str]:
    """Return the files that need symbols which the oldest supported systems lack."""
    return [
        f"{path} needs {family}_{'.'.join(map(str, number))}, which is newer than "
        f"{family}_{'.'.join(map(str, NEWEST[family]))}."
        for path, each in sorted(needs.items())
        for family, number in sorted(each.versions)
        if number > NEWEST[family]
    ]


def unknown_libraries(needs: dict[Path, Needs], present: Iterable[str]) -> list[str]:
    """Return the libraries that are neither in the bundle (`present`) nor among those of the system."""
    known = {*present, *SYSTEM_LIBRARIES}
    return [
        f"{path} needs {library}, which is not in the bundle and not in SYSTEM_LIBRARIES."
        for path, each in sorted(needs.items())
        for library in sorted(each.libraries - known)
    ]


def dangling_links(bundle: Path) -> list[str]:
    """Return the symbolic links that point to nothing."""
    return [
        f"{path} points to nothing."
        for path in sorted(bundle.rglob("*"))
        if path.is_symlink() and not path.exists()
    ]


def build_paths(bundle: Path, paths: Iterable[Path]) -> list[str]:
    """Return the files of the bundle that contain one of these paths of the machine that builds."""
    words = [str(path).encode() for path in paths]
    files = [path for path in sorted(bundle.rglob("*")) if path.is_file() and not path.is_symlink()]
    return [
        f"{path} contains {word.decode()}." for path in files for word in words if word in path.read_bytes()
    ]


def tests_inside(bundle: Path) -> list[str]:
    """Return the folders of tests in the bundle."""
    return [f"{path} is a folder of tests." for path in sorted(bundle.rglob("tests")) if path.is_dir()]
