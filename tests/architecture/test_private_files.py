"""Each file and folder that the program or a server makes is for its owner only, whatever the umask is."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import ROOT, sources, tree_of

# These write what the user asked for, where he asked for it, or in a folder that is private already.
_USERS = {
    "app/services/exports.py": "the CSV that the user exports follows his umask",
    "app/services/outbox_items.py": "the copy that the user saves follows his umask",
    "server/db/embedded.py": "what every user may run, and what PostgreSQL closes itself",
}
_ALWAYS_OPEN = {"write_text", "write_bytes", "makedirs", "RotatingFileHandler", "FileHandler"}


def _open_to_others(tree: ast.AST) -> Iterator[str]:
    """Yield each call that creates a file or folder as the umask says.

    `mkdir` applies its `mode` to the last folder only, not to the parents that it creates.
    """
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        keywords = {each.arg for each in call.keywords}
        modes = [str(arg.value) for arg in call.args if isinstance(arg, ast.Constant)]
        writes = any(set(mode) <= set("rwxab+t") and set(mode) & set("wxa") for mode in modes)
        opens = name in {"open", "to_thread"} and writes and "opener" not in keywords
        makes = name == "mkdir" and ("mode" not in keywords or "parents" in keywords)
        if opens or makes or name in _ALWAYS_OPEN:
            yield ast.unparse(call)


def test_nothing_is_created_as_the_umask_says() -> None:
    paths = [path for room in ("app", "server") for path in sources(room)]
    names = {path: path.relative_to(ROOT).as_posix() for path in paths}
    found = {names[path]: list(_open_to_others(tree_of(path))) for path in paths}
    assert {name: calls for name, calls in found.items() if calls and name not in _USERS} == {}
    assert [name for name in _USERS if not found.get(name)] == []


@pytest.mark.parametrize(
    "line",
    [
        "path.open('xb')",
        "path.write_text('a')",
        "folder.mkdir(parents=True)",
        "folder.mkdir(mode=0o700, parents=True)",
        "open(path, 'a')",
    ],
)
def test_what_the_rule_finds(line: str) -> None:
    assert list(_open_to_others(ast.parse(line)))


def test_what_the_rule_allows() -> None:
    lines = "open(p, 'xb', opener=o)\np.open('rb')\nf.mkdir(mode=0o700)\nopen(p, encoding='utf-8')"
    assert list(_open_to_others(ast.parse(lines))) == []
