"""The version of this server, and its id if the configuration does not name one."""

from importlib import metadata
from pathlib import Path
from typing import Final
from uuid import uuid4

from server.contract.durable_files import write_file
from server.contract.private_files import read_private
from server.errors import StartError

VERSION: Final = metadata.version("bahi")


def kept_server_id(folder: Path) -> str:
    """Return the id that the server of this folder got at its first start. Raises StartError."""
    path = folder / "server-id"
    try:
        if not path.exists():
            write_file(path, f"local-{uuid4().hex[:12]}".encode(), private=True)
        return read_private(path).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is damaged"
        raise StartError(f"The server's id {path} cannot be used: {reason}.") from error
