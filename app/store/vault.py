"""The vault: stores the refresh token in the operating system's keyring, or in memory if there is none.

The token is never written to a file, so a keyring that only writes a file (keyrings.alt) is not used. There
is one record, and it is written in one call, so that a crash leaves either the old record or the new one.
"""

import contextlib
import importlib
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Final, Literal, Protocol

_log = logging.getLogger(__name__)
SERVICE: Final = "Bahi"
MAX_BYTES: Final = 2_560
"""The limit on Windows (CRED_MAX_CREDENTIAL_BLOB_SIZE in wincred.h), where keyring writes UTF-16."""

_TRUSTED: Final = (
    "keyring.backends.macOS",
    "keyring.backends.Windows",
    "keyring.backends.SecretService",
    "keyring.backends.libsecret",
    "keyring.backends.kwallet",
)
_BACKEND_ERRORS: Final = (
    ("jeepney", "DBusErrorResponse"),
    ("secretstorage.exceptions", "SecretStorageException"),
    ("win32ctypes.pywin32.pywintypes", "error"),
)
VaultKind = Literal["keyring", "memory"]


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """One generation of a session's refresh token, and the id of its next rotation, also after a crash.

    `server` is the address that was typed at the log-in ("" for the local server). `pin` is the server and
    epoch that the session is pinned to, in the form of `pin_of`.
    """

    refresh_token: str = field(repr=False)
    refresh_id: str = field(repr=False)
    server: str
    pin: str
    book_id: str


class Keyring(Protocol):
    """The part of keyring.backend.KeyringBackend that is used here."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret; None if there is none."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store the secret."""

    def delete_password(self, service: str, username: str) -> None:
        """Delete the secret. Raises PasswordDeleteError if there is none."""


def system_keyring() -> Keyring | None:
    """Return the system's keyring; None if there is none that is secure. May take 0.1 s."""
    import keyring
    from keyring.backends.chainer import ChainerBackend

    chosen = keyring.get_keyring()
    backends = chosen.backends if isinstance(chosen, ChainerBackend) else [chosen]
    return next((b for b in backends if type(b).__module__.startswith(_TRUSTED)), None)


class Vault:
    """Holds the token record of this installation. Thread-safe.

    `name` returns the name of the record in the keyring; it is different for each installation of a user. No
    method raises: if the keyring fails, the record stays in memory and `place` becomes "memory".
    """

    def __init__(
        self, name: Callable[[], str], open_keyring: Callable[[], Keyring | None] = system_keyring
    ) -> None:
        self._name = name
        self._open = open_keyring
        self._lock = threading.RLock()
        self._opened = False
        self._keyring: Keyring | None = None
        self._record: TokenRecord | None = None
        self._remember = False

    @property
    def kind(self) -> VaultKind:
        """Where a record to be remembered is stored. The first call opens the keyring (up to 0.1 s)."""
        with self._lock:
            return "memory" if self._backend() is None else "keyring"

    def begin(self, record: TokenRecord, *, remember: bool) -> None:
        """Store the record of a new session. With `remember`, it goes into the keyring; otherwise any earlier
        record is deleted from there."""
        with self._lock:
            self._remember = remember
            if not remember:
                self._erase()
            self.keep(record)

    def keep(self, record: TokenRecord) -> None:
        """Store the next record of the same session, in the place of the previous one."""
        with self._lock:
            self._record = record
            if self._remember:
                self._write(_encode(record))

    def load(self) -> TokenRecord | None:
        """Return the record, from the keyring after a start; None if there is none."""
        with self._lock:
            if self._record is None and (found := self._read()) is not None:
                self._record, self._remember = found, True
            return self._record

    def clear(self) -> None:
        """Delete the record, in the keyring too."""
        with self._lock:
            self._record, self._remember = None, False
            self._erase()

    # --- inside ----------------------------------------------------------------------------------

    def _backend(self) -> Keyring | None:
        if not self._opened:
            self._opened = True
            try:
                self._keyring = self._open()
            except _failures() as error:
                self._give_up(error)
        return self._keyring

    def _read(self) -> TokenRecord | None:
        backend = self._backend()
        if backend is None:
            return None
        try:
            text = backend.get_password(SERVICE, self._name())
        except _failures() as error:
            self._give_up(error)
            return None
        return _decode(text) if text else None

    def _write(self, text: str) -> None:
        backend = self._backend()
        if backend is None:
            return
        if len(text.encode("utf-16")) > MAX_BYTES:
            _log.warning("session too large for the keyring; kept in memory")
            self._erase()
            self._keyring = None
            return
        try:
            backend.set_password(SERVICE, self._name(), text)
        except _failures() as error:
            self._erase()  # the next start must not use an older generation of the token
            self._give_up(error)

    def _erase(self) -> None:
        backend = self._backend()
        if backend is None:
            return
        try:
            if backend.get_password(SERVICE, self._name()) is not None:
                backend.delete_password(SERVICE, self._name())
        except _failures() as error:
            self._give_up(error)

    def _give_up(self, error: BaseException) -> None:
        # Only the type of the error: its text might contain secrets.
        _log.warning("keyring failed; session kept in memory", extra={"error": type(error).__name__})
        self._keyring = None


_PIN_KEY: Final = "lock"
"""The key of `TokenRecord.pin` in the JSON record, as earlier versions wrote it."""


def _encode(record: TokenRecord) -> str:
    values = asdict(record)
    values[_PIN_KEY] = values.pop("pin")
    return json.dumps(values, separators=(",", ":"))


def _decode(text: str) -> TokenRecord | None:
    """Return the record; None if another version or another program wrote it."""
    try:
        values = json.loads(text)
        record = TokenRecord(pin=values.pop(_PIN_KEY), **values)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return record if all(isinstance(value, str) for value in asdict(record).values()) else None


def _failures() -> tuple[type[BaseException], ...]:
    """Return the errors that a keyring raises: keyring's own, and those of the libraries below it.

    ImportError and AttributeError: the user's settings name a back end that is not there.
    """
    from keyring.errors import KeyringError

    found: list[type[BaseException]] = [KeyringError, RuntimeError, OSError, ImportError, AttributeError]
    for module, name in _BACKEND_ERRORS:
        with contextlib.suppress(ImportError):  # each of these libraries exists on one system only
            found.append(getattr(importlib.import_module(module), name))
    return tuple(found)
