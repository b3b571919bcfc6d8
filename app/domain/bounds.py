"""The wire's limits and kinds of file under the names that the screens use."""

from typing import Final

from server.contract import limits, media

MAX_DOCUMENTS: Final = limits.MAX_DOCUMENTS_PER_ENTRY
MAX_CATEGORY: Final = limits.MAX_CATEGORY
MAX_DESCRIPTION: Final = limits.MAX_DESCRIPTION
MAX_SEARCH: Final = limits.MAX_SEARCH
MAX_USER_NAME: Final = limits.MAX_USER_NAME
MAX_PASSWORD: Final = limits.MAX_PASSWORD

EXTENSIONS: Final = media.EXTENSIONS
"""The types that may be handed to the system's viewer, with the extension that their copy gets."""
