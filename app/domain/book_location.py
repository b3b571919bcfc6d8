"""Where the book is kept that was opened last, as a setting remembers it."""

from typing import Final

LOCATION_KEY: Final = "login.place"
LOCAL: Final = "local"
SERVER: Final = "server"
