"""The version of this server, and its id if the configuration does not name one."""

from importlib import metadata
from pathlib import Path
from typing import Final
from uuid import uuid4

from server.contract.durable_files import write_file

VERSION: Final = metadata.version("bahi")


def kept_server_id(folder: Path) -> str:
    """Return the id that the server of this folder got at its first start. Raises OSError."""
    path = folder / "server-id"
    if not path.exists():
        write_file(path, f"local-{uuid4().hex[:12]}".encode(), private=True)
    return path.read_text(encoding="ascii")
