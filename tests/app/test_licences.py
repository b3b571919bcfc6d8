"""The licences: every part that is shipped has its text."""

import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

from app import licences, resources
from app.licences import IndexedPart, LicenceMissingError, LicensedPart, as_text, parts, shipped_packages

NAMED_IN_CODE = {"PySide6", "requests", "keyring", "msgspec", "starlette", "uvicorn", "aiohttp", "truststore"}


def put_package(folder: Path, name: str, head: str = "", files: dict[str, str] | None = None) -> None:
    """Install a package without code in `folder`: `head` are lines of its metadata."""
    place = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    place.mkdir(parents=True)
    metadata_text = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{head}"
    for path, text in {"METADATA": metadata_text, **(files or {})}.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text, encoding="utf-8")
    names = ["METADATA", "RECORD", *(files or {})]
    (place / "RECORD").write_text("".join(f"{place.name}/{each},,\n" for each in names), encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder whose packages are installed."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def test_the_packages_shipped_are_those_that_the_program_needs_and_none_of_the_tests() -> None:
    shipped = shipped_packages()
    assert {licences.normal_name(name) for name in NAMED_IN_CODE} <= shipped
    assert {"psycopg-binary", "psycopg-pool", "cffi", "secretstorage", "bahi"} <= shipped
    assert not shipped & {
        "pytest",
        "mypy",
        "ruff",
        "hypothesis",
        "pillow-heif",
        "pikepdf",
        "boto3",
        "botocore",
    }


def test_every_part_that_is_shipped_has_a_name_a_version_and_its_text() -> None:
    listed = parts(shipped_packages())
    names = [part.name for part in listed]
    assert names == sorted(names, key=str.casefold)
    assert {"bahi", "Python", "FFmpeg", "OpenSSL", "Inter (font)", "NotoSansDevanagari (font)"} <= set(names)
    for part in listed:
        assert part.licence, part.name
        assert part.version or "font" in part.name, part.name
        assert all(len(text) > 30 for text in part.texts), part.name


def test_the_text_has_each_licence_once_and_names_where_it_is() -> None:
    listed = [
        LicensedPart("a", "1", "MIT", ("the words",)),
        LicensedPart("b", "2", "MIT", ("the words", "more")),
    ]
    text = as_text(listed)
    assert text.count("the words") == 1
    assert "The text is the same as that of a 1, above." in text
    assert re.search(r"^b 2\nLicence: MIT$", text, re.MULTILINE)
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in text


def test_a_package_without_a_text_is_an_error_that_names_it(site: Path) -> None:
    put_package(site, "no_text", "License: MIT\n")
    with pytest.raises(LicenceMissingError, match="no-text"):
        parts({"no-text"})


def test_a_package_that_is_not_installed_is_an_error_that_names_it() -> None:
    with pytest.raises(LicenceMissingError, match="not-there-at-all"):
        parts({"not-there-at-all"})


@pytest.mark.parametrize(
    ("head", "files", "texts"),
    [
        ("License-File: LICENSE\n", {"licenses/LICENSE": "the licence"}, ("the licence",)),
        ("License-File: LICENSE\n", {"LICENSE": "the licence"}, ("the licence",)),
        (
            "License-File: LICENSE\nLicense-File: vendor/x/LICENSE\n",
            {"licenses/LICENSE": "one", "licenses/vendor/x/LICENSE": "two"},
            ("one", "two"),
        ),
        ("", {"LICENCE.md": "the licence", "top_level.txt": "x"}, ("the licence",)),
        ("", {"COPYING": "the licence", "NOTICE": "and more"}, ("the licence", "and more")),
    ],
    ids=["in licenses/", "beside the metadata", "of vendored code", "not named", "two not named"],
)
def test_the_texts_of_a_package_are_found(
    site: Path, head: str, files: dict[str, str], texts: tuple[str, ...]
) -> None:
    put_package(site, "some-package", head, files)
    found = {part.name: part for part in parts({"some-package"})}["some-package"]
    assert (found.version, found.texts) == ("1.0", texts)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("License-Expression: MIT\n", "MIT"),
        ("License: BSD\n", "BSD"),
        ("License: The first line\n        of a whole text\n", "The first line"),
        ("Classifier: License :: OSI Approved :: MIT License\n", "MIT License"),
        ("", "see the text"),
    ],
)
def test_the_licence_is_named_as_the_package_names_it(site: Path, head: str, name: str) -> None:
    put_package(site, "some-package", head, {"LICENSE": "the licence"})
    assert {part.name: part.licence for part in parts({"some-package"})}["some-package"] == name


def test_what_a_package_carries_is_listed_with_it_alone(site: Path) -> None:
    assert "libuv" in {part.name for part in parts({"uvloop"})}
    assert "libuv" not in {part.name for part in parts({"h11"})}


def test_the_index_names_packages_that_are_shipped_and_texts_that_are_there() -> None:
    shipped = shipped_packages()
    folder = resources.ROOT / "licences"
    used = set()
    for part in licences.index():
        carriers = part.inside or (part.name,)
        assert all(licences.normal_name(name) in shipped for name in carriers), part.name
        assert part.texts or part.libraries, part.name
        assert part.source or not part.texts, part.name
        used |= set(part.texts)
    standard = {f"{name}.txt" for name in licences.STANDARD}
    assert {file.name for file in folder.glob("*.txt")} == used | standard


def test_every_library_that_a_package_carries_is_a_part_of_the_index() -> None:
    indexed = licences.index()
    foreign = re.compile(r"^(?:[\w.]+\.libs|PySide6/Qt/lib|shiboken6|PySide6)/(lib[^/]+\.so[^/]*)$")
    for name in shipped_packages():
        for file in metadata.distribution(name).files or ():
            if match := foreign.match(file.as_posix()):
                assert _carried(match[1], name, indexed), f"{name}: {match[1]}"


def _carried(library: str, package: str, indexed: tuple[IndexedPart, ...]) -> bool:
    return any(
        library.startswith(part.libraries)
        for part in indexed
        if package in {licences.normal_name(each) for each in part.inside or (part.name,)}
    )


def test_the_text_is_read_from_its_file_if_there_is_one(tmp_path: Path) -> None:
    (tmp_path / licences.FILE_NAME).write_text("written by the bundle", encoding="utf-8")
    assert licences.licences_text(tmp_path) == "written by the bundle"
