"""The arrows of the house, read from the source: who may import whom, and how large a room's file may be."""

import ast
import re
from pathlib import Path

import pytest

from server.db import queries
from tests.architecture.source import ROOT, imports, module_of, sources, text_of, tree_of

OURS = {"app", "server", "resources", "tests"}
MOST_LINES = 500
_ENTRY_POINTS = ("app.__main__", "app.windowless")


def _within(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def _forbidden(importers: tuple[str, ...], imported: tuple[str, ...], *but: str) -> list[str]:
    """Return the imports of `imported` made in `importers`, other than of `but`."""
    tops = {importer.split(".")[0] for importer in importers}
    packages = {parent for name in but for parent in _parents(name)}
    return [
        str(each)
        for each in imports(*sorted(tops))
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


def test_the_domain_knows_only_pure_parts_of_the_wire() -> None:
    allowed = tuple(
        f"server.contract.{name}"
        for name in ("limits", "media", "checks", "join", "normal_form", "passwords", "search_key")
    )
    assert _forbidden(("app.domain",), ("server",), *allowed) == []


def test_the_rest_of_the_program_knows_only_the_wire_and_the_server_role() -> None:
    found = _forbidden(("app",), ("server",), "server.contract")
    assert [each for each in found if not each.startswith(_ENTRY_POINTS)] == []
    role = [
        each for each in imports("app") if each.importer in _ENTRY_POINTS and _within(each.imported, "server")
    ]
    assert {each.imported for each in role} <= {"server.__main__", "server.__main__.main"}
    assert all(each.lazy for each in role)


# The record of tokens must be kept before a refresh is sent. Nothing else may cross.
_LENT = {"app.remote": ("app.store.vault",)}


@pytest.mark.parametrize(
    ("room", "others"),
    [
        ("app.domain", ("app.store", "app.rendering", "app.remote", "app.services", "app.ui")),
        ("app.store", ("app.rendering", "app.remote", "app.services", "app.ui")),
        ("app.rendering", ("app.store", "app.remote", "app.services", "app.ui")),
        ("app.remote", ("app.store", "app.rendering", "app.services", "app.ui")),
        ("app.services", ("app.ui",)),
        ("app.ui", ("app.remote", "app.store", "app.rendering")),
    ],
)
def test_arrows_inside_the_program_go_one_way(room: str, others: tuple[str, ...]) -> None:
    assert _forbidden((room,), others, *_LENT.get(room, ())) == []


def test_only_the_user_interface_knows_qt() -> None:
    qt = [each for each in imports("app", "server") if _within(each.imported, "PySide6", "shiboken6")]
    assert [str(each) for each in qt if not _within(each.importer, "app.ui")] == []


def test_only_the_preview_worker_imports_decoders() -> None:
    decoders = [each for each in imports("app") if _within(each.imported, "pypdfium2", "PIL", "pi_heif")]
    assert [str(each) for each in decoders if not _within(each.importer, "app.rendering")] == []
    worker = ("app.rendering.worker", "app.rendering.pdf", "app.rendering.pictures")
    found = [each for each in imports("app") if _within(each.imported, *worker)]
    importers = {each.importer for each in found if not _within(each.importer, "app.rendering")}
    assert importers == set(_ENTRY_POINTS)


def test_nothing_that_ships_drives_windows_as_a_test_does() -> None:
    assert _forbidden(("app", "server"), ("PySide6.QtTest",)) == []


def test_nothing_that_ships_imports_the_tests() -> None:
    assert _forbidden(("app", "server", "resources"), ("tests",)) == []


# --- inside the server --------------------------------------------------------------------------------


def test_the_wire_imports_nothing_of_ours() -> None:
    assert _forbidden(("server.contract",), tuple(OURS), "server.contract") == []


def _rooms() -> list[str]:
    return sorted(f"server.{path.parent.name}" for path in (ROOT / "server").glob("*/__init__.py"))


def test_no_room_but_the_command_line_imports_anothers_store() -> None:
    stores = [room for room in _rooms() if (ROOT / room.replace(".", "/") / "store.py").exists()]
    assert stores
    found = [
        str(each)
        for room in stores
        for each in imports("server")
        if _within(each.imported, f"{room}.store") and not _within(each.importer, room, "server.cli")
    ]
    assert found == []


def test_only_routes_and_the_composition_know_http() -> None:
    allowed = ("server.http", "server.api", "server.app", "server.process", "server.discovery.app")
    found = [
        str(each)
        for each in imports("server")
        if _within(each.imported, "starlette", "uvicorn")
        and not _within(each.importer, *allowed)
        and not each.importer.endswith(".routes")
    ]
    assert found == []


# --- pure files ---------------------------------------------------------------------------------------

_IO = (
    *("os", "io", "pathlib", "socket", "ssl", "subprocess", "threading", "asyncio", "shutil", "tempfile"),
    *("sqlite3", "psycopg", "psycopg_pool", "requests", "urllib.request", "http.client", "starlette"),
    *("uvicorn", "time", "random", "secrets", "logging", "PySide6", "boto3", "select", "signal", "aiohttp"),
)
_CLOCKS = re.compile(r"\b(date\.today|datetime\.now|datetime\.utcnow|uuid4|uuid1|open)\(")


_PURE = (
    "app/services/replay.py",
    "server/auth/names.py",
    "server/cli/replication_report.py",
    "server/cli/roster_table.py",
    "server/cluster/membership.py",
    "server/cluster/roster.py",
    "server/discovery/heartbeat.py",
    "server/discovery/registry.py",
    "server/entries/history.py",
    "server/entries/search.py",
    "server/node/lifecycle.py",
    "server/node/pinned_sessions.py",
    "server/peers/questions.py",
    "server/peers/status_fold.py",
    "server/pinning/policies.py",
    "server/pinning/rules.py",
    "server/replication/names.py",
    "server/replication/units.py",
    "server/tokens/tokens.py",
)


_NOT_PURE = {
    "app/domain/preview.py": "names the path of a file; opens nothing",
    "server/contract/allocator.py": "sets the allocator of each process alike; opens nothing",
    "server/contract/durable_files.py": "writes files: the program and the server must write them alike",
    "server/contract/json_lines.py": "formats records of the module logging; opens nothing itself",
    "server/contract/private_files.py": "creates files: the program and the server must close them alike",
    "server/contract/tls.py": "reads certificates: the program and the server must trust the same ones",
}
"""The files among the pure ones that are not, and why: only from there may both `app` and `server` import."""


def _pure() -> list[Path]:
    rooms = (*sources("app/domain"), *sources("server/contract"))
    return [path for path in (*rooms, *(ROOT / name for name in _PURE)) if _name(path) not in _NOT_PURE]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_each_exception_of_the_pure_files_exists() -> None:
    assert [name for name in _NOT_PURE if not (ROOT / name).exists()] == []


def test_pure_files_import_no_means_of_input_or_output() -> None:
    pure = {module_of(path) for path in _pure()}
    found = [
        str(each)
        for each in imports("app", "server")
        if each.importer in pure and _within(each.imported, *_IO)
    ]
    assert found == []


def test_pure_files_ask_no_clock_and_no_chance() -> None:
    found = [
        f"{module_of(path)}: {match[0]}" for path in _pure() for match in _CLOCKS.finditer(text_of(path))
    ]
    assert found == []


# --- SQL ----------------------------------------------------------------------------------------------


def _query_files() -> list[Path]:
    return sorted((ROOT / "server").rglob("queries.sql"))


@pytest.mark.parametrize("path", _query_files(), ids=lambda path: path.parent.name)
def test_every_statement_is_bound_to_a_book_or_says_why_not(path: Path) -> None:
    text = text_of(path)
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
    for path in sources("server"):
        if path.name in {
            "migrate.py",
            "ddl_lock.py",
            "embedded.py",
            "health.py",
        }:  # before there is a table, or of no table
            continue
        for node in ast.walk(tree_of(path)):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and statement.search(node.value)
            ):
                found.append(f"{module_of(path)}:{node.lineno}")
    assert [place for place in found if not place.startswith("server.entries.search:")] == []


# --- habits -------------------------------------------------------------------------------------------


def test_no_module_is_longer_than_it_may_be() -> None:
    lengths = {module_of(path): len(text_of(path).splitlines()) for path in sources("app", "server")}
    assert {name: length for name, length in lengths.items() if length >= MOST_LINES} == {}


def test_no_module_is_named_for_nothing() -> None:
    nothing = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert [module_of(path) for path in sources("app", "server", "tests") if path.stem in nothing] == []


def test_every_module_opens_with_a_sentence() -> None:
    silent = [
        module_of(path)
        for path in sources("app", "server", "tests/support", "tests/tour")
        if text_of(path).strip() and not ast.get_docstring(tree_of(path))
    ]
    assert silent == []


def _lets_go_on(handler: ast.ExceptHandler) -> bool:
    """Return whether what was caught is raised again at the end, as after a rollback."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_broad(handler: ast.ExceptHandler) -> bool:
    named = handler.type
    return named is None or (isinstance(named, ast.Name) and named.id in {"Exception", "BaseException"})


def test_every_exception_is_caught_by_name_but_at_the_last_resorts() -> None:
    allowed = {"app.services.message_thread", "app.ui.tasks", "server.http.middleware"}
    broad = [
        f"{module_of(path)}:{node.lineno}"
        for path in sources("app", "server")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _lets_go_on(node)
    ]
    assert [place for place in broad if place.partition(":")[0] not in allowed] == []
