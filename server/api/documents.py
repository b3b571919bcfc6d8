"""The calls on documents and their contents."""

from http import HTTPStatus
from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from server.api.authenticate import authenticate
from server.api.state import state_of
from server.contract import checks, paths
from server.contract.errors import ErrorCode
from server.contract.shapes import DocumentLink, PlanAnswer, PlanRequest
from server.errors import not_found
from server.http.operation import documented
from server.http.responses import answer, read_json

_LINKED = (ErrorCode.FORBIDDEN, ErrorCode.LINK_EXPIRED)
_GET = (*_LINKED, ErrorCode.NOT_FOUND, ErrorCode.STORE_UNAVAILABLE)
_PUT = (
    *_LINKED,
    ErrorCode.TOO_LARGE,
    ErrorCode.CHECKSUM_MISMATCH,
    ErrorCode.MEDIA_TYPE_REFUSED,
    ErrorCode.STORE_UNAVAILABLE,
)


@documented(body=PlanRequest, answer=PlanAnswer, errors=(ErrorCode.INVALID_FIELDS,))
async def plan(request: Request) -> Response:
    """POST /v1/documents/plan: says which documents must be uploaded, and where."""
    identity = authenticate(request)
    body = await read_json(request, PlanRequest)
    return answer(PlanAnswer(await state_of(request).documents.plan(identity, body.documents)))


@documented(answer=DocumentLink, errors=(ErrorCode.NOT_FOUND, ErrorCode.STORE_UNAVAILABLE))
async def link(request: Request) -> Response:
    """GET /v1/documents/{id}/link: returns a short-lived URL of a document."""
    identity, text = authenticate(request), request.path_params["id"]
    # No document can have such an id, and PostgreSQL would not accept it.
    if not checks.is_uuid(text):
        raise not_found("document")
    return answer(await state_of(request).documents.link(identity, UUID(text)))


@documented(status=HTTPStatus.NO_CONTENT, takes_bytes=True, signed_in=False, errors=_PUT)
async def put_blob(request: Request) -> Response:
    """PUT /v1/blobs/{token}: uploads a document. The token is the authority."""
    await state_of(request).documents.take(request.path_params["token"], request.stream())
    return Response(status_code=HTTPStatus.NO_CONTENT)


@documented(media_type="*/*", signed_in=False, errors=_GET)
async def get_blob(request: Request) -> Response:
    """GET /v1/blobs/{token}: downloads a document. The token is the authority."""
    found, path = await state_of(request).documents.open(request.path_params["token"])
    headers = {
        "Cache-Control": "private, no-store",
        # A browser must not run anything in a bill, for example if it takes the file for a web page.
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(found.file_name)}",
    }
    return FileResponse(path, media_type=found.media_type, headers=headers)


ROUTES = [
    Route(paths.DOCUMENTS_PLAN, plan, methods=["POST"]),
    Route(paths.DOCUMENT_LINK, link, methods=["GET"]),
    Route(paths.BLOB, put_blob, methods=["PUT"]),
    Route(paths.BLOB, get_blob, methods=["GET"]),
]
