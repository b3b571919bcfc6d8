"""The server's own key."""

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from server.errors import StartError
from server.tokens.keys import load_or_make_key
from server.tokens.tokens import Signer


def test_the_key_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "server-key.pem"
    assert Signer(load_or_make_key(path)).kid == Signer(load_or_make_key(path)).kid


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_the_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "server-key.pem"
    load_or_make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_key_is_told_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "server-key.pem"
    path.write_text("nothing of a key")
    with pytest.raises(StartError, match="damaged"):
        load_or_make_key(path)
    assert path.read_text() == "nothing of a key"


def test_a_key_of_another_type_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "server-key.pem"
    other = generate_private_key(65537, 2048)
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(StartError, match="Ed25519"):
        load_or_make_key(path)
