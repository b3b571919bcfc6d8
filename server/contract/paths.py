"""The paths of the API, once."""

from typing import Final

AUTH_REGISTER: Final = "/v1/auth/register"
AUTH_LOGIN: Final = "/v1/auth/login"
AUTH_LOCAL: Final = "/v1/auth/local"
AUTH_REFRESH: Final = "/v1/auth/refresh"

DOCUMENTS_PLAN: Final = "/v1/documents/plan"
DOCUMENT_LINK: Final = "/v1/documents/{id}/link"
BLOB: Final = "/v1/blobs/{token}"

ENTRIES: Final = "/v1/entries"
ENTRY: Final = "/v1/entries/{id}"
ENTRIES_SUMMARY: Final = "/v1/entries/summary"

SUGGEST_CATEGORIES: Final = "/v1/suggestions/categories"
SUGGEST_DESCRIPTIONS: Final = "/v1/suggestions/descriptions"

EXPORT_CSV: Final = "/v1/exports/transactions.csv"

HEALTH_LIVE: Final = "/health/live"
HEALTH_READY: Final = "/health/ready"

LOCAL_SECRET_HEADER: Final = "X-Bahi-Local-Secret"  # noqa: S105 - a header's name
REQUEST_ID_HEADER: Final = "X-Request-Id"
