"""Moving the book of this computer to a server: real processes, one of which dies in between."""

import signal
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from app.bootstrap import Desk, make_desk
from app.domain.entry import Direction, EntryDraft, EntryFilter, Shown
from app.errors import OfflineError
from app.local_server import forget_server_data
from app.paths import Paths
from app.services.moving import MoveProgress, MoveResult
from tests.end_to_end.conftest import ServerProcess

PASSWORD: Final = "correct horse battery"
ALL: Final = EntryFilter(shown=Shown.ALL)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """The program without its windows, the book on this computer open."""
    made = make_desk(Paths(tmp_path / "home"))
    made.services.accounts.sign_in_local("Asha", "")
    yield made
    made.close()
    forget_server_data(tmp_path / "home" / "server")


def fill(desk: Desk, samples: Path) -> None:
    """Save entries with bills, change some of them, void one and take a bill away."""
    entries, documents, sync = desk.services.entries, desk.services.documents, desk.services.sync
    for number in range(12):
        bills = (documents.attach_file(samples / "taxi-receipt.jpg"),) if number % 3 == 0 else ()
        day = date(2026, 4, 1) + timedelta(days=number)
        entries.save(
            EntryDraft(day, Decimal(100 + number), Direction.DEBIT, "Travel", f"Trip {number}", bills)
        )
    assert sync.send_pending().waiting == 0
    rows = entries.page(EntryFilter(), None).entries
    for row in rows[:4]:
        before = entries.detail(row.id)
        draft = EntryDraft(row.entry_date, row.amount * 2, Direction.CREDIT, "Sales", "Corrected")
        entries.edit(before, draft)  # without the bill that it may have had
    entries.void(entries.detail(rows[5].id))
    assert sync.send_pending().waiting == 0


def move(desk: Desk, server: ServerProcess, *, create: bool, at: int = -1) -> MoveResult:
    """Move; the server is killed once `at` entries are there."""

    def progress(step: MoveProgress) -> None:
        if step.stage == "copying" and step.entries_done == at and server.process is not None:
            server.process.send_signal(signal.SIGKILL)
            server.process.wait(20)

    return desk.services.moving.move(
        server.url, "asha", PASSWORD, create, "", progress, cancelled=lambda: False
    )


# Quick, with calls that are lost instead of a server that is killed: tests/app/services/test_moving.py.
@pytest.mark.slow
def test_the_book_of_this_computer_is_whole_at_a_server_that_was_killed_while_it_came(
    desk: Desk, regional_server: ServerProcess, samples: Path
) -> None:
    services = desk.services
    fill(desk, samples)
    page, totals = services.entries.page(ALL, None).entries, services.entries.totals(EntryFilter())
    here = services.accounts.remote.api.digest()
    histories = {row.id: services.entries.history(row.id) for row in page}
    local = services.accounts.require_session()

    with pytest.raises(OfflineError):
        move(desk, regional_server, create=True, at=5)
    assert services.moving.pending() == regional_server.url
    assert services.accounts.session == local
    assert services.entries.page(ALL, None).entries == page

    regional_server.stop()
    regional_server.start()
    result = move(desk, regional_server, create=False)
    assert (result.entries, result.documents, result.versions) == (
        *(here.entries, here.documents),
        here.versions,
    )
    assert services.accounts.session == result.session
    assert result.session.server_id == "in-mum-1"
    assert services.moving.pending() == ""
    assert services.accounts.remote.api.digest() == here
    assert services.entries.page(ALL, None).entries == page
    assert services.entries.totals(EntryFilter()) == totals
    for row in page:
        found = services.entries.history(row.id)
        assert [(v.op_id, v.action, v.entry) for v in found] == [
            (v.op_id, v.action, v.entry) for v in histories[row.id]
        ]
    (bill, *_) = [d for row in page for d in services.entries.detail(row.id).documents]
    assert services.documents.fetch(bill).read_bytes() == (samples / "taxi-receipt.jpg").read_bytes()

    saved = services.entries.save(EntryDraft(date(2026, 5, 1), Decimal(1), Direction.DEBIT, "Travel", "New"))
    assert services.sync.send_pending().waiting == 0
    assert saved.human_code not in {row.human_code for row in page}
    services.accounts.sign_out()
    services.accounts.sign_in_local("", "")
    assert services.moving.moved_to() == regional_server.url
    assert services.accounts.remote.api.digest() == here  # the old book is as it was
