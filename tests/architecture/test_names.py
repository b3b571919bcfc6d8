"""The names in the program and the server: a class name stands for one thing, and replaced words are gone."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.architecture.old_words import ALLOWED, FORBIDDEN, FORBIDDEN_AS
from tests.architecture.source import module_of, sources, tree_of

_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LOG_CALLS: Final = {"debug", "info", "warning", "error", "exception", "critical"}

# The names of the wire are frozen.
_FROZEN: Final = "server.contract"

TWICE: Final[dict[str, str]] = {}
"""Class names that two modules may have, each with its reason."""


class Name(NamedTuple):
    """A name that a module defines: `kind` is module, class, function, variable, attribute, argument or event."""

    module: str
    kind: str
    text: str
    line: int

    @property
    def words(self) -> list[str]:
        """Its words in lower case: `HeldOperation` and `held_operation` have the same."""
        return [part.lower() for part in _PARTS.findall(self.text)]

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.kind} {self.text}"


# --- class names --------------------------------------------------------------------------------------


def _classes(module: str, tree: ast.Module) -> list[tuple[str, str]]:
    """Return (name without leading underscores, module) of every class."""
    found = [node.name.lstrip("_") for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return [(name, module) for name in found]


def _twice(classes: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the modules of each class name that occurs more than once."""
    modules = defaultdict(list)
    for name, module in classes:
        modules[name].append(module)
    return {name: found for name, found in modules.items() if len(found) > 1}


def _our_classes() -> list[tuple[str, str]]:
    paths = sources("app", "server")
    return [each for path in paths for each in _classes(module_of(path), tree_of(path))]


def test_no_class_name_occurs_twice() -> None:
    found = _twice(_our_classes())
    assert {name: modules for name, modules in found.items() if name not in TWICE} == {}
    assert set(TWICE) <= set(found), "no longer needed"


def test_a_second_class_of_one_name_is_found() -> None:
    planted = _classes("app.planted", ast.parse("class Clock:\n    class _Outbox: ..."))
    found = _twice([*_our_classes(), *planted])
    assert found["Outbox"][-1] == "app.planted"
    assert "Clock" not in found


# --- words --------------------------------------------------------------------------------------------


def _names(module: str, tree: ast.Module) -> Iterator[Name]:
    """Yield the module's own name, and every name and log event that it defines."""
    yield Name(module, "module", module.rpartition(".")[2], 0)
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=text):
                yield Name(module, "class", text, node.lineno)
            case ast.FunctionDef(name=text) | ast.AsyncFunctionDef(name=text):
                yield Name(module, "function", text, node.lineno)
            case ast.Name(id=text, ctx=ast.Store()):
                yield Name(module, "variable", text, node.lineno)
            case ast.Attribute(attr=text, ctx=ast.Store()):
                yield Name(module, "attribute", text, node.lineno)
            case ast.arg(arg=text):
                yield Name(module, "argument", text, node.lineno)
            case ast.MatchAs(name=str(text)) | ast.MatchStar(name=str(text)):
                yield Name(module, "variable", text, node.lineno)
            case ast.Call(func=ast.Attribute(attr=call), args=[ast.Constant(value=str(text)), *_]):
                if call in _LOG_CALLS:
                    yield Name(module, "event", text, node.lineno)


def _faults(name: Name) -> list[str]:
    """Return the old words of a name that it may not have."""
    old = set(FORBIDDEN) | FORBIDDEN_AS.get(name.kind, set())
    return [word for word in name.words if word in old and not _is_allowed(word, name.module)]


def _is_allowed(word: str, module: str) -> bool:
    return any(word in each.words and module in each.modules for each in ALLOWED)


def _our_names() -> list[Name]:
    paths: list[Path] = [path for path in sources("app", "server") if not module_of(path).startswith(_FROZEN)]
    return [name for path in paths for name in _names(module_of(path), tree_of(path))]


def test_none_of_the_old_words_is_left() -> None:
    assert [f"{name}: {_faults(name)}" for name in _our_names() if _faults(name)] == []


def test_every_exception_is_needed() -> None:
    used = {(word, name.module) for name in _our_names() for word in name.words}
    unused = [
        (each.words, module)
        for each in ALLOWED
        for module in each.modules
        if not any((word, module) in used for word in each.words)
    ]
    assert unused == []


def test_an_old_word_is_found_wherever_a_name_is_defined() -> None:
    planted = """
class Whereabouts:
    hearing_seconds: float
def go_beside(entrance: int, *, at_doors: bool):
    self.stay = 1
    for scout in doors: ...
    match x:
        case [gate, *fences]: ...
    _log.info("kick sent", extra={})
"""
    found = [(name.kind, name.text) for name in _names("app.following", ast.parse(planted)) if _faults(name)]
    assert sorted(found) == [
        ("argument", "at_doors"),
        ("argument", "entrance"),
        ("attribute", "stay"),
        ("class", "Whereabouts"),
        ("event", "kick sent"),
        ("function", "go_beside"),
        ("module", "following"),
        ("variable", "fences"),
        ("variable", "gate"),
        ("variable", "hearing_seconds"),
        ("variable", "scout"),
    ]


def test_a_word_in_its_own_sense_is_allowed_only_where_it_is_listed() -> None:
    assert not _faults(Name("server.db.ddl_lock", "variable", "lock", 1))
    assert _faults(Name("server.pinning.rules", "variable", "locked_since", 1)) == ["locked"]
    assert _faults(Name("server.cluster.joining", "module", "joining", 0)) == ["joining"]
    assert not _faults(Name("server.replication.mesh", "argument", "joining", 1))
