"""The contract covers every public method of every service, and the fakes have the same signatures."""

import ast
import inspect
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from app.services import Services
from app.services.accounts import Accounts
from app.services.documents import Documents
from app.services.drafts import Drafts
from app.services.entries import Entries
from app.services.exports import Exports
from app.services.moving import Moving
from app.services.outbox_items import OutboxItems
from app.services.previews import Previews
from app.services.recovery import Recovery
from app.services.sync import Sync
from app.services.sync_worker import SyncWorker
from app.store.last_folders import LastFolders
from app.store.settings import Settings
from tests.support.fake_services import FakeServices
from tests.support.fakes.accounts import FakeAccounts
from tests.support.fakes.moving import FakeMoving
from tests.support.fakes.recovery import FakeRecovery

SERVICES: dict[str, type] = {
    "accounts": Accounts,
    "entries": Entries,
    "documents": Documents,
    "drafts": Drafts,
    "exports": Exports,
    "sync": Sync,
    "outbox_items": OutboxItems,
    "settings": Settings,
    "worker": SyncWorker,
    "moving": Moving,
    "previews": Previews,
    "recovery": Recovery,
    "folders": LastFolders,
}
NO_SERVICES = {"unexpected_end"}
"""What the windows are told beside them."""
FAKES: dict[str, type] = {"accounts": FakeAccounts, "moving": FakeMoving, "recovery": FakeRecovery}
"""The others are the real classes, in the fakes too."""
_INSIDE = "services call it, never a window"
_WORKER = "the fakes run the real sync worker; tests/app/services/test_sync_worker.py covers it"
_PREVIEWS = "the fakes run the real one; tests/app/services/test_previews.py covers it"
_ITEMS = "the fakes run the real one; the tests of the views (correcting, copies of entries) cover it"
NOT_COVERED = {
    "entries.count_here": "tests/app/ui/views/test_listing_view.py covers it, on the real class",
    "outbox_items.to_correct": _ITEMS,
    "outbox_items.correct": _ITEMS,
    "outbox_items.save_copy": _ITEMS,
    "outbox_items.read_copies": _ITEMS,
    "outbox_items.add": _ITEMS,
    "accounts.remote": _INSIDE,
    "accounts.offset_us": "tests/app/services/test_accounts.py covers it, with a server whose clock differs",
    "accounts.open_pending": _INSIDE,
    "accounts.regions": _INSIDE,
    "accounts.machine": _INSIDE,
    "accounts.connection_clock": _INSIDE,
    "accounts.replayed": _INSIDE,
    "accounts.pin_anew": _INSIDE,
    "accounts.try_now": "the sync worker calls it; in the fakes the test says what the connection does",
    "accounts.is_remote": _INSIDE,
    "accounts.begin": _INSIDE,
    "accounts.close": "the desk calls it at the end of the program",
    "sync.is_sending": _INSIDE,
    "sync.replay": _INSIDE,
    "settings.folder": _INSIDE,
    "settings.device_id": _INSIDE,
    "settings.device_secret": _INSIDE,
    "moving.moved_to": "no window asks for it",
    "previews.pid": _PREVIEWS,
    "previews.submit": _PREVIEWS,
    "previews.close": _PREVIEWS,
    "previews.unlock": _PREVIEWS,
    "previews.forget_passwords": _PREVIEWS,
    "worker.state": _WORKER,
    "worker.is_sending": _WORKER,
    "worker.now": _WORKER,
    "worker.start": _WORKER,
    "worker.stop": _WORKER,
    "worker.send_now": _WORKER,
    "worker.outbox_changed": _WORKER,
    "worker.signed_in_again": _WORKER,
    "worker.send_and_wait": _WORKER,
    "worker.try_now": _WORKER,
    "worker.dismiss_move": _WORKER,
    "worker.refresh": _WORKER,
    "worker.close": _WORKER,
}
ONLY_IN_FAKES = {
    *("accounts.log_in", "accounts.move_to", "accounts.open_account", "accounts.need_server"),
    *("accounts.signed_in", "accounts.now", "accounts.wait_detail", "moving.begin"),
}
"""What the fakes share among each other, or a test calls."""


def public(kind: type) -> set[str]:
    """Return the names of the public methods and properties of a class."""
    return {
        name
        for name, member in inspect.getmembers(kind)
        if not name.startswith("_") and (callable(member) or isinstance(member, property))
    }


@cache
def called() -> frozenset[str]:
    """Return what the tests of the contract name of a service, as `entries.save`."""
    found: set[str] = set()
    for file in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                found.add(f"{node.value.attr}.{node.attr}")
    return frozenset(found)


@pytest.mark.parametrize("service", SERVICES)
def test_every_public_method_is_in_the_contract_or_excluded_with_a_reason(service: str) -> None:
    methods = {f"{service}.{name}" for name in public(SERVICES[service])}
    left_out = {name for name in NOT_COVERED if name.startswith(f"{service}.")}
    assert left_out <= methods, "a method that is left out does not exist any more"
    assert left_out.isdisjoint(called()), "a method that is left out is covered"
    assert methods - left_out <= called(), "a method is neither covered nor left out"


def test_every_service_is_listed_here() -> None:
    hints = get_type_hints(Services)
    assert {name: hint for name, hint in hints.items() if name not in NO_SERVICES} == SERVICES
    assert all(NOT_COVERED.values())


@pytest.mark.parametrize("service", FAKES)
def test_a_fake_has_the_signatures_of_the_real_service(service: str) -> None:
    real, fake = SERVICES[service], FAKES[service]
    for name in sorted(public(fake)):
        if f"{service}.{name}" in ONLY_IN_FAKES:
            continue
        assert name in public(real), f"the real {service} has no {name}"
        assert _parameters(fake, name) == _parameters(real, name), name


def test_a_fake_has_every_covered_method() -> None:
    for service, fake in FAKES.items():
        covered = {name for name in public(SERVICES[service]) if f"{service}.{name}" in called()}
        assert covered <= public(fake)


def test_the_fakes_have_the_names_of_the_services(tmp_path: Path) -> None:
    made = FakeServices(tmp_path)
    try:
        assert all(hasattr(made, name) for name in SERVICES)
    finally:
        made.close()


def _parameters(kind: type, name: str) -> Any:
    member = inspect.getattr_static(kind, name)
    if not inspect.isfunction(member):
        return None
    return [(p.name, p.kind, p.default) for p in inspect.signature(member).parameters.values()]
