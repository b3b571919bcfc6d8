"""The documents are true where that can be checked: what they name exists.

Each check returns what is wrong with a text, and is tried on a text with a fault in it.
"""

import argparse
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from server.__main__ import _parser
from server.config import Config
from server.contract.errors import STATUS
from server.discovery.config import DiscoveryConfig

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "ARCHITECTURE", "CHANGELOG")),
    *sorted((ROOT / "docs").glob("*.md")),
]
MOST_LINES = {"README.md": 100, "ARCHITECTURE.md": 120}

_PATH = re.compile(r"(?<![\w./~-])(?:app|server|tests|docs|resources)/[\w./-]*")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_MAKE = re.compile(r"^(?:[A-Z]+=\S+ )*make ([a-z0-9-]+)")
_SERVER = re.compile(r"\bbahi-server +([^\n#;&>]*)")
_SUBSTITUTION = re.compile(r"\$\(([^)]*)\)")
_PLACEHOLDER = re.compile(r"[A-Z_]{2,}|…")
_EXACT = re.compile(r"`[^`]*`|none|required")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _commands(text: str) -> Iterator[str]:
    """Yield each line of a block of code, and each piece of code in a sentence."""
    for block in _FENCE.findall(text):
        yield from block.splitlines()
    for span in _SPAN.findall(_FENCE.sub("", text)):
        yield " ".join(span.split())


# --- the checks -----------------------------------------------------------------------------------------


def missing_paths(text: str) -> list[str]:
    """Return the paths below the folders of the repository that do not exist."""
    found = {match.rstrip(".-") for match in _PATH.findall(text)}
    return sorted(path for path in found if not (ROOT / path).exists())


def broken_links(text: str, folder: Path = ROOT) -> list[str]:
    """Return the relative links, and the headings in them, that lead nowhere."""
    return [link for link in _LINK.findall(text) if "://" not in link and not _leads(link, text, folder)]


def _leads(link: str, text: str, folder: Path) -> bool:
    path, _, anchor = link.partition("#")
    target = folder / path
    if path and not target.exists():
        return False
    return not anchor or anchor in _anchors(_text(target) if path else text)


def _anchors(text: str) -> set[str]:
    """Return the names by which the headings of a text can be linked to."""
    headings = _HEADING.findall(_FENCE.sub("", text))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def unknown_targets(text: str) -> list[str]:
    """Return the targets of `make` that `make help` does not list."""
    known = set(re.findall(r"^([a-z0-9-]+):.*## ", _text(ROOT / "Makefile"), re.MULTILINE))
    named = [match[1] for command in _commands(text) if (match := _MAKE.match(command))]
    return [name for name in named if name not in known]


def wrong_commands(text: str) -> list[str]:
    """Return the calls of bahi-server with a command or an option that it does not have."""
    lines = list(_commands(text))
    inner = _SUBSTITUTION.findall("\n".join(lines))
    calls = [call for line in (*lines, *inner) for call in _SERVER.findall(_SUBSTITUTION.sub("X", line))]
    return [call for call in calls if not _is_understood(call.split(), _parser())]


def _is_understood(words: list[str], parser: argparse.ArgumentParser) -> bool:
    """Follow a command line through the parsers; `a | b` names two commands of one parser."""
    while words and (choices := _choices(parser)):
        word = words.pop(0)
        if _PLACEHOLDER.match(word):
            return True
        if word.startswith("-"):
            if not _has_option(parser, word):
                return False
        elif word not in choices:
            return False
        elif words[:1] == ["|"]:
            words.pop(0)
        else:
            parser = choices[word]
    return all(_has_option(parser, word.strip("[]")) for word in words if word.lstrip("[").startswith("--"))


def _choices(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    groups = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    return dict(groups[0].choices) if groups else {}


def _has_option(parser: argparse.ArgumentParser, option: str) -> bool:
    return option.partition("=")[0] in parser._option_string_actions


def wrong_keys(table: str, kind: type[msgspec.Struct]) -> list[str]:
    """Return the configuration keys that a table lacks, does not know, or has with another default."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    said = {name: default for names, default in _rows(table) for name in _SPAN.findall(names)}
    wrong = [f"{name}: not in the table" for name in fields if name not in said]
    wrong += [f"{name}: no such key" for name in said if name not in fields]
    exact = {name: said[name] for name in fields if _EXACT.fullmatch(said.get(name, ""))}
    true = {name: _default(fields[name]) for name in exact}
    return wrong + [f"{name}: the default is {true[name]}" for name in exact if exact[name] != true[name]]


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is msgspec.NODEFAULT:
        return "required"
    text = str(field.default)
    return f"`{text.lower() if isinstance(field.default, bool) else text}`" if text else "none"


def wrong_errors(table: str) -> list[str]:
    """Return the error codes that a table lacks, or has with another HTTP status."""
    said = {code: status for codes, status in _rows(table) for code in _SPAN.findall(codes)}
    true = {code.value: str(status.value) for code, status in STATUS.items()}
    return sorted(code for code in {*said, *true} if said.get(code) != true.get(code))


def wrong_metrics(table: str) -> list[str]:
    """Return the metrics that a table lacks, or that no server has."""
    said = {re.sub(r"\{.*|_total\b", "", name) for names, _ in _rows(table) for name in _SPAN.findall(names)}
    return sorted(said ^ set(re.findall(r'"(bahi_\w+)"', _text(ROOT / "server/api/metrics.py"))))


def _rows(table: str) -> list[tuple[str, str]]:
    """Return the first two cells of each row that begins with code."""
    return re.findall(r"^\| (`.*?) \| *(.*?) *\|", table, re.MULTILINE)


def _section(name: str, heading: str) -> str:
    """Return what stands below a heading of a document, until the next heading."""
    return _text(ROOT / name).partition(f"# {heading}\n")[2].partition("\n#")[0]


def _metrics() -> str:
    return _section("docs/OPERATING.md", "Health and metrics").partition("| metric |")[2]


# --- the documents --------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
@pytest.mark.parametrize("check", [missing_paths, unknown_targets, wrong_commands])
def test_what_a_document_names_exists(document: Path, check: Callable[[str], list[str]]) -> None:
    assert check(_text(document)) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_links_of_a_document_lead_somewhere(document: Path) -> None:
    assert broken_links(_text(document), document.parent) == []


@pytest.mark.parametrize("name", MOST_LINES)
def test_a_document_is_as_short_as_promised(name: str) -> None:
    assert len(_text(ROOT / name).splitlines()) <= MOST_LINES[name]


@pytest.mark.parametrize(
    ("heading", "kind"), [("Regional server", Config), ("Discovery server", DiscoveryConfig)]
)
def test_every_configuration_key_is_in_its_table(heading: str, kind: type[msgspec.Struct]) -> None:
    assert wrong_keys(_section("docs/OPERATING.md", heading), kind) == []


def test_every_error_is_in_the_table() -> None:
    assert wrong_errors(_section("docs/PROTOCOL.md", "Errors")) == []


def test_every_metric_is_in_the_table() -> None:
    assert wrong_metrics(_metrics()) == []


# --- the checks find faults -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "text", "found"),
    [
        (missing_paths, "See `server/pinning/rules.py` and server/absent.py.", ["server/absent.py"]),
        (broken_links, "# One two\n[a](#one-two) [b](#three) [c](gone.md)", ["#three", "gone.md"]),
        (broken_links, "[a](CHANGELOG.md#unreleased) [b](CHANGELOG.md#gone)", ["CHANGELOG.md#gone"]),
        (unknown_targets, "`make run`, `WORKERS=1 make tset`\n```\nmake tets # why\n```", ["tets", "tset"]),
        (wrong_commands, "`bahi-server roster show --folder X`, `bahi-server rooster`", ["rooster"]),
        (wrong_commands, "```\nbahi-server user add ann --conf f\n```", ["user add ann --conf f"]),
        (wrong_commands, "```\nx=$(bahi-server kye --data d)\n```", ["kye --data d"]),
        (wrong_commands, "`bahi-server replication join | leaf`", ["replication join | leaf"]),
    ],
)
def test_a_fault_in_a_text_is_found(check: Callable[[str], list[str]], text: str, found: list[str]) -> None:
    assert check(text) == found


@pytest.mark.parametrize("key", Config.__struct_fields__)
def test_a_key_that_is_missing_in_the_table_is_found(key: str) -> None:
    table = _section("docs/OPERATING.md", "Regional server").replace(f"`{key}`", "`gone`")
    assert f"{key}: not in the table" in wrong_keys(table, Config)


def test_a_wrong_default_is_found() -> None:
    table = _section("docs/OPERATING.md", "Regional server").replace("`port` | `0`", "`port` | `443`")
    assert "port: the default is `0`" in wrong_keys(table, Config)


def test_a_wrong_status_of_an_error_is_found() -> None:
    table = _section("docs/PROTOCOL.md", "Errors").replace("`wrong_server` | 421", "`wrong_server` | 400")
    assert wrong_errors(table) == ["wrong_server"]


def test_a_metric_of_another_name_is_found() -> None:
    assert wrong_metrics(_metrics().replace("`bahi_in_flight`", "`bahi_calls`")) == [
        "bahi_calls",
        "bahi_in_flight",
    ]
