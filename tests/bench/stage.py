"""The fixture of the benchmarks: a data folder with a book of 100,000 entries, and its database."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from app.paths import Paths
from server.db.embedded import EmbeddedPostgres
from server.db.migrate import migrate
from tests.support.api import BookApi
from tests.support.postgres import remove_cluster, rows
from tests.support.seed import seed_book
from tests.support.servers import ServerProcess, server_process

SIZE: Final = 100_000
SECRET: Final = "the program's own"
USER: Final = "Asha"


@dataclass(frozen=True, slots=True)
class LocalBook:
    """A book on a computer's own server, under `home` (XDG_DATA_HOME of the program that opens it)."""

    home: Path

    @property
    def paths(self) -> Paths:
        """Where the program keeps its files."""
        return Paths(self.home / "Bahi")

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """Run its PostgreSQL, with the product's own settings, and yield the URL."""
        postgres = EmbeddedPostgres(self.paths.server)
        try:
            url = postgres.start()
            migrate(url)
            yield url
        finally:
            postgres.stop()

    @contextlib.contextmanager
    def server(self, url: str) -> Iterator[tuple[ServerProcess, BookApi]]:
        """Run its server over the database at `url`, and sign in."""
        arguments = ("--quiet", "local", "--data", str(self.paths.server))
        with server_process(*arguments, secret=SECRET, environment={"DATABASE_URL": url}) as process:
            yield process, process.api().local(USER)


class Stage:
    """Makes each thing at the first call, and removes everything at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._books: dict[str, LocalBook] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for book in self._books.values():
            remove_cluster(book.paths.server)

    def small_book(self) -> LocalBook:
        """Return a book with nothing in it."""
        return self._book("small", 0)

    def growing_book(self) -> LocalBook:
        """Return a book that has some years in it, for rows that add to it."""
        return self._book("growing", SIZE // 5)

    def full_book(self) -> LocalBook:
        """Return a book of SIZE entries."""
        return self._book("full", SIZE)

    def book(self, name: str, size: int) -> LocalBook:
        """Return a book of `size` entries for one measurement alone."""
        return self._book(name, size)

    def _book(self, name: str, size: int) -> LocalBook:
        if name not in self._books:
            self._books[name] = book = LocalBook(self.folder / name)
            with book.database() as url:
                with book.server(url) as (_, api):
                    book_id = api.book_id
                if size:
                    seed_book(url, UUID(book_id), _only_user(url), size)
        return self._books[name]


def _only_user(url: str) -> UUID:
    return UUID(str(rows(url, "select id from public.app_user")[0][0]))
