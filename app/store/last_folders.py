"""Where bills were last taken from, and where files were last saved: where the next dialog begins."""

from pathlib import Path
from typing import Final

from app.errors import StoreError
from app.store.chosen_files import first_folder
from app.store.settings import Settings

_TAKEN: Final = "last_taken_from"
_SAVED: Final = "last_saved_in"
_LOOKING_S: Final = 0.2
"""A network drive that is away must not hold a dialog back."""


class LastFolders:
    """Two settings. It is no trouble if they cannot be read or written: a dialog then begins elsewhere."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def taken_from(self) -> Path | None:
        """Return the folder of the bill that was attached last; None if there is none any more."""
        return self._folder(_TAKEN)

    def saved_in(self) -> Path | None:
        """Return the folder in which a file was saved last; None if there is none any more."""
        return self._folder(_SAVED)

    def path_to_save(self, file_name: str) -> str:
        """Return the path of a new file in the folder of `saved_in`, or only its name if there is none."""
        folder = self.saved_in()
        return file_name if folder is None else str(folder / file_name)

    def note_taken(self, folder: Path) -> None:
        """Remember that a bill was taken from `folder`."""
        self._note(_TAKEN, folder)

    def note_saved(self, folder: Path) -> None:
        """Remember that a file was saved in `folder`."""
        self._note(_SAVED, folder)

    def _folder(self, key: str) -> Path | None:
        try:
            kept = self._settings.get(key)
        except StoreError:
            return None
        return first_folder([Path(kept)], _LOOKING_S) if kept else None

    def _note(self, key: str, folder: Path) -> None:
        try:
            text = str(folder.absolute())
            text.encode()  # a name that is no text cannot be kept
            if self._settings.get(key) != text:
                self._settings.set(key, text)
        except (StoreError, ValueError, OSError):
            return
