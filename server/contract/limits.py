"""Limits on what one call may carry. The windows, the API and the tables all use these numbers."""

from decimal import Decimal
from typing import Final

MAX_DOCUMENT_BYTES: Final = 25 * 1024 * 1024
MAX_DOCUMENTS_PER_ENTRY: Final = 20
MAX_PAGE: Final = 200
DEFAULT_PAGE: Final = 50
MAX_SUGGESTIONS: Final = 20

MAX_AMOUNT: Final = Decimal("9999999999999999.99")  # numeric(18,2)
MAX_CATEGORY: Final = 100
MAX_DESCRIPTION: Final = 500
MAX_FILE_NAME: Final = 200
MAX_SEARCH: Final = 100
# Words of a search that differ and are not contained in one another.
MAX_SEARCH_WORDS: Final = 12
MAX_USER_NAME: Final = 64
MIN_PASSWORD: Final = 8
MAX_PASSWORD: Final = 256
MAX_DEVICE_NAME: Final = 100
MAX_DEVICE_SECRET: Final = 128
MAX_CONTACT: Final = 200
MAX_JOURNAL_DOC: Final = 8192
MAX_REQUEST_BYTES: Final = 256 * 1024

# How many operations one call may ask the replication status of.
MAX_SYNC_OPERATIONS: Final = 200

# How many days after today an entry's date may be. A later date is nearly always a typing mistake.
MAX_DAYS_AHEAD: Final = 366
EARLIEST_YEAR: Final = 1900

# A version further ahead of the server's clock is refused: the highest version wins, so it would win over
# every other edit until the clock reaches it.
MAX_CLOCK_AHEAD_US: Final = 5 * 60 * 1_000_000

# Version 1 of the API knows one currency.
CURRENCY: Final = "INR"
