"""The arrows of the house, read from the source: who may import whom, and how large a room's file may be."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from server.db import queries

ROOT = Path(__file__).parents[2]
OURS = {"app", "server", "resources", "tests"}
MOST_LINES = 500


class Import(NamedTuple):
    """One import: in which module, of which, on which line, and whether only when a function runs."""

    importer: str
    imported: str
    line: int
    lazy: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _sources(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def _resolve(node: ast.ImportFrom, importer: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = importer.split(".")
    up = node.level - is_package
    base = parts[: len(parts) - up] if up else parts
    return ".".join([*base, *([node.module] if node.module else [])])


def _names(node: ast.AST, importer: str, is_package: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _resolve(node, importer, is_package)
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _walk(tree: ast.AST, lazy: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(tree):
        inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        yield child, inside
        yield from _walk(child, inside)


def _imports(*rooms: str) -> list[Import]:
    found = []
    for path in _sources(*rooms):
        importer, is_package = _module(path), path.name == "__init__.py"
        for node, lazy in _walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _names(node, importer, is_package):
                found.append(Import(importer, name, getattr(node, "lineno", 0), lazy))
    return found


def _within(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def _forbidden(importers: tuple[str, ...], imported: tuple[str, ...], *but: str) -> list[str]:
    """Return the imports of `imported` made in `importers`, other than of `but`."""
    tops = {importer.split(".")[0] for importer in importers}
    packages = {parent for name in but for parent in _parents(name)}
    return [
        str(each)
        for each in _imports(*sorted(tops))
        if _within(each.importer, *importers)
        and _within(each.imported, *imported)
        and not _within(each.imported, *but)
        and each.imported not in packages
    ]


def _parents(name: str) -> list[str]:
    """`from server.contract import limits` names `server.contract` too."""
    parts = name.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


# --- between the rooms at the top ---------------------------------------------------------------------


def test_the_server_never_imports_the_program() -> None:
    assert _forbidden(("server",), ("app", "resources", "tests")) == []


def test_the_programs_user_interface_imports_nothing_of_the_server() -> None:
    assert _forbidden(("app.ui",), ("server",)) == []


def test_the_domain_knows_only_the_wires_limits_media_and_checks() -> None:
    allowed = ("server.contract.limits", "server.contract.media", "server.contract.checks")
    assert _forbidden(("app.domain",), ("server",), *allowed) == []


def test_the_rest_of_the_program_knows_only_the_wire_and_the_server_role() -> None:
    found = _forbidden(("app",), ("server",), "server.contract")
    assert [each for each in found if not each.startswith("app.__main__:")] == []
    role = [
        each
        for each in _imports("app")
        if each.importer == "app.__main__" and _within(each.imported, "server")
    ]
    assert {each.imported for each in role} <= {"server.__main__", "server.__main__.main"}
    assert all(each.lazy for each in role)


# The record of tokens must be kept before a refresh is sent. Nothing else may cross.
_LENT = {"app.remote": ("app.store.vault",)}


@pytest.mark.parametrize(
    ("room", "others"),
    [
        ("app.domain", ("app.store", "app.remote", "app.services", "app.ui")),
        ("app.store", ("app.remote", "app.services", "app.ui")),
        ("app.remote", ("app.store", "app.services", "app.ui")),
        ("app.services", ("app.ui",)),
        ("app.ui", ("app.remote", "app.store")),
    ],
)
def test_arrows_inside_the_program_go_one_way(room: str, others: tuple[str, ...]) -> None:
    assert _forbidden((room,), others, *_LENT.get(room, ())) == []


def test_only_the_user_interface_knows_qt() -> None:
    qt = [each for each in _imports("app", "server") if _within(each.imported, "PySide6", "shiboken6")]
    outside = [each for each in qt if not _within(each.importer, "app.ui", "app.tour")]
    assert [str(each) for each in outside if not (each.importer == "app.bootstrap" and each.lazy)] == []


def test_nothing_that_ships_imports_the_tests() -> None:
    assert _forbidden(("app",), ("tests",)) == []


# --- inside the server --------------------------------------------------------------------------------


def test_the_wire_imports_nothing_of_ours() -> None:
    assert _forbidden(("server.contract",), tuple(OURS), "server.contract") == []


def _rooms() -> list[str]:
    return sorted(f"server.{path.parent.name}" for path in (ROOT / "server").glob("*/__init__.py"))


def test_no_room_imports_anothers_store() -> None:
    stores = [room for room in _rooms() if (ROOT / room.replace(".", "/") / "store.py").exists()]
    assert stores
    found = [
        str(each)
        for room in stores
        for each in _imports("server")
        if _within(each.imported, f"{room}.store") and not _within(each.importer, room)
    ]
    assert found == []


@pytest.mark.parametrize("room", ["server.db", "server.journal"])
def test_the_lower_rooms_know_nothing_of_the_upper_ones(room: str) -> None:
    upper = {"server.auth", "server.entries", "server.documents", "server.http"}
    upper |= {"server.app", "server.listening", "server.serve"}
    assert _forbidden((room,), tuple(upper)) == []


def test_only_routes_and_the_composition_know_http() -> None:
    allowed = ("server.http", "server.app", "server.listening", "server.announcing")
    allowed += ("server.discovery.app", "server.discovery.serving")
    found = [
        str(each)
        for each in _imports("server")
        if _within(each.imported, "starlette", "uvicorn")
        and not _within(each.importer, *allowed)
        and not each.importer.endswith(".routes")
    ]
    assert found == []


# --- pure files ---------------------------------------------------------------------------------------

_IO = (
    *("os", "io", "pathlib", "socket", "ssl", "subprocess", "threading", "asyncio", "shutil", "tempfile"),
    *("sqlite3", "psycopg", "psycopg_pool", "requests", "urllib.request", "http.client", "starlette"),
    *("uvicorn", "time", "random", "secrets", "logging", "PySide6", "boto3", "select", "signal"),
)
_CLOCKS = re.compile(r"\b(date\.today|datetime\.now|datetime\.utcnow|uuid4|uuid1|open)\(")


def _pure() -> list[Path]:
    named = [ROOT / "server" / name for name in ("auth/tokens.py", "entries/search.py", "entries/history.py")]
    named.append(ROOT / "app/services/replay.py")
    named += [ROOT / "server/sessions" / name for name in ("choice.py", "pinning.py")]
    named += [ROOT / "server/cluster" / name for name in ("locks.py", "membership.py", "own_state.py")]
    named += [ROOT / "server/cluster" / name for name in ("roster.py", "table.py")]
    named += [
        ROOT / "server/auth/names.py",
        ROOT / "server/peers/questions.py",
        ROOT / "server/peers/truth.py",
    ]
    named += [ROOT / "server/replication" / name for name in ("names.py", "console.py", "words.py")]
    named += [ROOT / "server/discovery" / name for name in ("registry.py", "heartbeat.py")]
    return [path for path in [*_sources("app/domain"), *_sources("server/contract"), *named] if path.exists()]


def test_pure_files_import_no_means_of_input_or_output() -> None:
    pure = {_module(path) for path in _pure()}
    found = [
        str(each)
        for each in _imports("app", "server")
        if each.importer in pure and _within(each.imported, *_IO)
    ]
    assert found == []


def test_pure_files_ask_no_clock_and_no_chance() -> None:
    found = [
        f"{_module(path)}: {match[0]}"
        for path in _pure()
        for match in _CLOCKS.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


# --- SQL ----------------------------------------------------------------------------------------------


def _query_files() -> list[Path]:
    return sorted((ROOT / "server").rglob("queries.sql"))


@pytest.mark.parametrize("path", _query_files(), ids=lambda path: path.parent.name)
def test_every_statement_is_bound_to_a_book_or_says_why_not(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    excuses = queries.excuses(text)
    unbound = {name for name, sql in queries.parse(text).items() if "book_id = %(book_id)s" not in sql}
    inserted = {
        name
        for name, sql in queries.parse(text).items()
        if sql.startswith("insert into") and "%(book_id)s" in sql
    }
    locks = {name for name, sql in queries.parse(text).items() if "advisory" in sql and "%(book_id)s" in sql}
    assert unbound - inserted - locks - set(excuses) == set()
    assert all(len(excuse) > 10 for excuse in excuses.values())


def test_sql_lives_in_sql_files() -> None:
    statement = re.compile(r"\b(select .+ from|insert into|update \w+ set|delete from)\b", re.IGNORECASE)
    found = []
    for path in _sources("server"):
        if path.name in {
            "migrate.py",
            "patience.py",
            "embedded.py",
            "health.py",
        }:  # before there is a table, or of no table
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and statement.search(node.value)
            ):
                found.append(f"{_module(path)}:{node.lineno}")
    assert [place for place in found if not place.startswith("server.entries.search:")] == []


# --- habits -------------------------------------------------------------------------------------------


def test_no_module_is_longer_than_it_may_be() -> None:
    lengths = {
        _module(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in _sources("app", "server")
    }
    assert {name: length for name, length in lengths.items() if length >= MOST_LINES} == {}


def test_no_module_is_named_for_nothing() -> None:
    nothing = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert [_module(path) for path in _sources("app", "server", "tests") if path.stem in nothing] == []


def test_every_module_opens_with_a_sentence() -> None:
    silent = [
        _module(path)
        for path in _sources("app", "server", "tests/support")
        if (text := path.read_text(encoding="utf-8")).strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []


def _lets_go_on(handler: ast.ExceptHandler) -> bool:
    """Say whether what was caught is raised again at the end, as after a rollback."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_broad(handler: ast.ExceptHandler) -> bool:
    named = handler.type
    return named is None or (isinstance(named, ast.Name) and named.id in {"Exception", "BaseException"})


def test_every_exception_is_caught_by_name_but_at_the_two_last_resorts() -> None:
    allowed = {"app.ui.tasks", "server.http.middleware"}
    broad = [
        f"{_module(path)}:{node.lineno}"
        for path in _sources("app", "server")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _lets_go_on(node)
    ]
    assert [place for place in broad if place.partition(":")[0] not in allowed] == []
