"""The server inside the program: what keeps it from starting is a sentence."""

from pathlib import Path

import pytest

from app.errors import OfflineError
from app.local_server import LocalServer


def test_a_folder_that_cannot_be_made_is_told_and_not_tried_again_at_once(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    server = LocalServer(tmp_path / "home" / "server")
    for _ in range(2):
        with pytest.raises(OfflineError, match=r"could not be opened: Not a directory\."):
            server.endpoint()
    server.stop()
