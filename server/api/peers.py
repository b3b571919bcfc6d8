"""The replication status of the caller's operations, and the calls between servers."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from server.api.authenticate import authenticate
from server.api.state import state_of
from server.contract import checks, paths, peers
from server.contract.cluster_calls import (
    SyncStatus,
    SyncStatusRequest,
)
from server.contract.errors import ErrorCode
from server.contract.peers import BytesQuestion, PeerRequest, PeerStatus, StatusQuestion
from server.contract.signing import SignatureError
from server.errors import ApiError, not_found
from server.http.operation import documented
from server.http.responses import answer, read_json
from server.peers import questions
from server.peers.questions import Q

_STATUS = (ErrorCode.INVALID_FIELDS, ErrorCode.STORE_UNAVAILABLE)
_BYTES = (ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND, ErrorCode.STORE_UNAVAILABLE)


@documented(body=SyncStatusRequest, answer=SyncStatus, errors=_STATUS)
async def sync_status(request: Request) -> Response:
    """POST /v1/sync/status: returns in which regions the caller's operations are."""
    identity = authenticate(request)
    body = await read_json(request, SyncStatusRequest)
    return answer(await state_of(request).replication_lookup.status(identity.book_id, body.op_ids))


@documented(body=PeerRequest, answer=PeerStatus, signed_in=False, errors=(*_STATUS, ErrorCode.FORBIDDEN))
async def peer_status(request: Request) -> Response:
    """POST /v1/peers/status: answers another server, which must have signed its question."""
    body = await read_json(request, PeerRequest)
    question = asked(request, body.question, peers.STATUS, StatusQuestion)
    return answer(await state_of(request).replication_lookup.answer(question))


@documented(media_type="application/octet-stream", signed_in=False, errors=_BYTES)
async def peer_bytes(request: Request) -> Response:
    """GET /v1/peers/bytes: returns a bill to another server. It supports Range, to resume a transfer."""
    text = request.headers.get(paths.PEER_HEADER, "")
    question = asked(request, text, peers.BYTES, BytesQuestion)
    # They become parts of a path, so they are checked, although a server of the cluster signed them.
    if not (checks.is_uuid(question.book_id) and checks.is_sha256(question.sha256)):
        raise not_found("document")
    store, book_id = state_of(request).documents.store, UUID(question.book_id)
    if await store.find(book_id, question.sha256) is None:
        raise not_found("document")
    return FileResponse(store.path(book_id, question.sha256), media_type="application/octet-stream")


def asked(request: Request, text: str, kind: str, shape: type[Q]) -> Q:
    """Return the question of another server of the cluster. Raises ApiError (forbidden)."""
    services = state_of(request)
    roster, me = services.membership.roster, services.config.server_id
    try:
        return questions.read(text, kind, shape, roster, me, services.clock())
    except SignatureError as error:
        raise ApiError(ErrorCode.FORBIDDEN, "Only servers of this cluster may call this.") from error


ROUTES = [
    Route(paths.SYNC_STATUS, sync_status, methods=["POST"]),
    Route(paths.PEER_STATUS, peer_status, methods=["POST"]),
    Route(paths.PEER_BYTES, peer_bytes, methods=["GET"]),
]
