"""The server inside the program: what it is started with, and what keeps it from starting."""

import sys
from pathlib import Path

import pytest

from app.errors import OfflineError
from app.local_server import LocalServer


def test_a_folder_that_cannot_be_created_is_reported_and_not_retried_at_once(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    server = LocalServer(tmp_path / "home" / "server")
    for _ in range(2):
        with pytest.raises(OfflineError, match=r"could not be opened: Not a directory\."):
            server.endpoint()
    server.stop()


_SAYS_ITS_DATABASE = """
import json, os
given = [os.environ.get(name, "") for name in ("DATABASE_URL", "BAHI_DATABASE_URL", "BAHI_OTHER")]
print(json.dumps({"url": "http://" + ",".join(given)}))
"""


def test_a_database_url_of_the_shell_is_not_passed_to_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "BAHI_DATABASE_URL", "BAHI_OTHER"):
        monkeypatch.setenv(name, name)
    server = LocalServer(tmp_path, lambda _: [sys.executable, "-c", _SAYS_ITS_DATABASE])
    assert server.endpoint().url == "http://,,BAHI_OTHER"
    server.stop()
