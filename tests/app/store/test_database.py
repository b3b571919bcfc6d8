"""The one SQLite file: durable, migrated, all or nothing, its errors as sentences."""

import json
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import NEWER_BOOK, StoreError
from app.store.database import Database
from app.store.last_program import note_program
from app.store.outbox import Outbox
from app.store.schema import MIGRATIONS
from app.store.settings import Settings

_PAYLOAD = {
    "entry_date": "2026-03-01",
    "amount": "2400.00",
    "direction": "DR",
    "category": "Stock",
    "description": "Two kettles",
}
"""An entry, as every version of the program has written it."""


class SlipError(Exception):
    """Something that goes wrong inside a transaction."""


def test_a_commit_is_synced_through_a_write_ahead_log(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
        assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1


def test_missing_folders_are_created_for_this_user_only(tmp_path: Path) -> None:
    Database(tmp_path / "a" / "b" / "client.sqlite").close()
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) & 0o077 == 0


def test_migrations_run_once_in_order_and_keep_the_data(tmp_path: Path) -> None:
    path = tmp_path / "client.sqlite"
    first = ("CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('kept')")
    Database(path, [first]).close()
    database = Database(path, [first, ("ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'new'",)])
    with database.read() as connection:
        assert [tuple(row) for row in connection.execute("SELECT * FROM t")] == [("kept", "new")]
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 2
    database.close()


def test_a_failed_migration_does_not_change_the_file(tmp_path: Path) -> None:
    path = tmp_path / "client.sqlite"
    first = ("CREATE TABLE t (a TEXT)",)
    Database(path, [first]).close()
    with pytest.raises(StoreError):
        Database(path, [first, ("CREATE TABLE u (a TEXT)", "INSERT INTO nowhere VALUES (1)")])
    database = Database(path, [first])
    with database.read() as connection:
        assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["t"]
    database.close()


def test_a_file_of_a_newer_program_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "client.sqlite"
    Database(path, [*MIGRATIONS, ("CREATE TABLE new (a TEXT)",)]).close()
    note_program(tmp_path, "7.11")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"last used by a newer Bahi \(7\.11\)") as raised:
        Database(path)
    assert raised.value.code == NEWER_BOOK
    assert not raised.value.retryable
    assert path.read_bytes() == before


def test_a_newer_program_that_was_killed_is_seen_in_the_log_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "client.sqlite"
    Database(path).close()
    with closing(sqlite3.connect(path)) as newer:  # whose commit is not in the file itself yet
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        kept = {file.name: file.read_bytes() for file in tmp_path.glob("client.sqlite*")}
    for name, content in kept.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StoreError, match="newer Bahi"):
        Database(path)
    assert path.read_bytes() == kept["client.sqlite"]
    assert (tmp_path / "client.sqlite-wal").read_bytes() == kept["client.sqlite-wal"]


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_what_each_older_program_kept_is_still_there(tmp_path: Path, version: int) -> None:
    path = tmp_path / "client.sqlite"
    Database(path, MIGRATIONS[:version]).close()
    with closing(sqlite3.connect(path)) as older, older:
        older.execute("INSERT INTO setting VALUES ('theme', 'dark')")
        older.execute("UPDATE version_clock SET last_ver = 1700000000000000")
        older.execute("INSERT INTO code_counter VALUES ('b', 'M2', 41)")
        older.execute(
            "INSERT INTO outbox (op_id, ver, book_id, kind, entry_id, human_code, payload, documents,"
            " created_us) VALUES ('o', 1700000000000000, 'b', 'create', 'e', 'M2-000041', ?, '[]', 5)",
            (json.dumps(_PAYLOAD),),
        )
    database = Database(path)
    (item,) = Outbox(database).items("b")
    assert (item.human_code, item.description, f"{item.amount}") == ("M2-000041", "Two kettles", "2400.00")
    assert Settings(database).get("theme") == "dark"
    with database.read() as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
        assert connection.execute("SELECT last FROM code_counter").fetchone()[0] == 41
    database.close()


def test_a_transaction_that_raises_is_rolled_back(database: Database) -> None:
    settings = Settings(database)

    def slip() -> None:
        with database.write():
            settings.set("theme", "dark")
            raise SlipError

    with pytest.raises(SlipError):
        slip()
    assert settings.get("theme") == ""
    settings.set("theme", "light")
    assert settings.get("theme") == "light"


def test_a_nested_write_joins_the_outer_transaction(database: Database, tmp_path: Path) -> None:
    settings = Settings(database)
    other = sqlite3.connect(tmp_path / "client.sqlite")
    with database.write():
        settings.set("theme", "dark")
        assert other.execute("SELECT count(*) FROM setting").fetchone()[0] == 0
    assert other.execute("SELECT count(*) FROM setting").fetchone()[0] == 1
    other.close()


def test_many_threads_write_at_once(database: Database) -> None:
    def add_one(_: int) -> None:
        with database.write() as connection:
            last = connection.execute("SELECT last_ver FROM version_clock").fetchone()[0]
            connection.execute("UPDATE version_clock SET last_ver = ?", (last + 1,))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(100)))
    with database.read() as connection:
        assert connection.execute("SELECT last_ver FROM version_clock").fetchone()[0] == 100


def test_a_file_that_is_not_a_database_is_reported_as_damaged_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "client.sqlite"
    path.write_bytes(b"these are not the bytes of a database " * 40)
    with pytest.raises(StoreError, match=r"client\.sqlite is damaged") as caught:
        Database(path)
    assert caught.value.code == "damaged"
    assert path.read_bytes().startswith(b"these are not")


def test_a_damaged_page_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "client.sqlite"
    database = Database(path)
    with database.read() as connection:
        page_size = connection.execute("PRAGMA page_size").fetchone()[0]
        root = "SELECT min(rootpage) FROM sqlite_schema WHERE tbl_name = 'setting'"
        first = (connection.execute(root).fetchone()[0] - 1) * page_size
    Settings(database).set("theme", "dark")
    database.close()
    content = path.read_bytes()
    path.write_bytes(content[:first] + b"\xa5" * page_size * 2 + content[first + 2 * page_size :])
    database = Database(path)
    with pytest.raises(StoreError, match="is damaged"):
        Settings(database).get("theme")
    database.close()


def test_a_full_disk_is_reported_and_writing_works_again_when_there_is_space(database: Database) -> None:
    settings = Settings(database)
    with database.read() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="The disk is full") as caught:
        settings.set("big", "x" * 1_000_000)
    assert caught.value.retryable
    assert caught.value.code == "disk_full"
    with database.read() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    settings.set("big", "x" * 1_000_000)
    assert len(settings.get("big")) == 1_000_000


def test_a_file_locked_by_another_program_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.database.BUSY_TIMEOUT_S", 0.01)
    path = tmp_path / "client.sqlite"
    database = Database(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="Another program is using") as caught:
        Settings(database).set("theme", "dark")
    assert caught.value.retryable
    other.execute("ROLLBACK")
    Settings(database).set("theme", "dark")
    other.close()
    database.close()


def test_a_folder_that_cannot_hold_the_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "client.sqlite").mkdir()
    with pytest.raises(StoreError, match="cannot write to") as caught:
        Database(tmp_path / "client.sqlite")
    assert caught.value.code == "not_allowed"
    (tmp_path / "plain").write_text("a file")
    with pytest.raises(StoreError, match="could not use"):
        Database(tmp_path / "plain" / "client.sqlite")


def test_every_call_after_closing_is_reported(tmp_path: Path) -> None:
    database = Database(tmp_path / "client.sqlite")
    database.close()
    database.close()
    with pytest.raises(StoreError, match="closed"):
        Settings(database).get("theme")
    with pytest.raises(StoreError, match="closed"):
        Settings(database).set("theme", "dark")
