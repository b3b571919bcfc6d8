"""The OpenAPI document, and the server held against it: no 5xx, nothing that the document does not say."""

import contextlib
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from server.api.auth import ROUTES as AUTH
from server.api.cluster import ROUTES as CLUSTER
from server.api.documents import ROUTES as DOCUMENTS
from server.api.entries import ROUTES as ENTRIES
from server.api.health import ROUTES as HEALTH
from server.api.metrics import ROUTES as METRICS
from server.api.peers import ROUTES as PEERS
from server.app import create_app
from server.contract import paths
from server.http.openapi import make_document
from tests.support.examples import examples
from tests.support.servers import RunningServer

# Each a promise that the document makes. Not among them: that every body outside the schema is refused (the
# schema cannot say what `checks` says), and that a well-formed one is taken (an id must be of this book).
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
    ignored_auth,
)
EXAMPLES = examples(60, quick=6)  # twice for each call: about 3,000 cases in all


@pytest.fixture(scope="module")
def api(server: RunningServer) -> Any:
    return schemathesis.openapi.from_url(server.url + paths.OPENAPI)


@pytest.fixture(scope="module")
def token(server: RunningServer) -> str:
    return str(server.api().register().headers["Authorization"]).removeprefix("Bearer ")


CALLS = [
    (route.path, method)
    for route in (*AUTH, *DOCUMENTS, *ENTRIES, *PEERS, *CLUSTER, *HEALTH, *METRICS)
    for method in sorted((route.methods or set()) - {"HEAD"})
]


@pytest.mark.parametrize(("path", "method"), CALLS, ids=lambda part: str(part))
def test_the_server_keeps_to_its_document(api: Any, token: str, path: str, method: str) -> None:
    operation = api[path][method]
    headers = {"Authorization": f"Bearer {token}"} if operation.definition.raw.get("security") else {}

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def well_formed(case: Case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS, timeout=20)

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def malformed(case: Case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS, timeout=20)

    well_formed()
    with contextlib.suppress(Unsatisfiable):  # nothing about this call can be malformed
        malformed()


def test_every_route_is_described_and_every_reference_leads_somewhere(server: RunningServer) -> None:
    app = create_app(server.services)
    described = [route for route in app.routes if getattr(route, "path", "") != paths.OPENAPI]
    document = make_document(described)
    assert set(document["paths"]) == {route.path for route in described}  # type: ignore[attr-defined]
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(_references(document)) <= names


def test_a_call_that_needs_a_session_says_so(server: RunningServer) -> None:
    document = make_document([r for r in create_app(server.services).routes if r.path != paths.OPENAPI])  # type: ignore[attr-defined]
    assert document["paths"][paths.ENTRIES]["get"]["security"] == [{"bearer": []}]
    assert "security" not in document["paths"][paths.HEALTH_LIVE]["get"]
    assert "401" in document["paths"][paths.ENTRIES]["post"]["responses"]


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []
