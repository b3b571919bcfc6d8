"""What a drag or the clipboard offers: files, a picture, or neither, and then a sentence about it."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QMimeData, QSysInfo, QUrl

from app.domain.bounds import MAX_DOCUMENTS
from app.domain.file_names import clean_name, shown_name
from app.ui.pictures_offered import OfferedPicture, offered_picture, offers_picture

if TYPE_CHECKING:
    from app.services import Services
    from app.services.documents import ChosenFile

NOTHING_COPIED: Final = "There is no picture or file in the clipboard."
_COPIED_FILES: Final = "x-special/gnome-copied-files"  # its first line is copy or cut; Bahi always copies
_COPIED_AS_TEXT: Final = b"x-special/nautilus-clipboard\n"
_TEXT: Final = "text/plain"
_MOST_FILES: Final = 2 * MAX_DOCUMENTS
_WEB: Final = {"http", "https", "ftp", "ftps", "blob", "data"}
_PHONE: Final = {"mtp", "gphoto2", "ptp", "afc"}
_MAIL: Final = {"imap", "imaps", "pop", "mailbox", "news", "mid", "cid"}
_ONLY_TEXT: Final = "This is only text. Please drop a photo, a scan or a PDF file."
_NO_BYTES: Final = (
    "The other program offers nothing that Bahi can read. "
    "Save it to this computer first, then attach the file."
)
_NO_PICTURE: Final = (
    "The picture could not be read from the other program. "
    "Save it to this computer first, then attach the file."
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered, not read yet. `elsewhere` are the addresses of what is not on this computer."""

    paths: tuple[Path, ...] = ()
    elsewhere: tuple[QUrl, ...] = ()
    picture: bool = False
    text: bool = False
    empty: bool = False

    @property
    def has_bills(self) -> bool:
        """Return whether there are files or a picture."""
        return bool(self.paths) or self.picture

    @property
    def only_web_text(self) -> bool:
        """Return whether it is the address of a web page, copied as text."""
        return self.text and all(url.scheme().lower() in _WEB for url in self.elsewhere)

    def refusal(self) -> str:
        """Return why it cannot be attached; "" if it has bills."""
        if self.has_bills:
            return ""
        if self.elsewhere:
            return "\n".join(_elsewhere_sentences(self.elsewhere))
        return _ONLY_TEXT if self.text else _NO_BYTES


@dataclass(frozen=True, slots=True)
class Bills:
    """What was taken from an offer: open files, a picture, and a sentence about each thing that was not."""

    files: "tuple[ChosenFile, ...]" = ()
    picture: OfferedPicture | None = None
    refusals: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Return whether nothing was taken."""
        return not self.files and self.picture is None

    def close(self) -> None:
        """Close the files."""
        for file in self.files:
            file.close()


def read_offer(data: QMimeData | None) -> Offer:
    """Return what `data` offers. It reads the addresses of files, but no file and no picture."""
    formats = data.formats() if data is not None else []
    if data is None or not formats:
        return Offer(empty=True)
    urls = _urls(data, formats)
    paths = [_local_path(url) for url in urls]
    return Offer(
        tuple(path for path in paths if path is not None),
        tuple(url for url, path in zip(urls, paths, strict=True) if path is None),
        offers_picture(data),
        any(each == _TEXT or each.startswith(f"{_TEXT};") for each in formats),
    )


def take_bills(services: "Services", data: QMimeData | None, offer: Offer) -> Bills:
    """Open the files of an offer, or read its picture: afterwards `data` and the files may be gone."""
    if offer.paths:
        bills = open_bills(services, offer.paths)
        return replace(bills, refusals=(*bills.refusals, *_elsewhere_sentences(offer.elsewhere)))
    picture = offered_picture(data) if data is not None and offer.picture else None
    if picture is None:
        return Bills(refusals=(offer.refusal() or _NO_PICTURE,))
    return Bills(picture=picture)


def open_bills(services: "Services", paths: Sequence[Path]) -> Bills:
    """Open files. More than an entry can have are not even opened."""
    opened = services.documents.open_files(paths[:_MOST_FILES])
    rest = f"Only the first {_MOST_FILES} of {len(paths)} files were looked at."
    return Bills(opened.files, None, (*opened.refusals, *((rest,) if len(paths) > _MOST_FILES else ())))


def _urls(data: QMimeData, formats: list[str]) -> list[QUrl]:
    if urls := data.urls():
        return urls
    if _COPIED_FILES in formats:
        return _listed(bytes(data.data(_COPIED_FILES).data()))
    if _TEXT in formats:
        text = bytes(data.data(_TEXT).data())
        if text.startswith(_COPIED_AS_TEXT):
            return _listed(text.removeprefix(_COPIED_AS_TEXT))
    return []


def _listed(lines: bytes) -> list[QUrl]:
    """Return the addresses in a list of file managers, whose first line says `copy` or `cut`."""
    return [QUrl.fromEncoded(line.strip()) for line in lines.split(b"\n")[1:] if line.strip(b" \r\0")]


def _local_path(url: QUrl) -> Path | None:
    """Return the path of a file on this computer, None for any other address."""
    if url.scheme().lower() != "file":
        return None
    if sys.platform == "win32":
        return Path(url.toLocalFile())
    if url.host().lower() not in ("", "localhost", QSysInfo.machineHostName().lower()):
        return None  # Qt would return a path that begins with the host
    # Names are bytes here: QUrl returns another name if they are not valid UTF-8.
    encoded = url.path(QUrl.ComponentFormattingOption.FullyEncoded)
    return Path(os.fsdecode(unquote_to_bytes(encoded)))


def _elsewhere_sentences(urls: Sequence[QUrl]) -> list[str]:
    """Return a sentence for each kind of place."""
    kinds: dict[str, list[QUrl]] = {}
    for url in urls:
        kinds.setdefault(_where(url), []).append(url)
    return [_sentence(where, found) for where, found in kinds.items()]


def _where(url: QUrl) -> str:
    scheme = url.scheme().lower()
    if scheme in _WEB:
        return "on the web"
    if scheme in _PHONE:
        return "on a phone or camera"
    if scheme in _MAIL:
        return "in a mail program"
    return "on another computer" if scheme == "file" else "not on this computer"


def _sentence(where: str, urls: Sequence[QUrl]) -> str:
    name = clean_name(urls[0].fileName(), "") if len(urls) == 1 and urls[0].fileName() else ""
    what = (
        f"“{shown_name(name[:60])}” is" if name else "This is" if len(urls) == 1 else f"{len(urls)} files are"
    )
    it, file = ("it", "the file") if len(urls) == 1 else ("them", "the files")
    return f"{what} {where}. Save {it} to this computer first, then attach {file} from there."
