"""The paths of the API, once."""

from typing import Final

AUTH_REGISTER: Final = "/v1/auth/register"
AUTH_LOGIN: Final = "/v1/auth/login"
AUTH_LOCAL: Final = "/v1/auth/local"
AUTH_REFRESH: Final = "/v1/auth/refresh"
AUTH_LOGOUT: Final = "/v1/auth/logout"
AUTH_PASSWORD: Final = "/v1/auth/password"  # noqa: S105 - an address
AUTH_SESSIONS: Final = "/v1/auth/sessions"
AUTH_SESSION: Final = "/v1/auth/sessions/{family}"

DOCUMENTS_PLAN: Final = "/v1/documents/plan"
DOCUMENT_LINK: Final = "/v1/documents/{id}/link"
BLOB: Final = "/v1/blobs/{token}"

ENTRIES: Final = "/v1/entries"
ENTRY: Final = "/v1/entries/{id}"
ENTRY_VOID: Final = "/v1/entries/{id}/void"
ENTRY_RESTORE: Final = "/v1/entries/{id}/restore"
ENTRY_HISTORY: Final = "/v1/entries/{id}/history"
ENTRIES_SUMMARY: Final = "/v1/entries/summary"

SUGGEST_CATEGORIES: Final = "/v1/suggestions/categories"
SUGGEST_DESCRIPTIONS: Final = "/v1/suggestions/descriptions"

BOOK_DIGEST: Final = "/v1/book/digest"

SYNC_STATUS: Final = "/v1/sync/status"
PEER_STATUS: Final = "/v1/peers/status"  # these two between servers
PEER_BYTES: Final = "/v1/peers/bytes"

EXPORT_CSV: Final = "/v1/exports/transactions.csv"

CLOSEST_TO_ME: Final = "/closestToMe"
SERVERS: Final = "/v1/servers"  # of regional and of discovery servers
HEARTBEATS: Final = "/v1/heartbeats"  # these three of discovery servers only
SERVER_STATE: Final = "/v1/servers/{id}/state"
SERVER_SUSPICIONS: Final = "/v1/servers/{id}/suspicions"
METRICS: Final = "/metrics"

OPENAPI: Final = "/openapi.json"
HEALTH_LIVE: Final = "/health/live"
HEALTH_READY: Final = "/health/ready"

LOCAL_SECRET_HEADER: Final = "X-Bahi-Local-Secret"  # noqa: S105 - a header's name
REQUEST_ID_HEADER: Final = "X-Request-Id"
PEER_HEADER: Final = "X-Bahi-Peer"
"""A signed question (`peers`) where a call between servers has no body."""
DRAINING_HEADER: Final = "X-Bahi-Draining"
"""On every answer of a server that is being drained: a client that may move refreshes soon."""
