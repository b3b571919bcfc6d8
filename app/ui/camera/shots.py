"""The pictures that were taken in the dialog and are to become bills."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.domain.quadrilateral import Quadrilateral
from app.errors import AppError
from app.ui.camera.photo import Photo, developed
from app.ui.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture with its file name; `photo` is None while it is being made."""

    name: str
    photo: Photo | None = None


class Shots(QObject):
    """Makes bills of pictures, in threads, and keeps them in order.

    `made` carries the number of a picture that is ready, and `failed` one that was given up and why.
    `settled` is emitted when none is being made any more.
    """

    made = Signal(int)
    failed = Signal(int, str)
    settled = Signal()

    def __init__(self, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._shots: dict[int, Shot] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._shots)

    @property
    def being_made(self) -> bool:
        """Return whether a picture is being made."""
        return any(shot.photo is None for shot in self._shots.values())

    def names(self) -> Collection[str]:
        """Return the file names."""
        return {shot.name for shot in self._shots.values()}

    def all(self) -> tuple[Shot, ...]:
        """Return the pictures in order."""
        return tuple(self._shots.values())

    def thumb(self, number: int) -> QImage:
        """Return the small picture of one that is ready."""
        photo = self._shots[number].photo
        return photo.thumb if photo is not None else QImage()

    def add(self, picture: QImage, shape: Quadrilateral, name: str) -> int:
        """Make a bill of the part `shape` of `picture`; return its number."""
        self._last += 1
        self._shots[self._last] = Shot(name)
        done, failed = partial(self._done, self._last), partial(self._given_up, self._last)
        self._tasks.run(lambda: developed(picture, shape), done, failed, owner=self, local=True)
        return self._last

    def remove(self, number: int) -> None:
        """Remove a picture, ready or not."""
        if self._shots.pop(number, None) is not None:
            self._tell_settled()

    def _done(self, number: int, photo: Photo) -> None:
        if number in self._shots:
            self._shots[number] = replace(self._shots[number], photo=photo)
            self.made.emit(number)
            self._tell_settled()

    def _given_up(self, number: int, error: AppError) -> None:
        if self._shots.pop(number, None) is not None:
            self.failed.emit(number, error.message)
            self._tell_settled()

    def _tell_settled(self) -> None:
        if not self.being_made:
            self.settled.emit()
