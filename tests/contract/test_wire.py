"""The wire is frozen in `wire.json`; see `tests/contract/wire.py` for how to change it on purpose."""

import difflib
import inspect
import json
from http import HTTPStatus

import msgspec
import pytest
from starlette.routing import Route

from server.app import create_app
from server.contract import cluster_calls, errors, paths, shapes
from server.contract.errors import STATUS, ErrorCode
from server.discovery.routes import ROUTES as DISCOVERY
from tests.contract.wire import GOLDEN, current
from tests.support.servers import RunningServer


def test_the_wire_is_what_the_golden_file_says() -> None:
    golden = GOLDEN.read_text(encoding="utf-8")
    diff = difflib.unified_diff(
        *(golden.splitlines(), current().splitlines()), "wire.json (frozen)", "the code now", lineterm="", n=2
    )
    text = "\n".join(diff)
    assert not text, f"the wire has changed; if it is meant: python -m tests.contract.wire\n{text}"


def test_every_error_code_has_a_status_of_an_error() -> None:
    assert set(STATUS) == set(ErrorCode)
    assert all(isinstance(status, HTTPStatus) and status >= 400 for status in STATUS.values())


def test_every_path_is_served_and_every_route_is_a_path(server: RunningServer) -> None:
    routes = [*create_app(server.services).routes, *DISCOVERY]
    served = {route.path for route in routes if isinstance(route, Route)}
    named = {value for name, value in vars(paths).items() if name.isupper() and value.startswith("/")}
    assert served == named


def _structs(base: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    return [
        kind
        for kind in (*vars(shapes).values(), *vars(cluster_calls).values(), *vars(errors).values())
        if inspect.isclass(kind) and issubclass(kind, base) and kind.__struct_fields__
    ]


def test_names_on_the_wire_are_camel_case() -> None:
    names = [name for kind in _structs(msgspec.Struct) for name in kind.__struct_encode_fields__]
    assert [name for name in names if "_" in name or not name[0].islower()] == []


@pytest.mark.parametrize("kind", _structs(shapes.Request), ids=lambda kind: kind.__name__)
def test_a_server_refuses_fields_that_it_does_not_know(kind: type[msgspec.Struct]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"aFieldOfALaterVersion": 1}', type=kind)


def test_a_client_skips_fields_that_it_does_not_know() -> None:
    text = b'{"status": "ok", "serverId": "x", "version": "1", "aFieldOfALaterVersion": {"deep": [1]}}'
    assert msgspec.json.decode(text, type=shapes.Health) == shapes.Health("ok", "x", "1")


def test_shapes_can_neither_be_changed_nor_grow() -> None:
    assert all(kind.__struct_config__.frozen for kind in _structs(msgspec.Struct))


def test_the_golden_file_is_json_that_a_person_can_read() -> None:
    assert set(json.loads(GOLDEN.read_text(encoding="utf-8"))) == {
        "shapes",
        "errors",
        "paths",
        "limits",
        "media",
    }
