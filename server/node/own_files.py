"""The names in a server's data folder, and their repair: an earlier version let other users read some."""

import threading
from pathlib import Path
from typing import Final

from server.contract.private_files import restrict_own

# In this order: a folder is closed before the files in it are.
_NAMES: Final = (
    "documents",
    "documents/*",
    "copies",
    "copies/*",
    "server.lock",
    "server-id",
    "server-key*.pem",
    "server.log*",
    "roster.jws",
    "postgres.log*",
    "postgres.secret",
    "postgres.location",
)
_DOCUMENTS: Final = ("documents/*/*",)


def restrict_own_files(folder: Path) -> None:
    """Take the rights of other users from what this server keeps in `folder`; its documents in a thread.

    The folder itself is not changed: an operator may have made it. PostgreSQL sees to its own folder.
    """
    restrict_own(folder, _NAMES)
    # There may be a million documents. Their folders are closed by now.
    threading.Thread(
        target=restrict_own, args=(folder, _DOCUMENTS), name="restrict documents", daemon=True
    ).start()
