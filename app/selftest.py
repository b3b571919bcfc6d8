"""`bahi --selftest`: whether all parts of the program work on this computer. It shows no window.

It uses a book of its own in a temporary folder, which it removes.
"""

import os
import shutil
import ssl
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from queue import Empty, Queue
from typing import Final

from app import resources
from app.domain.entry import Direction, EntryDraft, EntryFilter
from app.domain.preview import Preview, PreviewRequest, Urgency
from app.errors import AppError, InputError
from app.local_server import forget_server_data
from app.paths import Paths

_SECONDS: Final = 15
_SAMPLES: Final = resources.ROOT / "samples"
# Where Linux distributions keep the authorities that they trust, if OpenSSL's own places are empty.
_STORES: Final = (
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
)
# What a part that is missing or broken raises.
_FAILURES: Final = (
    *(AppError, OSError, ImportError, RuntimeError, ValueError, TypeError),
    *(LookupError, AttributeError, NameError),
)


class SelfTestError(Exception):
    """A part does not work. The text is a sentence."""


def main() -> int:
    """Run every check and print a line for each; return the exit status."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    folder = Path(tempfile.mkdtemp(prefix="bahi-selftest-"))
    try:
        passed = [_passes(name, partial(check, folder)) for name, check in _CHECKS]
    finally:
        forget_server_data(_paths(folder).server)
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if all(passed) else 1


def _passes(name: str, check: Callable[[], str]) -> bool:
    try:
        outcome, passed = f"ok  {check()}", True
    except (SelfTestError, *_FAILURES) as error:
        outcome, passed = f"FAILED: {str(error) or type(error).__name__}", False
    sys.stdout.write(f"{name:<16}{outcome}\n")
    sys.stdout.flush()
    return passed


def _paths(folder: Path) -> Paths:
    return Paths(folder / "Bahi")


def _database(folder: Path) -> str:
    """Make a book, save an entry with a bill in it, and read it back from its database."""
    from app.bootstrap import make_desk

    desk = make_desk(_paths(folder))
    try:
        services = desk.services
        services.accounts.sign_in_local("Self-test", "")
        bill = services.documents.attach_file(_SAMPLES / "taxi-receipt.jpg")
        draft = EntryDraft(date(2026, 4, 1), Decimal("12.50"), Direction.DEBIT, "Travel", "Taxi", (bill,))
        services.entries.save(draft)
        report = services.worker.send_and_wait()
        found = services.entries.page(EntryFilter(), None).entries
        if [each.amount for each in found] != [draft.amount] or found[0].document_count != 1:
            raise SelfTestError(f"The entry that was saved is not in the database ({report}).")
        return f"{found[0].human_code} is in the database, with its bill"
    finally:
        desk.close()


def _preview(file_name: str, media_type: str) -> str:
    from app.services.previews import Previews

    answers: Queue[Preview | InputError] = Queue()
    previews = Previews()
    try:
        previews.submit(PreviewRequest(_SAMPLES / file_name, media_type), Urgency.IN_VIEW, answers.put)
        answer = answers.get(timeout=_SECONDS)
    except Empty:
        raise SelfTestError(f"{file_name} was not drawn in {_SECONDS} seconds.") from None
    finally:
        previews.close()
    if isinstance(answer, InputError):
        raise answer
    if len(set(answer.pixels[::4])) < 2:
        raise SelfTestError(f"The page of {file_name} is empty.")
    return f"{file_name}, {answer.width} × {answer.height} pixels"


def _previews(_folder: Path) -> str:
    return _preview("taxi-receipt.jpg", "image/jpeg")


def _pdf(_folder: Path) -> str:
    return _preview("hotel-invoice.pdf", "application/pdf")


def _key_store(_folder: Path) -> str:
    from app.store.vault import system_keyring

    found = system_keyring()
    return "none: memory" if found is None else type(found).__module__


def _tls(_folder: Path) -> str:
    """Check that certificates are checked, and that the system has authorities to trust."""
    from server.contract.tls import client_context

    context = client_context()
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.org")  # loads the store
    if context.verify_mode is not ssl.CERT_REQUIRED or not context.check_hostname:
        raise SelfTestError("Certificates are not checked.")
    if sys.platform != "linux":
        return "the store of the system"
    store = _certificate_store()
    if store is None:
        raise SelfTestError("The system trusts no certificate. Please install its package ca-certificates.")
    return str(store)


def _certificate_store() -> Path | None:
    """Return the file or folder with the authorities that this Linux trusts; None if there is none."""
    defaults = ssl.get_default_verify_paths()
    if defaults.capath and any(Path(defaults.capath).glob("*.0")):
        return Path(defaults.capath)
    files = [Path(name) for name in (defaults.cafile, *_STORES) if name]
    return next((path for path in files if path.is_file() and path.stat().st_size > 0), None)


def _windows(_folder: Path) -> str:
    """Import everything that opens at a start."""
    import app.ui.application
    import app.ui.main_window  # noqa: F401

    return "the windows are there"


def _camera(_folder: Path) -> str:
    from app.ui.camera.selftest import frames_arrive

    if not frames_arrive(_SECONDS):
        raise SelfTestError("No picture gets through the capture session.")
    return "pictures get through the capture session (no camera was used)"


def _fonts(_folder: Path) -> str:
    from app.ui.selftest import missing_fonts

    if missing := missing_fonts():
        raise SelfTestError(f"The program's fonts are missing: {', '.join(missing)}.")
    return "the program's fonts are loaded"


_CHECKS: Final[tuple[tuple[str, Callable[[Path], str]], ...]] = (
    ("database", _database),
    ("preview worker", _previews),
    ("PDF", _pdf),
    ("keyring", _key_store),
    ("TLS", _tls),
    ("fonts", _fonts),
    ("windows", _windows),
    ("capture", _camera),
)
