"""One look at a setting before the store is open."""

from pathlib import Path

from app.store.database import Database
from app.store.peek import kept_setting
from app.store.settings import Settings


def test_a_stored_setting_is_returned(tmp_path: Path) -> None:
    database = Database(tmp_path / "client.sqlite")
    Settings(database).set("theme", "dark")
    assert kept_setting(tmp_path / "client.sqlite", "theme") == "dark"
    assert kept_setting(tmp_path / "client.sqlite", "other") == ""
    database.close()
    assert kept_setting(tmp_path / "client.sqlite", "theme") == "dark"


def test_without_a_setting_or_database_the_result_is_empty_and_no_file_is_created(tmp_path: Path) -> None:
    assert kept_setting(tmp_path / "none.sqlite", "theme") == ""
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "text").write_text("not a database " * 100)
    assert kept_setting(tmp_path / "text", "theme") == ""
