"""Where the refresh token is kept: the operating system's keyring, or memory where there is none.

Never a file: a keyring that only writes one (keyrings.alt) is not used. There is one record, written
whole, so that a crash at any moment leaves either the old one or the new one.
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
"""What Windows takes (CRED_MAX_CREDENTIAL_BLOB_SIZE in wincred.h); keyring writes UTF-16 there."""

_TRUSTED: Final = (
    "keyring.backends.macOS",
    "keyring.backends.Windows",
    "keyring.backends.SecretService",
    "keyring.backends.libsecret",
    "keyring.backends.kwallet",
)
_LEAKED: Final = (
    ("jeepney", "DBusErrorResponse"),
    ("secretstorage.exceptions", "SecretStorageException"),
    ("win32ctypes.pywin32.pywintypes", "error"),
)
VaultPlace = Literal["keyring", "memory"]


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """One generation of a session, and the id by which it will be rotated, now or after a crash.

    `server` is the address ("" for this computer's own), `pin` the server and epoch that the token is
    bound to, `book_id` the book that it opens.
    """

    refresh_token: str = field(repr=False)
    refresh_id: str = field(repr=False)
    server: str
    pin: str
    book_id: str


class Keyring(Protocol):
    """What is used of keyring's backends (keyring.backend.KeyringBackend)."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret, None where there is none."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep the secret."""

    def delete_password(self, service: str, username: str) -> None:
        """Remove the secret; raises PasswordDeleteError where there is none."""


def system_keyring() -> Keyring | None:
    """Return the system's keyring, None where there is none that keeps secrets. May take 0.1 s."""
    import keyring
    from keyring.backends.chainer import ChainerBackend

    chosen = keyring.get_keyring()
    backends = chosen.backends if isinstance(chosen, ChainerBackend) else [chosen]
    return next((b for b in backends if type(b).__module__.startswith(_TRUSTED)), None)


class Vault:
    """The one record of this installation, which `name` tells from others of the same user.

    Usable from several threads. No method fails: what the keyring does not take stays in memory, and
    `place` says so.
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
    def place(self) -> VaultPlace:
        """Say where a record that is to be remembered goes; found out at the first call, in up to 0.1 s."""
        with self._lock:
            return "memory" if self._backend() is None else "keyring"

    def begin(self, record: TokenRecord, *, remember: bool) -> None:
        """Keep a new session's record; unless it is to be remembered, the keyring forgets the last one."""
        with self._lock:
            self._remember = remember
            if not remember:
                self._erase()
            self.keep(record)

    def keep(self, record: TokenRecord) -> None:
        """Keep the next record of the same session, where the last one is."""
        with self._lock:
            self._record = record
            if self._remember:
                self._write(_encode(record))

    def load(self) -> TokenRecord | None:
        """Return the record, after a start the one in the keyring."""
        with self._lock:
            if self._record is None and (found := self._read()) is not None:
                self._record, self._remember = found, True
            return self._record

    def clear(self) -> None:
        """Forget the record everywhere."""
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
            _log.warning("session too large for the keyring")
            self._erase()
            self._keyring = None
            return
        try:
            backend.set_password(SERVICE, self._name(), text)
        except _failures() as error:
            self._erase()  # an older generation must not be tried again at the next start
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
        # The kind of error only: its text may come from anywhere.
        _log.warning("no keyring", extra={"error": type(error).__name__})
        self._keyring = None


_PIN_KEY: Final = "lock"
"""The key of `TokenRecord.pin` in the keyring's record."""


def _encode(record: TokenRecord) -> str:
    values = asdict(record)
    values[_PIN_KEY] = values.pop("pin")
    return json.dumps(values, separators=(",", ":"))


def _decode(text: str) -> TokenRecord | None:
    """Return the record; None for what another version, or another program, left there."""
    try:
        values = json.loads(text)
        record = TokenRecord(pin=values.pop(_PIN_KEY), **values)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return record if all(isinstance(value, str) for value in asdict(record).values()) else None


def _failures() -> tuple[type[BaseException], ...]:
    """Return what keyrings raise: keyring's own errors, and those that leak through from below it."""
    from keyring.errors import KeyringError

    found: list[type[BaseException]] = [KeyringError, RuntimeError, OSError]
    for module, name in _LEAKED:
        with contextlib.suppress(ImportError):  # each is there on one system only
            found.append(getattr(importlib.import_module(module), name))
    return tuple(found)
