"""The version of this server, and the id of one that its configuration gives none."""

from importlib import metadata
from pathlib import Path
from typing import Final
from uuid import uuid4

VERSION: Final = metadata.version("bahi")


def kept_server_id(folder: Path) -> str:
    """Return the id that this folder's server was given at its first start."""
    path = folder / "server-id"
    if not path.exists():
        partial = path.with_suffix(".new")
        partial.write_text(f"local-{uuid4().hex[:12]}", encoding="ascii")
        partial.replace(path)
    return path.read_text(encoding="ascii")
