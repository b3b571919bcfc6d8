"""No text of the program is in the language of the system: `%B` would be, because Qt sets the locale."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import module_of, sources, tree_of

_NAMES = re.compile(r"%[-_^#]?[aAbBcpxXh]")


def _formats(path: Path) -> Iterator[str]:
    """Yield the formats of times in a file."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            yield ast.unparse(node.format_spec)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("strftime"):
            yield " ".join(map(ast.unparse, node.args))


def test_names_of_days_and_months_come_from_the_program() -> None:
    formats = [(module_of(path), each) for path in sources("app") for each in _formats(path)]
    assert len(formats) > 10
    assert [found for found in formats if _NAMES.search(found[1])] == []


def test_widgets_with_names_of_days_and_months_are_made_in_one_place() -> None:
    makers = [
        module_of(path)
        for path in sources("app")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"QCalendarWidget", "QDateEdit", "QDateTimeEdit", "QLocale.system"}
    ]
    assert makers == ["app.ui.widgets.calendar_popup"]
