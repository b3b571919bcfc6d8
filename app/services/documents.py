"""Bills: stores them when they are attached, and downloads them when they are viewed."""

import shutil
from pathlib import Path

from app.domain.entry import Attachment, DocumentInfo
from app.errors import StoreError
from app.services.accounts import Accounts
from app.store.files import Files
from server.contract.durable_files import temporary_beside


class Documents:
    """Stores and fetches the bytes of bills."""

    def __init__(self, accounts: Accounts, files: Files) -> None:
        self._accounts = accounts
        self._files = files

    def attach_file(self, path: Path) -> Attachment:
        """Store a copy of a file that the user chose. It is durable on return. Raises AppError."""
        return self._files.keep_file(path)

    def attach_bytes(self, data: bytes, name: str) -> Attachment:
        """Store pasted bytes under a name. They are durable on return. Raises AppError."""
        return self._files.keep_bytes(data, name)

    def fetch(self, info: DocumentInfo | Attachment) -> Path:
        """Return a local file with the bytes; download and verify it if necessary. Raises AppError."""
        if self._files.has(info.sha256):
            return self._files.path(info.sha256)
        with self._accounts.remote.api.document(info.id) as pieces:
            return self._files.put(info.sha256, pieces)

    def save_copy(self, info: DocumentInfo | Attachment, destination: Path) -> None:
        """Write a copy to `destination`, complete or not at all. Raises AppError."""
        source = self.fetch(info)
        try:
            with temporary_beside(destination) as partial:  # a viewer must not see half of the copy
                shutil.copyfile(source, partial)
                partial.replace(destination)
        except OSError as error:
            raise StoreError(f"The copy could not be written: {error.strerror}.") from error
