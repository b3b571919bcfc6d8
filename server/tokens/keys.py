"""The server's own Ed25519 keys, the first made at its first start, kept in its data folder."""

import contextlib
import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

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
        (folder / NEXT_KEY).replace(folder / KEY)


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
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(pem)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(path)
