"""The paths and header names of the API."""

from typing import Final

AUTH_REGISTER: Final = "/v1/auth/register"
AUTH_LOGIN: Final = "/v1/auth/login"
AUTH_LOCAL: Final = "/v1/auth/local"
AUTH_LOCAL_RECOVER: Final = "/v1/auth/local/recover"
AUTH_LOCAL_CODE: Final = "/v1/auth/local/recovery-code"
AUTH_REFRESH: Final = "/v1/auth/refresh"
AUTH_LOGOUT: Final = "/v1/auth/logout"
AUTH_PASSWORD: Final = "/v1/auth/password"  # noqa: S105 - a path, not a password
AUTH_RESET: Final = "/v1/auth/password/reset"
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
# Only the servers of a cluster call the next two.
PEER_STATUS: Final = "/v1/peers/status"
PEER_BYTES: Final = "/v1/peers/bytes"

EXPORT_CSV: Final = "/v1/exports/transactions.csv"

CLOSEST_TO_ME: Final = "/closestToMe"
SERVERS: Final = "/v1/servers"  # regional and discovery servers
# Only discovery servers have the next three.
HEARTBEATS: Final = "/v1/heartbeats"
SERVER_STATE: Final = "/v1/servers/{id}/state"
SERVER_SUSPICIONS: Final = "/v1/servers/{id}/suspicions"
METRICS: Final = "/metrics"

OPENAPI: Final = "/openapi.json"
HEALTH_LIVE: Final = "/health/live"
HEALTH_READY: Final = "/health/ready"

LOCAL_SECRET_HEADER: Final = "X-Bahi-Local-Secret"  # noqa: S105 - the name of a header
REQUEST_ID_HEADER: Final = "X-Request-Id"
# Carries the signed question (`server.contract.peers`) of a call between servers that has no body.
PEER_HEADER: Final = "X-Bahi-Peer"
# Set on every response of a draining server: a client that may move refreshes its token soon.
DRAINING_HEADER: Final = "X-Bahi-Draining"
