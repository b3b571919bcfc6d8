"""The server's own Ed25519 keys, the first made at its first start, kept in its data folder."""

import contextlib
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from server.contract.durable_files import replace_file, write_file
from server.errors import StartError
from server.tokens.tokens import Signer

KEY: Final = "server-key.pem"
NEXT_KEY: Final = "server-key.next.pem"


def own_signers(folder: Path) -> list[Signer]:
    """Return the server's key, and the one that it signs with next where there is one. Raises StartError."""
    later = folder / NEXT_KEY
    paths = [folder / KEY, *([later] if later.exists() else [])]
    return [Signer(load_or_make_key(path)) for path in paths]


def retire_key(folder: Path) -> None:
    """Put the next key in the place of the one before, which signs nothing any more."""
    with contextlib.suppress(OSError):  # it stays where it is, and signs from there
        replace_file(folder / NEXT_KEY, folder / KEY)


def load_or_make_key(path: Path) -> Ed25519PrivateKey:
    """Return the key at `path` (PEM, readable by its owner only). Raises StartError where it is damaged."""
    if not path.exists():
        _write(path, Ed25519PrivateKey.generate())
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise StartError(f"The server's key {path} is damaged.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise StartError(f"The server's key {path} is not an Ed25519 key.")
    return key


def _write(path: Path, key: Ed25519PrivateKey) -> None:
    write_file(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), private=True)
