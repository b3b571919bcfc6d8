"""The environment of the servers that tests start."""

import os


def clean_environment() -> dict[str, str]:
    """Return this process's environment without the settings of servers that it may hold."""
    return {
        name: value
        for name, value in os.environ.items()
        if name != "DATABASE_URL" and not name.startswith("BAHI_")
    }
