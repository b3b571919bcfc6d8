"""How the preview worker is started."""

import sys
from pathlib import Path


def worker_command() -> list[str]:
    """Return the command that starts this program, bundled or not, as a preview worker."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app"]
    return [*program, "--previews"]


def worker_folder() -> str | None:
    """Return the folder in which `worker_command` must run; None means any folder."""
    # `python -m app` finds the package only from the source folder.
    return None if getattr(sys, "frozen", False) else str(Path(__file__).parents[2])
