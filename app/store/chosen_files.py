"""Files that the user chose, open for reading.

What is open stays readable when the program that offered it moves or deletes it. The file that is checked is
the one that is read: both go by the descriptor, not by the name.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Final, Self, TypeVar

from app.domain.file_names import clean_name, shown_name
from app.errors import InputError
from server.contract.limits import MAX_DOCUMENT_BYTES
from server.contract.private_files import AT_ONCE

T = TypeVar("T")
_CHUNK: Final = 1024 * 1024


class ChosenFile:
    """A regular file, open for reading. Close it, or use it in a `with`."""

    def __init__(self, descriptor: int, path: Path) -> None:
        """`path` may be gone. Its name is shown in sentences; it need not be valid for a disk."""
        self._descriptor = descriptor
        self._lock = Lock()
        self._open = True
        self.name = path.name
        self.folder = path.parent

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces of up to 1 MiB. Raises InputError."""
        shown = shown_name(clean_name(self.name))
        try:
            while chunk := os.read(self._descriptor, _CHUNK):
                yield chunk
        except OSError as error:
            raise refusal(f"“{shown}” cannot be read: {error.strerror or 'the disk failed'}.") from error

    def close(self) -> None:
        """Close the file. A second call does nothing."""
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class ChosenFiles:
    """The files that could be opened, in order, and a sentence about each that could not."""

    files: tuple[ChosenFile, ...] = ()
    refusals: tuple[str, ...] = ()


def refusal(sentence: str) -> InputError:
    """Return the error for a bill that cannot be attached."""
    return InputError(sentence, fields={"documents": sentence})


def check_size(byte_size: int, name: str) -> None:
    """Raise InputError if a file of `byte_size` bytes is too large for a bill."""
    if byte_size > MAX_DOCUMENT_BYTES:
        most = MAX_DOCUMENT_BYTES // (1024 * 1024)
        raise refusal(f"“{name}” is larger than {most} MB.")


def open_file(path: Path) -> ChosenFile:
    """Open a file. Raises InputError if it is missing, no regular file, unreadable, or too large."""
    shown = shown_name(clean_name(path.name))
    check_path(path)  # before it is opened, because opening a device can have an effect
    descriptor = _opened(path, shown)
    try:
        _check_status(os.fstat(descriptor), shown)
    except InputError:
        os.close(descriptor)
        raise
    return ChosenFile(descriptor, path)


def check_path(path: Path) -> None:
    """Raise the errors of `open_file` that show without opening the file."""
    shown = shown_name(clean_name(path.name))
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise refusal(f"“{shown}” no longer exists.") from error
    except (OSError, ValueError) as error:
        raise _unreadable(error, shown) from error
    _check_status(found, shown)


def _check_existing(path: Path) -> None:
    if os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a name that is not valid
        check_path(path)


def open_files(paths: Sequence[Path], seconds: float) -> ChosenFiles:
    """Open files, and refuse those that are not open after `seconds`.

    A network drive that is away can block for minutes, and no call ends that. So the files are opened in a
    thread; it ends when the drive answers, and then closes what nobody waits for any more.
    """
    found = _in_time(paths, open_file, lambda file: file.close(), seconds)
    return ChosenFiles(
        tuple(each for each in found if isinstance(each, ChosenFile)),
        tuple(
            each.message if isinstance(each, InputError) else _no_answer(path)
            for path, each in zip(paths, found, strict=True)
            if not isinstance(each, ChosenFile)
        ),
    )


def refusals_of(paths: Sequence[Path], seconds: float) -> tuple[str, ...]:
    """Return a sentence about each path that is known, within `seconds`, to be none of a file for a bill.

    A path that does not exist yet may be one of a file: some programs write it when it is dropped.
    """
    found = _in_time(paths, _check_existing, lambda _none: None, seconds)
    return tuple(each.message for each in found if isinstance(each, InputError))


def first_folder(paths: Sequence[Path], seconds: float) -> Path | None:
    """Return the first path that is known, within `seconds`, to be one of a folder."""
    found = _in_time(paths, _is_folder, lambda _is: None, seconds)
    return next((path for path, is_folder in zip(paths, found, strict=True) if is_folder is True), None)


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises for a folder that may not be looked into


def _in_time(
    paths: Sequence[Path], work: Callable[[Path], T], discard: Callable[[T], None], seconds: float
) -> list[T | InputError | None]:
    """Return the result or the error for each path; None for those that were not ready after `seconds`."""
    found: list[T | InputError | None] = [None] * len(paths)
    lock, ended, late = Lock(), Event(), Event()

    def run() -> None:
        for number, path in enumerate(paths):
            result = _outcome(work, path)
            with lock:
                if late.is_set():
                    if not isinstance(result, InputError):
                        discard(result)
                    return
                found[number] = result
        ended.set()

    Thread(target=run, name="chosen files", daemon=True).start()
    ended.wait(seconds)
    with lock:
        late.set()
        return list(found)


def _outcome(work: Callable[[Path], T], path: Path) -> T | InputError:
    try:
        return work(path)
    except InputError as error:
        return error


def _opened(path: Path, shown: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | AT_ONCE)
    except FileNotFoundError as error:
        raise refusal(f"“{shown}” no longer exists.") from error
    except (OSError, ValueError) as error:
        raise _unreadable(error, shown) from error


def _check_status(found: os.stat_result, shown: str) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise refusal(f"“{shown}” is a folder. Please choose the files in it.")
    if not stat.S_ISREG(found.st_mode):
        raise refusal(f"“{shown}” is not a file that can be copied.")
    check_size(found.st_size, shown)


def _unreadable(error: OSError | ValueError, shown: str) -> InputError:
    if isinstance(error, PermissionError):
        return refusal(f"“{shown}” cannot be read: you do not have permission to open it.")
    reason = error.strerror if isinstance(error, OSError) else "its name is not valid"
    return refusal(f"“{shown}” cannot be read: {reason or 'the disk failed'}.")


def _no_answer(path: Path) -> str:
    name = shown_name(clean_name(path.name))
    return f"“{name}” is on a disk or network drive that does not answer. Please try again."
