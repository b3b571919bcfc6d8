"""The real program refuses a book that a newer one has used, says so, and changes nothing in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

from app.store.last_program import note_program
from server.db.embedded import EmbeddedPostgres
from server.db.migrate import migrate
from tests.end_to_end.watching import watched

NEWER = "This book was last used by a newer Bahi (7.11). Please install that version, or a later one."


def test_a_store_of_a_newer_program_is_told_in_the_first_window(tmp_path: Path) -> None:
    home = tmp_path / "Bahi"
    home.mkdir(mode=0o700)
    note_program(home, "7.11")
    with closing(sqlite3.connect(home / "client.sqlite")) as newer:
        newer.execute("CREATE TABLE something_new (a TEXT)")
        newer.execute("PRAGMA user_version = 999")
    before = (home / "client.sqlite").read_bytes()
    with watched(tmp_path) as program:
        shown = program.wait_for("Bahi could not open your book", NEWER)
        assert "Try again" not in shown
        program.tell("press Close")
        assert program.end() == 1
        assert f"bahi: {NEWER}" in program.said
    assert (home / "client.sqlite").read_bytes() == before
    assert not (home / "server").exists()


def test_a_database_of_a_newer_program_is_told_and_the_program_closes(tmp_path: Path) -> None:
    home = tmp_path / "Bahi"
    home.mkdir(mode=0o700)
    note_program(home, "7.11")
    postgres = EmbeddedPostgres(home / "server")
    try:
        url = postgres.start()
        migrate(url)
        with psycopg.connect(url) as newer:
            newer.execute("insert into schema_migration (number, name, sha256) values (9999, 'new', '')")
    finally:
        postgres.stop()
    with watched(tmp_path) as program:
        shown = program.wait_for("Your book could not be opened.", NEWER)
        assert "Try again" not in shown
        program.tell("press Close Bahi")
        assert program.end() == 0
