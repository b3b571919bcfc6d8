"""The program without its windows, signed in at a cluster, saving entries with bills; its worker sends them.

argv: home, number, the link of the cluster, seconds between two entries, and, where it is to prove that all
its data are where it says, the cluster's folder. It says what happens as JSON lines on standard output:
{"ready"}, {"saved": {…}} once `entries.save` has returned, {"http": {…}} of each HTTP request that it made
(moments of `time.monotonic()`, "status" 0 where no answer came), {"broken": name} of a task whose parts went
to two servers, {"error": sentence} of each run of the outbox that stopped, {"phase": …} of the session
machine, {"claim": {…}} (`tests.bench.programs.claims`). It takes lines on standard input: "try now" presses
that button, "drain" means: save no more, send everything, say {"drained": {…}} and end.
"""

import json
import os
import random
import sys
import threading
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from app.bootstrap import Desk, make_desk
from app.domain.connection_status import Phase
from app.domain.entry import Direction, EntryDraft, EntryFilter
from app.domain.sync_events import MachineChanged, SessionChange
from app.errors import AppError
from app.paths import Paths
from app.services.sync import Sync, SyncReport
from server.contract import paths
from tests.bench.programs.claims import Claims

_MOST_WAITING: Final = 25
_DAY: Final = date(2026, 4, 1)
_SIZES: Final = (500, 20_000, 60_000)
PASSWORD: Final = "correct horse battery"
_KINDS: Final = (
    (paths.DOCUMENTS_PLAN, "plan"),
    ("/v1/blobs/", "upload"),
    (paths.ENTRIES, "entries"),
    (paths.AUTH_REFRESH, "refresh"),
    ("/v1/auth/", "auth"),
    (paths.CLOSEST_TO_ME, "closest"),
    ("/health/", "probe"),
    (paths.SERVERS, "discovery"),
)


_saying: Final = threading.Lock()


def say(**values: object) -> None:
    """Write one line, at once: what is written before a kill arrives. A claim of a long day is more than a
    pipe takes in one piece, and another thread's line would come in between."""
    line = json.dumps(values).encode() + b"\n"
    with _saying:
        while line:
            line = line[os.write(1, line) :]


class Watch:
    """Reports every HTTP request of this process, whoever makes it; the program knows nothing of it."""

    def __init__(self) -> None:
        self._planned = threading.local()
        self._send = requests.Session.request
        watch = self

        def request(session: requests.Session, method: str, url: str, **more: Any) -> requests.Response:
            return watch.call(session, method, url, **more)

        requests.Session.request = request  # type: ignore[assignment, method-assign]

    def call(self, session: requests.Session, method: str, url: str, **more: Any) -> requests.Response:
        """Make the request and say how it went."""
        at, status, error = time.monotonic(), 0, ""
        try:
            answer = self._send(session, method, url, **more)
            status = answer.status_code
        except requests.RequestException as failure:
            error = type(failure).__name__
            raise
        else:
            return answer
        finally:
            self._note(method, url, at, status, error)

    def _note(self, method: str, url: str, at: float, status: int, error: str) -> None:
        parts = urlsplit(url)
        kind = next((name for path, name in _KINDS if parts.path.startswith(path)), "other")
        ended = time.monotonic()
        told = {"kind": kind, "to": parts.netloc, "at": at, "end": ended, "status": status, "error": error}
        say(http=told)
        self._follow_task(kind, method, parts.netloc, status)

    def _follow_task(self, kind: str, method: str, to: str, status: int) -> None:
        """A task is plan, upload, create, at one server from its beginning to its end."""
        planned = getattr(self._planned, "at", "")
        if planned and kind in {"plan", "upload", "entries"} and planned != to:
            say(broken=kind)
        if kind == "plan":
            self._planned.at = to if status == 200 else ""
        elif kind == "entries" and method == "POST":
            self._planned.at = ""


class Phases:
    """Tells each phase of the session machine once, in the thread in which it began."""

    def __init__(self) -> None:
        self._last: Phase | None = None

    def take(self, change: SessionChange) -> None:
        """Tell the phase if it is another."""
        if isinstance(change, MachineChanged) and change.machine.shown is not self._last:
            self._last = change.machine.shown
            say(phase=self._last.value, at=time.monotonic())


def main() -> None:
    """Save until killed or told to drain."""
    home, number, link, pause = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
    desk = make_desk(Paths(home))
    Watch()
    _sign_in(desk, number, link)
    claims = Claims(desk, Path(sys.argv[5]), say) if len(sys.argv) > 5 else None
    desk.services.accounts.changes.subscribe(Phases().take)
    _tell_errors(desk.services.sync)
    desk.services.worker.start()
    say(ready=True)
    draining = threading.Event()
    threading.Thread(target=_listen, args=(desk, draining), daemon=True).start()
    _save(desk, random.Random(number), number, pause, draining, claims)
    _send_the_rest(desk)
    if claims is not None:
        claims.wait()
    _tell_totals(desk)
    desk.services.accounts.sign_out()  # else its server would wait for it when it is drained
    desk.close()


def _tell_totals(desk: Desk) -> None:
    totals = desk.services.entries.totals(EntryFilter())
    report = desk.services.worker.send_and_wait()
    told = {"count": totals.count, "out": str(totals.money_out), "in": str(totals.money_in)}
    say(drained={**told, "refused": report.refused, "waiting": report.waiting})


def _listen(desk: Desk, draining: threading.Event) -> None:
    for line in sys.stdin:
        if line.strip() != "try now":
            break
        desk.services.worker.try_now()
    draining.set()


def _sign_in(desk: Desk, number: int, link: str) -> None:
    for _ in range(50):
        try:
            desk.services.accounts.sign_in_remote(link, f"client-{number}", PASSWORD, create=True)
        except AppError as error:
            say(error=error.message)
            time.sleep(0.2)
        else:
            return
    sys.exit("it could not sign in")


def _save(
    desk: Desk,
    chance: random.Random,
    client: int,
    pause: float,
    draining: threading.Event,
    claims: Claims | None,
) -> None:
    number = 0
    while not draining.wait(pause * chance.uniform(0.5, 1.5)):
        if desk.services.sync.waiting() >= _MOST_WAITING:
            continue
        if claims is not None and not claims.may_save():
            continue
        number += 1
        draft = _draft(desk, chance, f"{client}-{number}")
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
        if claims is not None:
            claims.saved(listed.id, [bill.sha256 for bill in draft.attachments])


def _draft(desk: Desk, chance: random.Random, name: str) -> EntryDraft:
    bills = tuple(
        desk.services.documents.attach_bytes(
            b"\x89PNG\r\n\x1a\n" + chance.randbytes(chance.choice(_SIZES)), f"bill {index}.png"
        )
        for index in range(chance.choice((0, 1, 1, 2)))
    )
    return EntryDraft(
        entry_date=_DAY + timedelta(days=chance.randrange(200)),
        amount=Decimal(chance.randrange(1, 10_000_000)) / 100,
        direction=chance.choice((Direction.DEBIT, Direction.CREDIT)),
        category=chance.choice(("Travel", "Office", "Meals", "Stock", "किराया")),
        description=f"kill {name} bills {len(bills)}",
        attachments=bills,
    )


def _tell_errors(sync: Sync) -> None:
    """Let each run of the outbox that stopped be told, whoever asked for it."""
    send_pending = sync.send_pending

    def told() -> SyncReport:
        report = send_pending()
        if report.error is not None:
            say(error=f"{type(report.error).__name__}: {report.error.message}", at=time.monotonic())
        return report

    sync.send_pending = told  # type: ignore[method-assign]


def _send_the_rest(desk: Desk) -> None:
    desk.services.worker.send_now()
    while desk.services.sync.waiting():
        time.sleep(0.02)


if __name__ == "__main__":
    main()
