"""The program without its windows, saving entries with bills in a loop and sending them, until it is killed.

argv: home, the run's number, the marker file. It says what happens as JSON lines on standard output:
{"ready"}, {"server": pid}, {"saved": {…}} once `entries.save` has returned, {"sent": n}, {"error": sentence};
a line on standard input means: save no more, send everything, say {"drained": {…}} and end.
Which phase each of its two threads is in stands in the marker file, two bytes, for whoever kills it.
"""

import json
import mmap
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from app.bootstrap import Desk, make_desk
from app.domain.entry import Direction, EntryDraft, EntryFilter
from app.errors import AppError
from app.paths import Paths
from app.remote.api import Api
from app.services.sync import Sync, SyncReport
from app.store.files import Files
from app.store.outbox import Outbox

PHASES: Final = ("idle", "attach", "outbox add", "plan", "upload", "create", "confirm", "starting")
SAVER, SENDER = 0, 1
_MOST_WAITING: Final = 25
_DAY: Final = date(2026, 4, 1)


class Marker:
    """The marker file: the kernel keeps its page when we are killed."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), 2)

    def put(self, slot: int, phase: str) -> None:
        """Say where a thread is."""
        self._bytes[slot] = PHASES.index(phase)

    def around(self, owner: type, name: str, slot: int, phase: str) -> None:
        """Mark every call of a method of the program, which itself knows nothing of it."""
        method: Callable[..., Any] = getattr(owner, name)

        def marked(*arguments: Any, **more: Any) -> Any:
            self.put(slot, phase)
            try:
                return method(*arguments, **more)
            finally:
                self.put(slot, "idle")

        setattr(owner, name, marked)


def say(**values: object) -> None:
    """Write one line in one piece: what is written before a kill arrives."""
    os.write(1, json.dumps(values).encode() + b"\n")


def main() -> None:
    """Save until killed or told to drain."""
    home, run, marker = Path(sys.argv[1]), int(sys.argv[2]), Marker(Path(sys.argv[3]))
    marker.put(SAVER, "starting")
    marker.put(SENDER, "starting")
    desk = make_desk(Paths(home))
    _sign_in(desk)
    _mark(marker)
    _report_runs()
    say(ready=True)
    draining = threading.Event()
    threading.Thread(target=_listen, args=(draining,), daemon=True).start()
    threading.Thread(target=_report_server, args=(desk,), daemon=True).start()
    desk.services.worker.start()
    _save(desk, random.Random(run), run, draining)
    while desk.services.sync.waiting():
        time.sleep(0.005)
    totals = desk.services.entries.totals(EntryFilter())
    refused = desk.services.worker.send_and_wait().refused
    told = {
        "count": totals.count,
        "out": str(totals.money_out),
        "in": str(totals.money_in),
        "refused": refused,
    }
    say(drained={**told, "waiting": desk.services.sync.waiting()})
    desk.close()


def _listen(draining: threading.Event) -> None:
    sys.stdin.readline()
    draining.set()


def _sign_in(desk: Desk) -> None:
    while True:
        try:
            desk.services.accounts.sign_in_local("Asha", "")
        except AppError as error:
            say(error=error.message)
            time.sleep(0.1)
        else:
            say(server=desk.local_server.pid)
            return


def _mark(marker: Marker) -> None:
    marker.put(SAVER, "idle")
    marker.put(SENDER, "idle")
    marker.around(Files, "keep_bytes", SAVER, "attach")
    marker.around(Outbox, "add", SAVER, "outbox add")
    for name in ("plan", "upload", "create"):
        marker.around(Api, name, SENDER, name)
    marker.around(Outbox, "confirm", SENDER, "confirm")


def _save(desk: Desk, chance: random.Random, run: int, draining: threading.Event) -> None:
    number = 0
    while not draining.is_set():
        if desk.services.sync.waiting() >= _MOST_WAITING:
            time.sleep(0.005)
            continue
        number += 1
        draft = _draft(desk, chance, f"{run}-{number}")
        listed = desk.services.entries.save(draft)
        desk.services.worker.outbox_changed()
        say(
            saved={
                "id": listed.id,
                "code": listed.human_code,
                "date": draft.entry_date.isoformat(),
                "amount": str(draft.amount),
                "cr_dr": draft.direction.value,
                "category": draft.category,
                "description": draft.description,
                "bills": [bill.sha256 for bill in draft.attachments],
            }
        )


def _draft(desk: Desk, chance: random.Random, name: str) -> EntryDraft:
    bills = tuple(
        desk.services.documents.attach_bytes(
            b"\x89PNG\r\n\x1a\n" + chance.randbytes(chance.choice((500, 20_000, 300_000))),
            f"bill {index}.png",
        )
        for index in range(chance.choice((0, 1, 1, 2, 3)))
    )
    return EntryDraft(
        entry_date=_DAY + timedelta(days=chance.randrange(200)),
        amount=Decimal(chance.randrange(1, 10_000_000)) / 100,
        direction=chance.choice((Direction.DEBIT, Direction.CREDIT)),
        category=chance.choice(("Travel", "Office", "Meals", "Stock", "किराया")),
        description=f"kill {name} bills {len(bills)}",
        attachments=bills,
    )


def _report_server(desk: Desk) -> None:
    """Say which process is the server of this computer, each time that it is another."""
    server = desk.local_server.pid
    while True:
        time.sleep(0.02)
        if desk.local_server.pid != server:
            server = desk.local_server.pid
            say(server=server)


def _report_runs() -> None:
    """Say how each run of the outbox ended; the program knows nothing of it."""
    send = Sync.send_pending

    def reported(sync: Sync) -> SyncReport:
        report = send(sync)
        if report.sent:
            say(sent=report.sent)
        if report.error is not None:
            say(error=report.error.message)
        return report

    Sync.send_pending = reported  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    main()
