"""Nobody puts a callback into an object that was built before: what is to be told goes through a stream."""

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.architecture.source import module_of, sources, text_of, tree_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
Assigned = tuple[ast.Attribute, ast.expr]
_ROOMS = ("app", "server")


def _filled(tree: ast.AST, slots: frozenset[str]) -> list[str]:
    """Return each callback slot that is filled other than by the `__init__` of its own class."""
    return sorted(set(_in_scope(tree, slots, _functions_in(ast.iter_child_nodes(tree)), frozenset(), "")))


def _in_scope(
    scope: ast.AST,
    slots: frozenset[str],
    functions: frozenset[str],
    methods: frozenset[str],
    function: str,
) -> Iterator[str]:
    for node in ast.iter_child_nodes(scope):
        inner = function, methods, functions
        if isinstance(node, ast.ClassDef):
            inner = "", _functions_in(node.body), functions
        elif isinstance(node, Function):
            nested = (each for each in ast.walk(node) if each is not node)
            inner = node.name, methods, functions | _functions_in(nested)
        for target, value in _assignments(node):
            is_own = ast.unparse(target.value) == "self"
            is_slot = target.attr.startswith("on_") or (target.attr in slots and not is_own)
            is_being_built = is_own and function == "__init__"
            if not is_being_built and (is_slot or _is_function(value, functions, methods)):
                yield ast.unparse(target)
        yield from _in_scope(node, slots, inner[2], inner[1], inner[0])


def _functions_in(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return the names of the functions among these, without properties."""
    functions = (node for node in nodes if isinstance(node, Function))
    return frozenset(
        each.name for each in functions if "property" not in map(ast.unparse, each.decorator_list)
    )


def _assignments(node: ast.AST) -> Iterator[Assigned]:
    """Yield each attribute that a statement assigns to, with its value."""
    match node:
        case ast.Assign(targets, value):
            for target in targets:
                yield from _pairs(target, value)
        case ast.AnnAssign(target, _, ast.expr() as value):
            yield from _pairs(target, value)
        case ast.Call(ast.Name("setattr"), [owner, ast.Constant(str(name)), value]):
            yield ast.Attribute(owner, name, ast.Store()), value


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[Assigned]:
    match target, value:
        case ast.Attribute(), _:
            yield target, value
        case ((ast.Tuple(targets) | ast.List(targets)), (ast.Tuple(values) | ast.List(values))):
            for each, its in zip(targets, values, strict=False):
                yield from _pairs(each, its)
        case ((ast.Tuple(targets) | ast.List(targets)), _):
            for each in targets:
                yield from _pairs(each, value)


def _is_function(value: ast.expr, functions: frozenset[str], methods: frozenset[str]) -> bool:
    match value:
        case ast.Lambda():
            return True
        case ast.Name(name):
            return name in functions
        case ast.Attribute(ast.Name("self"), name):
            return name in methods
        case ast.Call(called):
            return ast.unparse(called) in {"partial", "functools.partial"}
    return False


def _slots(trees: Iterable[ast.AST]) -> frozenset[str]:
    """Return the attributes that are declared to hold a callable, also by another name of its type.

    Those of frozen classes cannot be filled later.
    """
    nodes = [node for tree in trees for node in ast.walk(tree)]
    types = {"Callable"}
    for node in nodes:
        match node:
            case ast.Assign([ast.Name(name)], value) if _names_one_of(value, {"Callable"}):
                types.add(name)
    classes = (node for node in nodes if isinstance(node, ast.ClassDef) and not _is_frozen(node))
    return frozenset(name for each in classes for name, kind in _declared(each) if _names_one_of(kind, types))


def _is_frozen(class_: ast.ClassDef) -> bool:
    return any("frozen=True" in ast.unparse(each) for each in (*class_.decorator_list, *class_.keywords))


def _declared(class_: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(class_):
        match node:
            case ast.AnnAssign(ast.Name(name), kind) if node in class_.body:
                yield name, kind
            case ast.AnnAssign(ast.Attribute(ast.Name("self"), name), kind):
                yield name, kind


def _names_one_of(kind: ast.expr, types: set[str]) -> bool:
    """Return whether a type is one of these, or None or one of these."""
    match kind:
        case ast.Name(name):
            return name in types
        case ast.Subscript(ast.Name(name)):
            return name in types
        case ast.BinOp(left, ast.BitOr(), right):
            return _names_one_of(left, types) or _names_one_of(right, types)
    return False


def test_no_callback_slot_is_filled_after_construction() -> None:
    slots = _slots(tree_of(path) for path in sources(*_ROOMS))
    found = {
        f"{module_of(path)}: {each}" for path in sources(*_ROOMS) for each in _filled(tree_of(path), slots)
    }
    assert found == set()


@pytest.mark.parametrize(
    "filling",
    [
        "other.on_change = anything",
        "self.on_change = anything",
        "self.other.on_change, self.b = 1, 2",
        "other.told = lambda: None",
        "other.told: object = lambda: None",
        "other.a = other.told = self._method",
        "other.told = module_function",
        "other.told = nested",
        "other.told = partial(print, 1)",
        "other.told = functools.partial(print, 1)",
        "other.declared = anything.at_all",
        "other.optional = anything.at_all",
        "other.by_another_name = anything.at_all",
        "setattr(other, 'on_change', anything)",
    ],
)
def test_a_slot_that_is_filled_is_found(filling: str) -> None:
    assert _found(filling, "later")
    assert bool(_found(filling, "__init__")) is not filling.startswith("self.on_change")


@pytest.mark.parametrize(
    "harmless",
    [
        "self.value = self._method()",
        "other.value = anything",
        "other.value = self.data",
        "other.value = self.facts",
        "other.value, other.more = 1, anything",
        "on_change = lambda: None",
        "other.once_told = anything",
        "other.frozen = anything",
        "other.changed.subscribe(lambda: None)",
    ],
)
def test_what_holds_no_callback_may_be_assigned(harmless: str) -> None:
    assert _found(harmless, "later") == []


def _found(statement: str, function: str) -> list[str]:
    tree = ast.parse(
        f"""
Told = Callable[[int], None]
def module_function(): ...
class Other:
    declared: Callable[[], None]
    optional: None | Callable[[], None] = None
    count: int = 0
    def __init__(self):
        self.by_another_name: Told = print
@dataclass(frozen=True)
class Facts:
    frozen: Told
class Some:
    def _method(self): ...
    @property
    def facts(self): ...
    def {function}(self, other):
        def nested(): ...
        {statement}
"""
    )
    return _filled(tree, _slots([tree]))


def test_whether_the_book_is_on_this_computer_is_asked_nowhere_in_the_program() -> None:
    """`LocalSession` and `ClusterSession` are told apart once, where a session begins."""
    found = [module_of(path) for path in sources("app") if "_is_local" in text_of(path)]
    assert found == []
