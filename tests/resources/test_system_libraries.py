"""`make setup` installs all that Qt needs on a display, also on a machine that has none yet."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import PySide6
import pytest

_SCRIPT = Path(__file__).parents[2] / "resources" / "system-libraries.sh"
_PLUGIN = Path(PySide6.__file__).parent / "Qt/plugins/platforms/libqxcb.so"

pytestmark = pytest.mark.skipif(
    not all(shutil.which(each) for each in ("bash", "ldd", "dpkg-query")), reason="not Debian or Ubuntu"
)


def packages_on_a_bare_machine(folder: Path) -> set[str]:
    """Return what the script asks for if nothing is installed and there is no display."""
    for name, text in (("dpkg-query", "exit 1"), ("id", "echo 1000")):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", str(_SCRIPT)], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    return set(done.stderr.split("--no-install-recommends ")[1].split())


def libraries_of_the_display() -> dict[str, str]:
    """Return the libraries of X11 that the plugin of Qt is linked with, and their files ("" if missing)."""
    done = subprocess.run(["ldd", str(_PLUGIN)], capture_output=True, text=True, timeout=30, check=True)
    found = re.findall(r"^\s*(lib(?:xcb|xkb|X)\S*) => (\S+|not found)", done.stdout, re.MULTILINE)
    return {name: "" if file.startswith("not") else file for name, file in found}


def package_of(name: str) -> str:
    """Return the installed package that holds the library `name`."""
    done = subprocess.run(
        ["dpkg-query", "-S", f"*/{name}"], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout.split(":")[0].removesuffix("t64")


def with_dependencies(packages: set[str]) -> set[str]:
    """Return `packages` and all that apt installs with them."""
    known: set[str] = set()
    new = packages
    while new:
        known |= new
        listed = [*sorted(new), *(f"{each}t64" for each in sorted(new))]
        done = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Depends},", *listed], capture_output=True, text=True, check=False
        )
        names = (re.match(r"\s*([a-z0-9.+-]+)", part) for part in re.split(r"[,|]", done.stdout))
        new = {each[1].removesuffix("t64") for each in names if each} - known
    return known


def test_no_library_of_the_display_is_missing() -> None:
    libraries = libraries_of_the_display()
    assert "libxcb-cursor.so.0" in libraries
    assert [name for name, file in libraries.items() if not file] == []


def test_the_libraries_of_a_display_are_installed_without_one(tmp_path: Path) -> None:
    installed = with_dependencies(packages_on_a_bare_machine(tmp_path))
    needed = {package_of(name) for name in libraries_of_the_display()}
    assert needed - installed == set()
