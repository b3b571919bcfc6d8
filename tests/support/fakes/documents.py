"""Bills in a folder."""

from dataclasses import replace
from pathlib import Path

from app.domain.entry import Attachment, DocumentInfo
from app.store.files import Files
from tests.support.fakes.book import Book


class FakeDocuments:
    """Bills in a folder."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def attach_file(self, path: Path) -> Attachment:
        """Keep a copy of `path`, checked as the program does."""
        self._book.step("attach")
        return self._note(Files(self._book.folder / "kept").keep_file(path))

    def attach_bytes(self, data: bytes, name: str) -> Attachment:
        """Keep `data`."""
        return self._note(Files(self._book.folder / "kept").keep_bytes(data, name))

    def _note(self, kept: Attachment) -> Attachment:
        data = (self._book.folder / "kept" / kept.sha256).read_bytes()
        with self._book.changing:
            self._book.files[kept.sha256] = data
            return replace(kept, id=f"doc-{len(self._book.files)}")

    def fetch(self, info: DocumentInfo | Attachment) -> Path:
        """Return a file with the bytes."""
        self._book.step("fetch")
        path = self._book.folder / info.sha256
        if not path.exists():
            path.write_bytes(self._book.files[info.sha256])
        return path

    def save_copy(self, info: DocumentInfo | Attachment, destination: Path) -> None:
        """Write the bytes to `destination`."""
        self._book.step("save_copy")
        destination.write_bytes(self._book.files[info.sha256])
