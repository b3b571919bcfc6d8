"""The bills on this computer: files named by their SHA-256, each complete and durable, or missing.

A file is written under a temporary name, synced and renamed, and then the folder is synced. Only then may an
outbox item name it. A crash before that leaves a `.part-` file, or a file that nothing names.
"""

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from app.domain.entry import Attachment
from app.domain.file_names import clean_name, shown_name
from app.errors import StoreError
from app.store.chosen_files import ChosenFile, check_size, open_file, refusal
from app.store.durable import os_errors_translated
from server.contract.durable_files import make_folder, replace_file, sync_file
from server.contract.limits import MAX_DOCUMENT_BYTES
from server.contract.media import SNIFF_BYTES, sniff

_PART: Final = ".part-"
_LEFT_BEHIND_S: Final = 24 * 3600.0
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Files:
    """Stores bills in one flat folder. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is created when the first bill is stored."""
        self._folder = folder
        self._lock = Lock()
        self._came_in_this_run: set[str] = set()

    def keep_file(self, path: Path) -> Attachment:
        """Store a copy of a file that the user chose. It is durable on return.

        Raises InputError if the file cannot be attached (it is missing, a folder, unreadable, empty, too
        large or of another type), and StoreError if it cannot be written.
        """
        return self.keep_open(open_file(path))

    def keep_open(self, file: ChosenFile) -> Attachment:
        """Store a copy of an open file, and close it. Raises the same errors as `keep_file`."""
        with file:
            return self._keep(file.chunks(), file.name)

    def keep_bytes(self, data: bytes, name: str) -> Attachment:
        """Store pasted bytes. Raises the same errors as `keep_file`."""
        return self._keep([data], name)

    def put(self, sha256: str, chunks: Iterable[bytes]) -> Path:
        """Store downloaded bytes and return their path. Raises StoreError if their hash is not `sha256`.

        If `chunks` raises an error, it is raised here too, and nothing is stored.
        """
        final = self.path(sha256)
        with _Incoming(self._folder) as incoming:
            for chunk in chunks:
                incoming.write(chunk)
                if incoming.byte_size > MAX_DOCUMENT_BYTES:
                    raise StoreError("The downloaded bill is too large to be the right one.")
            if incoming.finish() != sha256:
                raise StoreError("The bill arrived damaged. Please try again.", retryable=True)
            self._move_in(incoming, sha256)
        return final

    def path(self, sha256: str) -> Path:
        """Return the path of a bill, stored or not. Raises ValueError if `sha256` is malformed."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a SHA-256: {sha256!r}")
        return self._folder / sha256

    def has(self, sha256: str) -> bool:
        """Return whether a bill is on this computer."""
        return self.path(sha256).is_file()

    def remove_unused(self, keep: set[str]) -> int:
        """Remove bills that are not in `keep` and were not stored in this run. Return their number.

        A bill stored in this run may belong to an entry that is not saved yet. A file that cannot be
        removed, for example because a viewer has it open, is removed the next time.
        """
        with self._lock, os_errors_translated(self._folder):
            if not self._folder.is_dir():
                return 0
            used = keep | self._came_in_this_run
            return sum(_removed_if_unused(file, used) for file in list(self._folder.iterdir()))

    def _keep(self, chunks: Iterable[bytes], name: str) -> Attachment:
        with _Incoming(self._folder) as incoming:
            shown = shown_name(clean_name(name))
            for chunk in chunks:
                incoming.write(chunk)
                check_size(incoming.byte_size, shown)
            media_type = _type_of(incoming, shown)
            sha256 = incoming.finish()
            self._move_in(incoming, sha256)
        file_name = clean_name(name, media_type)
        return Attachment(str(uuid4()), file_name, media_type, incoming.byte_size, sha256)

    def _move_in(self, incoming: "_Incoming", sha256: str) -> None:
        # Also replaces an existing copy, which repairs it if it is damaged.
        with self._lock, os_errors_translated(self._folder):
            self._came_in_this_run.add(sha256)
            _settle(incoming.path, self.path(sha256))


class _Incoming:
    """A new file under a temporary name, which is removed at the end of the `with`. Raises StoreError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hash = hashlib.sha256()
        self.byte_size = 0
        self.head = b""
        with os_errors_translated(folder):
            make_folder(folder)
            descriptor, name = tempfile.mkstemp(prefix=_PART, dir=folder)
        self.path = Path(name)
        self._file = os.fdopen(descriptor, "wb")

    def __enter__(self) -> Self:
        return self

    def write(self, chunk: bytes) -> None:
        """Write the next bytes."""
        with os_errors_translated(self._folder):
            self._file.write(chunk)
        self._hash.update(chunk)
        self.byte_size += len(chunk)
        if len(self.head) < SNIFF_BYTES:
            self.head += chunk[: SNIFF_BYTES - len(self.head)]

    def finish(self) -> str:
        """Sync the file to disk, and return its SHA-256 in hexadecimal."""
        with os_errors_translated(self._folder):
            sync_file(self._file)
            self._file.close()
        return self._hash.hexdigest()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # on a full disk this fails again; the first error is the one to report
            self._file.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def _settle(temporary: Path, final: Path) -> None:
    try:
        replace_file(temporary, final)
    except PermissionError:
        # Windows does not replace a file that a viewer holds open; a whole copy under that name may stay.
        both = temporary.is_file() and final.is_file()
        if not both or final.stat().st_size != temporary.stat().st_size:
            raise
        temporary.unlink()


def _type_of(incoming: _Incoming, name: str) -> str:
    if not incoming.byte_size:
        raise refusal(f"“{name}” is empty.")
    media_type = sniff(incoming.head)
    if media_type is None:
        raise refusal(f"“{name}” is not a photo, a scan or a PDF file.")
    return media_type


def _is_unused(file: Path, used: set[str]) -> bool:
    if file.name.startswith(_PART):  # a newer one may still be written by another task
        return time.time() - file.stat().st_mtime > _LEFT_BEHIND_S
    return bool(_SHA256.fullmatch(file.name)) and file.name not in used


def _removed_if_unused(file: Path, used: set[str]) -> bool:
    try:
        unused = _is_unused(file, used)
        if unused:
            file.unlink()
    except OSError:
        return False
    return unused
