"""The vault, over a keyring of the test's own and over the one that stands where there is none."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keyring
import pytest
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringError, KeyringLocked

from app.store import vault as vault_module
from app.store.vault import MAX_BYTES, SERVICE, Keyring, TokenRecord, Vault, system_keyring
from tests.support.fake_keyring import FakeKeyring

RECORD = TokenRecord("the token", "the refresh id", "https://books.example.com", "in-mum-1/0", "book-1")
NEXT = dataclasses.replace(RECORD, refresh_token="the next token", refresh_id="another id")


def a_vault(backend: Keyring | None, name: str = "device-1") -> Vault:
    return Vault(lambda: name, lambda: backend)


def test_a_remembered_record_exists_after_a_restart() -> None:
    backend = FakeKeyring()
    vault = a_vault(backend)
    vault.begin(RECORD, remember=True)
    assert vault.kind == "keyring"
    assert a_vault(backend).load() == RECORD


def test_the_next_record_replaces_the_previous_one_also_after_a_restart() -> None:
    backend = FakeKeyring()
    a_vault(backend).begin(RECORD, remember=True)
    later = a_vault(backend)
    later.load()
    later.keep(NEXT)
    assert a_vault(backend).load() == NEXT
    assert list(backend.kept) == [(SERVICE, "device-1")]


def test_a_record_not_to_be_remembered_stays_in_memory_and_deletes_the_stored_one() -> None:
    backend = FakeKeyring()
    vault = a_vault(backend)
    vault.begin(RECORD, remember=True)
    vault.begin(NEXT, remember=False)
    vault.keep(NEXT)
    assert backend.kept == {}
    assert vault.load() == NEXT
    assert a_vault(backend).load() is None


def test_clear_deletes_the_record_everywhere_and_is_idempotent() -> None:
    backend = FakeKeyring()
    vault = a_vault(backend)
    vault.begin(RECORD, remember=True)
    vault.clear()
    vault.clear()
    assert backend.kept == {}
    assert vault.load() is None


def test_two_installations_of_one_user_have_separate_records() -> None:
    backend = FakeKeyring()
    a_vault(backend, "one").begin(RECORD, remember=True)
    assert a_vault(backend, "other").load() is None


@pytest.mark.parametrize("backend", [None, fail.Keyring()])
def test_without_a_keyring_the_record_is_kept_in_memory(
    backend: Keyring | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    vault = a_vault(backend)
    vault.begin(RECORD, remember=True)
    assert vault.kind == "memory"
    assert vault.load() == RECORD
    vault.keep(NEXT)
    assert vault.load() == NEXT
    vault.clear()
    assert vault.load() is None
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(
    "trouble",
    [
        KeyringLocked("locked"),
        KeyringError("x"),
        RuntimeError("x"),
        OSError(5),
        ImportError("x"),
        AttributeError("x"),
    ],
)
def test_after_a_keyring_error_the_record_is_kept_in_memory(trouble: Exception) -> None:
    backend = FakeKeyring()
    vault = a_vault(backend)
    vault.begin(RECORD, remember=True)
    backend.trouble = trouble
    vault.keep(NEXT)
    assert vault.kind == "memory"
    assert vault.load() == NEXT
    assert a_vault(backend).load() is None
    vault.clear()


def test_if_a_new_record_cannot_be_written_the_old_one_is_deleted() -> None:
    class Full(FakeKeyring):
        def set_password(self, service: str, username: str, password: str) -> None:
            if self.kept:
                raise KeyringError("full")
            super().set_password(service, username, password)

    backend = Full()
    vault = a_vault(backend)
    vault.begin(RECORD, remember=True)
    vault.keep(NEXT)
    assert backend.kept == {}
    assert vault.kind == "memory"


@pytest.mark.parametrize("text", ["", "not json", "[]", "{}", '{"refresh_token": 1}', "null"])
def test_a_record_of_another_program_is_ignored(text: str) -> None:
    backend = FakeKeyring()
    backend.kept[SERVICE, "device-1"] = text
    assert a_vault(backend).load() is None


def test_a_record_too_large_for_windows_stays_in_memory() -> None:
    backend = FakeKeyring()
    vault = a_vault(backend)
    vault.begin(dataclasses.replace(RECORD, refresh_token="x" * 1_200), remember=True)
    assert backend.kept == {}
    assert vault.kind == "memory"


def test_a_real_token_with_a_long_address_fits() -> None:
    from uuid import uuid4

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from server.tokens.tokens import Identity, RefreshToken, Signer, make_refresh

    who = Identity(uuid4(), uuid4(), uuid4(), uuid4())
    token = RefreshToken(who, 10**6, 10**4, "s" * 32, 2 * 10**9, 2 * 10**15)
    text = make_refresh(Signer(Ed25519PrivateKey.generate()), token, 2 * 10**9)
    record = TokenRecord(text, uuid4().hex, "https://" + "a" * 120, "s" * 32 + "/10000", str(uuid4()))
    backend = FakeKeyring()
    a_vault(backend).begin(record, remember=True)
    (kept,) = backend.kept.values()
    assert len(kept.encode("utf-16")) <= MAX_BYTES


def test_the_repr_of_a_record_contains_no_token() -> None:
    assert "token" not in repr(RECORD).replace("TokenRecord", "")
    assert "refresh id" not in repr(RECORD)


# --- which keyring --------------------------------------------------------------------------------


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    """Say which backend keyring chose."""
    return lambda backend: monkeypatch.setattr(keyring, "get_keyring", lambda: backend)


def _of_module(module: str) -> object:
    """Return what looks like a backend of `module`; keyring itself must not come to know of it."""
    return type("Keyring", (), {"__module__": module})()


def test_a_backend_that_stores_nothing_or_writes_a_file_is_not_used(chosen: Callable[[object], None]) -> None:
    for backend in (fail.Keyring(), null.Keyring(), _of_module("keyrings.alt.file"), FakeKeyring()):
        chosen(backend)
        assert system_keyring() is None


def test_the_systems_backends_are_used_alone_or_in_a_chain(
    chosen: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_service = _of_module("keyring.backends.SecretService")
    chosen(secret_service)
    assert system_keyring() is secret_service
    chain = [_of_module("keyrings.alt.file"), _of_module("keyring.backends.kwallet")]
    monkeypatch.setattr(chainer.ChainerBackend, "backends", chain)
    chosen(chainer.ChainerBackend())
    assert system_keyring() is chain[1]


def test_keyring_is_imported_only_when_it_is_needed() -> None:
    import subprocess
    import sys

    code = "import sys, app.store.vault; sys.exit('keyring' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(vault_module.__file__).parents[2], check=False
    )
    assert done.returncode == 0
