"""The source of the program and the server as syntax trees, each parsed once."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Import(NamedTuple):
    """One import: in which module, of which, on which line, and whether it runs only in a function."""

    importer: str
    imported: str
    line: int
    lazy: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


@cache
def text_of(path: Path) -> str:
    """Return the text of a file."""
    return path.read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(text_of(path))


def module_of(path: Path) -> str:
    """Return the dotted name of the module in a file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def sources(*rooms: str) -> tuple[Path, ...]:
    """Return the Python files below these folders."""
    return tuple(sorted(path for room in rooms for path in (ROOT / room).rglob("*.py")))


@cache
def imports(*rooms: str) -> tuple[Import, ...]:
    """Return every import in the files below these folders."""
    return tuple(each for path in sources(*rooms) for each in _imports_of(path))


@cache
def _imports_of(path: Path) -> tuple[Import, ...]:
    importer, is_package = module_of(path), path.name == "__init__.py"
    return tuple(
        Import(importer, name, getattr(node, "lineno", 0), lazy)
        for node, lazy in _walk(tree_of(path))
        for name in _names(node, importer, is_package)
    )


def _walk(tree: ast.AST, lazy: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(tree):
        inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        yield child, inside
        yield from _walk(child, inside)


def _names(node: ast.AST, importer: str, is_package: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _resolve(node, importer, is_package)
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _resolve(node: ast.ImportFrom, importer: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = importer.split(".")
    up = node.level - is_package
    base = parts[: len(parts) - up] if up else parts
    return ".".join([*base, *([node.module] if node.module else [])])
