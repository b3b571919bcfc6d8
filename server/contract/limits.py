"""What one call may carry; the same numbers hold at the field, on the wire and in the tables."""

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
MAX_USER_NAME: Final = 64
MIN_PASSWORD: Final = 8
MAX_PASSWORD: Final = 256
MAX_DEVICE_NAME: Final = 100
MAX_DEVICE_SECRET: Final = 128
MAX_JOURNAL_DOC: Final = 8192
MAX_REQUEST_BYTES: Final = 256 * 1024

MAX_SYNC_OPERATIONS: Final = 200
"""Operations that one call may ask the whereabouts of."""

MAX_DAYS_AHEAD: Final = 366
"""An entry's date may lie this many days after today; further ahead is nearly always a typing slip."""
EARLIEST_YEAR: Final = 1900

MAX_CLOCK_AHEAD_US: Final = 5 * 60 * 1_000_000
"""A version this much ahead of the server's clock is refused: it would beat every honest edit."""

CURRENCY: Final = "INR"
"""A book has one currency in v1."""
