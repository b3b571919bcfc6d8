"""Limits and file types of the protocol, so that the windows need not import `server.contract`."""

from typing import Final

from server.contract import limits, media

MAX_DOCUMENTS: Final = limits.MAX_DOCUMENTS_PER_ENTRY
MAX_CATEGORY: Final = limits.MAX_CATEGORY
MAX_DESCRIPTION: Final = limits.MAX_DESCRIPTION
MAX_SEARCH: Final = limits.MAX_SEARCH
MAX_USER_NAME: Final = limits.MAX_USER_NAME
MAX_PASSWORD: Final = limits.MAX_PASSWORD

EXTENSIONS: Final = media.EXTENSIONS
"""The file types that may be opened in the system's viewer, each with the extension of its copy."""
