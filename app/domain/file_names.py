"""Names of bills: cleaned, so that they can be shown, sent, and written on any disk."""

import unicodedata
from typing import Final

from server.contract.limits import MAX_FILE_NAME
from server.contract.media import EXTENSIONS

MAX_BYTES: Final = 240
"""In UTF-8; most file systems hold 255 bytes, and a copy may get a number behind its name."""
_ALSO_RIGHT: Final = {
    "image/jpeg": (".jpeg", ".jpe", ".jfif"),
    "image/heic": (".heif", ".hif"),
    "image/tiff": (".tiff",),
}
_KNOWN: Final = {*EXTENSIONS.values(), *(e for right in _ALSO_RIGHT.values() for e in right)}
_UNSEEN: Final = {"Cc", "Cs", "Zl", "Zp"}
_JOINERS: Final = "\u200c\u200d"  # Hindi words need them; other Cf characters only hide what a name is
_NOT_ON_WINDOWS: Final = '<>:"|?*'


def clean_name(name: str, media_type: str = "") -> str:
    """Return the last part of `name` without what a file name cannot hold, `bill` where nothing is left.

    With a `media_type` the name ends in a right extension: kept as given (`IMG.JPG`), put in the place
    of another type's, or added. At most `MAX_FILE_NAME` characters and `MAX_BYTES`; the stem is cut.
    """
    plain = _without_strange(name.replace("\\", "/").rstrip("/").rpartition("/")[2])
    stem, extension = _split(plain.strip(". ") or "bill")
    if media_type:
        stem, extension = _with_right_extension(stem, extension, media_type)
    return _cut(stem, extension) + extension


def _without_strange(name: str) -> str:
    kept = "".join(_shown(c) for c in unicodedata.normalize("NFC", name))
    return " ".join(kept.split())


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    if category in _UNSEEN or (category == "Cf" and char not in _JOINERS):
        return " " if char in "\t\n\r" else ""
    return "_" if char in _NOT_ON_WINDOWS else char


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if not stem or not extension.isalnum() or len(extension) > 10:
        return name, ""
    return stem, dot + extension


def _with_right_extension(stem: str, extension: str, media_type: str) -> tuple[str, str]:
    right = (EXTENSIONS[media_type], *_ALSO_RIGHT.get(media_type, ()))
    if extension.lower() in right:
        return stem, extension
    if extension.lower() in _KNOWN:
        return stem, right[0]
    return stem + extension, right[0]


def _cut(stem: str, extension: str) -> str:
    stem = stem[: MAX_FILE_NAME - len(extension)]
    while len((stem + extension).encode()) > MAX_BYTES:
        stem = stem[:-1]
    return stem.rstrip(". ") or "bill"
