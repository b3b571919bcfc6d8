"""The Ed25519 keys of a server, in its data folder. The first one is created at the first start."""

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
from server.contract.private_files import read_private
from server.errors import StartError
from server.tokens.tokens import Signer

KEY: Final = "server-key.pem"
NEXT_KEY: Final = "server-key.next.pem"


def own_signers(folder: Path) -> list[Signer]:
    """Return the server's key, and its next key if there is one. Raises StartError."""
    next_key = folder / NEXT_KEY
    paths = [folder / KEY, *([next_key] if next_key.exists() else [])]
    return [Signer(load_or_make_key(path)) for path in paths]


def retire_key(folder: Path) -> None:
    """Replace the key by the next key, which is in use now."""
    with contextlib.suppress(OSError):  # the next key can also be used from its own file
        replace_file(folder / NEXT_KEY, folder / KEY)


def load_or_make_key(path: Path) -> Ed25519PrivateKey:
    """Return the key in the file `path` (PEM); create it if there is none.

    Raises StartError if it is damaged or cannot be read.
    """
    if not path.exists():
        _write(path, Ed25519PrivateKey.generate())
    try:
        key = load_pem_private_key(read_private(path), password=None)
    except ValueError as error:
        raise StartError(f"The server's key {path} is damaged.") from error
    except OSError as error:
        raise StartError(f"The server's key {path} cannot be read: {error.strerror}.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise StartError(f"The server's key {path} is not an Ed25519 key.")
    return key


def _write(path: Path, key: Ed25519PrivateKey) -> None:
    write_file(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), private=True)
