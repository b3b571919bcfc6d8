"""The name of an event of the log is a constant text: the report about an error shows these names."""

import ast
from collections.abc import Iterator

from tests.architecture.source import sources, tree_of

_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def _events(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(ast.Name("_log"), level), [event, *_]) if level in _LEVELS:
                yield event


def _is_name(event: ast.expr, constants: set[str]) -> bool:
    is_text = isinstance(event, ast.Constant) and isinstance(event.value, str) and "%" not in event.value
    return is_text or (isinstance(event, ast.Name) and event.id in constants)


def test_no_value_is_written_into_the_name_of_an_event() -> None:
    found = [
        f"{path}:{event.lineno}"
        for path in sources("app")
        for event in _events(tree_of(path))
        if not _is_name(event, {"event"})  # a parameter, of a function that is called with constants
    ]
    assert found == []
    assert sum(len(list(_events(tree_of(path)))) for path in sources("app")) > 5
