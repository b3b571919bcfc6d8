"""The rooms of the server: a room imports only what stands below it in ARCHITECTURE.md."""

import re
from itertools import pairwise

import pytest

from tests.architecture.source import ROOT, Import, imports, module_of, sources

_LINE = re.compile(r"^(server/[a-z_]+(?:/|\.py))\s", re.MULTILINE)


def _rooms() -> list[str]:
    """Return the rooms from the top floor to the ground, as module names."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed = text.partition("## Rooms of the server")[2].partition("\n## ")[0]
    return [line.removesuffix(".py").strip("/").replace("/", ".") for line in _LINE.findall(listed)]


ROOMS = _rooms()


def _room(module: str) -> str | None:
    return next((room for room in ROOMS if module == room or module.startswith(f"{room}.")), None)


def _upward(found: tuple[Import, ...]) -> list[str]:
    """Return the imports of a higher room from a lower one."""
    wrong = []
    for each in found:
        lower, higher = _room(each.importer), _room(each.imported)
        if lower and higher and ROOMS.index(higher) < ROOMS.index(lower):
            wrong.append(str(each))
    return wrong


def test_every_module_of_the_server_stands_in_a_listed_room() -> None:
    homeless = [module for path in sources("server") if _room(module := module_of(path)) is None]
    assert [module for module in homeless if module != "server"] == []


def test_every_listed_room_exists() -> None:
    modules = {module_of(path) for path in sources("server")}
    assert [room for room in ROOMS if room not in modules] == []


def test_a_room_imports_only_what_stands_below_it() -> None:
    assert _upward(imports("server")) == []


@pytest.mark.parametrize(("higher", "lower"), list(pairwise(ROOMS)))
def test_an_import_of_the_next_higher_room_is_found(higher: str, lower: str) -> None:
    planted = Import(f"{lower}.planted", f"{higher}.planted", 1, lazy=True)
    assert _upward((planted,)) == [str(planted)]
    assert _upward((Import(planted.imported, planted.importer, 1, lazy=False),)) == []
