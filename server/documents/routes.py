"""The calls on documents and their bytes."""

from http import HTTPStatus
from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from server.contract import checks, paths
from server.contract.shapes import PlanAnswer, PlanRequest
from server.errors import not_found
from server.http.guard import identify
from server.http.responses import answer, read_json
from server.http.state import services_of


async def plan(request: Request) -> Response:
    """POST /v1/documents/plan"""
    identity = identify(request)
    body = await read_json(request, PlanRequest)
    return answer(PlanAnswer(await services_of(request).documents.plan(identity, body.documents)))


async def link(request: Request) -> Response:
    """GET /v1/documents/{id}/link"""
    identity, text = identify(request), request.path_params["id"]
    if not checks.is_uuid(text):
        raise not_found("document")
    return answer(await services_of(request).documents.link(identity, UUID(text)))


async def put_blob(request: Request) -> Response:
    """PUT /v1/blobs/{token}"""
    await services_of(request).documents.take(request.path_params["token"], request.stream())
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def get_blob(request: Request) -> Response:
    """GET /v1/blobs/{token}"""
    found, path = await services_of(request).documents.open(request.path_params["token"])
    headers = {
        "Cache-Control": "private, no-store",
        # A bill is shown, never run: not even a file that a browser would take for a page.
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
