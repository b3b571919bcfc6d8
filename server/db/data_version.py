"""Whether PostgreSQL's data folder is of the major version that this program has."""

import re
import subprocess
from pathlib import Path
from typing import Any

from server.contract.private_files import read_private
from server.errors import StartError

_MAJOR = re.compile(rb"\(PostgreSQL\) (\d+)")


def check_data_version(cluster: Path, program: Path, options: dict[str, Any]) -> None:
    """Raise StartError if another major version of PostgreSQL than that of `program` made `cluster`.

    Call it only after a start has failed: PostgreSQL checks this itself, before it writes anything. `options`
    are those of `subprocess.run`.
    """
    made_by = _number(read_private(cluster / "PG_VERSION", own=False))
    told = subprocess.run([str(program), "--version"], capture_output=True, check=False, **options)
    found = _MAJOR.search(told.stdout)
    ours = int(found[1]) if found else 0
    if ours and made_by > ours:
        raise StartError(
            f"This database was made by a newer version of Bahi, with PostgreSQL {made_by}; this program has "
            f"PostgreSQL {ours}. Please update this program."
        )
    if 0 < made_by < ours:
        raise StartError(
            f"This database was made by an older version of Bahi, with PostgreSQL {made_by}; this program "
            f"has PostgreSQL {ours}. Please use the older version again. Nothing was changed."
        )


def _number(text: bytes) -> int:
    """Return the major version in a file PG_VERSION, 0 if it is damaged."""
    return int(text) if text.strip().isdigit() else 0
