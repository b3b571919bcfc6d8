"""File names: cleaned so that they can be shown, sent, and written to any disk."""

import unicodedata
from typing import Final

from app.domain.text import isolated_name, without_direction_controls
from server.contract.limits import MAX_FILE_NAME
from server.contract.media import EXTENSIONS
from server.contract.normal_form import normalized

MAX_BYTES: Final = 240
"""In UTF-8. Most file systems allow 255 bytes, and a copy may get a number after its name."""
_LONGEST_NAME: Final = 1_000  # what is longer is cut before it is cleaned; no disk has such names
_EXTENSION_ROOM: Final = 40
_ALTERNATIVES: Final = {
    "image/jpeg": (".jpeg", ".jpe", ".jfif"),
    "image/heic": (".heif", ".hif"),
    "image/tiff": (".tiff",),
}
_KNOWN: Final = {*EXTENSIONS.values(), *(e for found in _ALTERNATIVES.values() for e in found)}
_INVISIBLE: Final = {"Cc", "Cs", "Zl", "Zp"}  # Unicode categories: controls, surrogates, separators
_JOINERS: Final = "\u200c\u200d"  # Hindi words need them; other Cf characters can disguise a file name
_NOT_ON_WINDOWS: Final = '<>:"|?*'
_DEVICES: Final = {
    *("con", "prn", "aux", "nul", "conin$", "conout$", "clock$"),
    *(f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"),
}
"""Windows opens the device of this name, whatever the extension and the case: `aux.pdf`, `Com1.tar.pdf`."""


def clean_name(name: str, media_type: str = "") -> str:
    """Return the last part of the path `name`, without invalid characters; `bill` if nothing is left.

    With a `media_type`, the name ends in an extension of that type: a correct one stays as typed (`IMG.JPG`),
    one of another type is replaced, and a missing one is added. The name of a device of Windows gets a `_`
    before it. The result has at most `MAX_FILE_NAME` characters and `MAX_BYTES` bytes; a longer stem is cut.
    """
    # A name can come from another system, so both separators are accepted on every system.
    plain = _without_invalid(name.replace("\\", "/").rstrip("/").rpartition("/")[2])
    stem, extension = _split(plain.strip(". ") or "bill")
    if media_type:
        stem, extension = _with_correct_extension(stem, extension, media_type)
    return _cut(_not_a_device(stem), extension) + extension


def name_to_save(typed: str, extension: str) -> str:
    """Return `typed` with `extension` (`.csv`; "" for none), in the form that every system can write.

    A correct extension stays as typed (`Book.CSV`, `bill.jpeg`). Every other name gets `extension`, because a
    part after a dot may belong to the name: `Expenses 31.03.2026`.
    """
    plain = _without_invalid(typed.replace("/", "-").replace("\\", "-")).strip(". ")
    correct = _same_kind(extension)
    ending = next((plain[-len(each) :] for each in correct if plain.lower().endswith(each)), "")
    stem = plain.removesuffix(ending).rstrip(". ") or "bill"
    return _cut(_not_a_device(stem), ending or extension) + (ending or extension)


def extension_of(name: str) -> str:
    """Return the extension of a clean name with its dot; "" if it has none."""
    return _split(name)[1]


def _same_kind(extension: str) -> tuple[str, ...]:
    """Return the extensions, in lower case, that mean the same type of file as `extension`."""
    lower = extension.lower()
    kinds = ((EXTENSIONS[media_type], *others) for media_type, others in _ALTERNATIVES.items())
    found = next((kind for kind in kinds if lower in kind), (lower,))
    return found if lower else ()


def shown_name(name: str) -> str:
    """Return a file name as it is shown on the screen: nothing in it hides or moves its extension."""
    kept = "".join(" " if c.isspace() else c for c in without_direction_controls(name))
    return isolated_name("".join(c for c in kept if c == " " or _shown(c)))


def _without_invalid(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        name = name[: _LONGEST_NAME - _EXTENSION_ROOM] + name[-_EXTENSION_ROOM:]
    # macOS decomposes names (`é` into two characters); NFC gives the same name on every system.
    kept = "".join(_shown(c) for c in normalized("NFC", name))
    # Once more, because characters that were apart can meet when one between them is removed.
    return " ".join(normalized("NFC", kept).split())


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    if category in _INVISIBLE or (category == "Cf" and char not in _JOINERS):
        return " " if char in "\t\n\r" else ""
    return "_" if char in _NOT_ON_WINDOWS else char


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if not stem or not extension.isalnum() or len(extension) > 10:  # `.hidden` and `Dr. Rao` have none
        return name, ""
    return stem, dot + extension


def _with_correct_extension(stem: str, extension: str, media_type: str) -> tuple[str, str]:
    if media_type not in EXTENSIONS:  # of a later version
        return stem, extension
    correct = (EXTENSIONS[media_type], *_ALTERNATIVES.get(media_type, ()))
    if extension.lower() in correct:
        return stem, extension
    if extension.lower() in _KNOWN:
        return stem, correct[0]
    return stem + extension, correct[0]  # `Bill no.5` has no extension: `.5` belongs to the name


def _not_a_device(stem: str) -> str:
    # Windows looks at what stands before the first dot, without the spaces at its end.
    return f"_{stem}" if stem.partition(".")[0].rstrip().lower() in _DEVICES else stem


def _cut(stem: str, extension: str) -> str:
    stem = stem[: MAX_FILE_NAME - len(extension)]
    while len((stem + extension).encode()) > MAX_BYTES:
        stem = stem[:-1]
    return stem.rstrip(". ") or "bill"
