"""What this installation remembers."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from app.store.database import Database
from app.store.settings import Settings


def test_the_value_set_last_is_returned_after_a_restart(tmp_path: Path) -> None:
    database = Database(tmp_path / "client.sqlite")
    Settings(database).set("address", "https://one")
    Settings(database).set("address", "https://दो")
    database.close()
    database = Database(tmp_path / "client.sqlite")
    assert Settings(database).get("address") == "https://दो"
    database.close()


def test_a_setting_that_was_never_set_has_the_given_default(database: Database) -> None:
    assert Settings(database).get("theme") == ""
    assert Settings(database).get("theme", "system") == "system"


def test_the_device_id_is_generated_once_even_by_many_threads(database: Database) -> None:
    settings = Settings(database)
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: settings.device_id(), range(16)))
    assert len(ids) == 1
    assert UUID(ids.pop()).version == 4


def test_the_device_secret_is_generated_once_and_as_random_as_a_key(
    database: Database, tmp_path: Path
) -> None:
    settings = Settings(database)
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: settings.device_secret(), range(16)))
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 43  # 256 bits in base 64
    other = Database(tmp_path / "other.sqlite")
    assert Settings(other).device_secret() != settings.device_secret()
    other.close()
