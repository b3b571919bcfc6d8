"""Bills: stores them when they are attached, and downloads them when they are viewed."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.domain.entry import Attachment, DocumentInfo
from app.services.accounts import Accounts
from app.store.bill_turns import BillTurns
from app.store.chosen_files import ChosenFile, ChosenFiles, open_files, refusals_of
from app.store.durable import os_errors_translated
from app.store.files import Files
from app.store.last_folders import LastFolders
from server.contract.durable_files import temporary_beside

__all__ = ["ChosenFile", "Documents"]

_OPENING_S: Final = 1.0
_LOOKING_S: Final = 0.05
"""While a file is dragged over the window, which must not stand still."""


class Documents:
    """Stores and fetches the bytes of bills."""

    def __init__(self, accounts: Accounts, files: Files, turns: BillTurns, folders: LastFolders) -> None:
        self._accounts = accounts
        self._files = files
        self._turns = turns
        self._folders = folders

    def attach_file(self, path: Path) -> Attachment:
        """Store a copy of a file that the user chose. It is durable on return. Raises AppError."""
        kept = self._files.keep_file(path)
        self._folders.note_taken(path.parent)
        return kept

    def open_files(self, paths: Sequence[Path]) -> ChosenFiles:
        """Open files that the user chose, within a second. `attach_open` stores them.

        From then on they may be moved or deleted.
        """
        return open_files(paths, _OPENING_S)

    def refusals_of(self, paths: Sequence[Path]) -> tuple[str, ...]:
        """Return a sentence about each file that is certainly none for a bill, such as a folder."""
        return refusals_of(paths, _LOOKING_S)

    def attach_open(self, file: ChosenFile) -> Attachment:
        """Store a copy of an open file, and close it. It is durable on return. Raises AppError."""
        kept = self._files.keep_open(file)
        self._folders.note_taken(file.folder)
        return kept

    def attach_bytes(self, data: bytes, name: str) -> Attachment:
        """Store pasted bytes under a name. They are durable on return. Raises AppError."""
        return self._files.keep_bytes(data, name)

    def fetch(self, info: DocumentInfo | Attachment) -> Path:
        """Return a local file with the bytes; download and verify it if necessary. Raises AppError."""
        if self._files.has(info.sha256):
            return self._files.path(info.sha256)
        with self._accounts.remote.api.document(info.id) as pieces:
            return self._files.put(info.sha256, pieces)

    def turns(self, info: DocumentInfo | Attachment) -> int:
        """Return by how many quarters a bill is shown turned clockwise, 0 to 3. Raises StoreError."""
        return self._turns.get(info.sha256)

    def turn(self, info: DocumentInfo | Attachment, quarters: int) -> int:
        """Show a bill turned clockwise by `quarters` more; return the sum, 0 to 3. Raises StoreError.

        It is kept on this computer. The bytes of the bill stay as they are.
        """
        return self._turns.turn(info.sha256, quarters)

    def save_copy(self, info: DocumentInfo | Attachment, destination: Path) -> None:
        """Write a copy to `destination`, complete or not at all. Raises AppError."""
        source = self.fetch(info)
        # A viewer must not see half of the copy.
        with os_errors_translated(destination), temporary_beside(destination) as partial:
            shutil.copyfile(source, partial)
            partial.replace(destination)
