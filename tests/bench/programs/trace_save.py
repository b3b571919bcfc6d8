"""Which files and functions of ours one Save passes: `python -m tests.bench.programs.trace_save [--list]`.

The real window, offscreen, with its real services and its own server and database. All is left to come to
rest; an entry is typed by keys and saved; the trace ends when all rests again. It tells

- strictly: on the desk what ran from the press of Save until the row left the outbox, without what reads and
  draws the lists, and without what runs every few seconds anyway; on the server what its writing calls ran.
- with the refreshes: all that ran from the press until everything rested, on both.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QRunnable, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.bench.call_trace import Activation, CallTrace, Function
from tests.bench.programs.traced_server import VARIABLE

_PATIENCE: Final = 120.0
_REST: Final = 3.0
"""Seconds without work until the program is taken to rest."""
_READS: Final = frozenset(
    {
        *("Entries.page", "Entries.pending", "Entries.overridden", "Entries.totals", "Entries.detail"),
        *("Entries.suggest_categories", "Entries.suggest_descriptions", "Entries.history"),
        *("Entries.replication", "Entries.whereabouts", "Documents.fetch"),
    }
)
_DRAWS: Final = frozenset(
    {
        *("paint", "paintEvent", "sizeHint", "minimumSizeHint", "heightForWidth", "hasHeightForWidth"),
        *("data", "rowCount", "columnCount", "index", "flags", "headerData", "resizeEvent", "showEvent"),
        *("doLayout", "setGeometry", "count", "itemAt", "expandingDirections"),
    }
)
"""What Qt calls to draw a widget, or to ask a model for what is drawn."""
_LISTS: Final = (
    "app/ui/models/",
    *(f"app/ui/views/{name}.py" for name in ("listing_view", "details_panel", "totals_foot", "outbox_view")),
    *(f"app/ui/views/{name}.py" for name in ("document_viewer", "outbox_card", "filter_bar")),
    *(f"app/ui/widgets/{name}.py" for name in ("entry_table", "entry_delegate", "card_list")),
)
"""What shows entries; a saved one is no part of it yet."""
_REFRESH: Final = "refresh"


@dataclass
class Count:
    """Distinct functions of ours."""

    functions: set[Function] = field(default_factory=set)

    def add(self, activations: Iterable[Activation]) -> None:
        """Count what these ran."""
        for each in activations:
            self.functions |= each.functions

    def line(self, what: str) -> str:
        """Return files and functions in one line, on the desk and on the server."""
        files = {function.file for function in self.functions}
        app = sum(file.startswith("app/") for file in files)
        return (
            f"{what:20} {len(files):4} files ({app} app, {len(files) - app} server)"
            f" {len(self.functions):5} functions"
        )


def main() -> None:
    """Trace one Save and print what it passed."""
    trace = CallTrace(_label_of)
    trace.install()
    _trace_pool_threads(trace)
    with tempfile.TemporaryDirectory(prefix="bahi-trace-") as home:
        desk_calls, pressed, confirmed, server_calls = _traced(trace, Path(home))
    own = _by_itself(desk_calls, pressed)
    after = [each for each in desk_calls if each.began >= pressed]
    strict, whole = Count(), Count()
    strict.add(each for each in after if each.began <= confirmed and _is_on_the_way(each, own))
    whole.add(after)
    calls = [each for each in server_calls if each.began >= pressed]
    strict.add(each for each in calls if each.label and not each.label.startswith("GET "))
    whole.add(each for each in calls if each.label)
    print(f"from the press to the confirmation: {(confirmed - pressed) * 1000:.0f} ms, traced")
    print("calls:", ", ".join(dict.fromkeys(each.label for each in calls if each.label)))
    print(strict.line("strictly"))
    print(whole.line("with the refreshes"))
    if "--list" in sys.argv:
        for function in sorted(whole.functions):
            print("*" if function in strict.functions else " ", *function)


def _label_of(function: Function) -> str:
    draws = function.name.rpartition(".")[2] in _DRAWS
    return _REFRESH if draws or function.name in _READS or function.file.startswith(_LISTS) else ""


def _by_itself(calls: list[Activation], pressed: float) -> dict[Function, set[Function]]:
    """Return what ran while all rested, by what began it."""
    found: dict[Function, set[Function]] = {}
    for each in calls:
        if each.began < pressed:
            found.setdefault(each.root, set()).update(each.functions)
    return found


def _is_on_the_way(each: Activation, own: dict[Function, set[Function]]) -> bool:
    return each.label != _REFRESH and not each.functions <= own.get(each.root, set())


def _trace_pool_threads(trace: CallTrace) -> None:
    """Hear of the calls in the threads of Qt's pool, which Python did not start."""
    from app.ui import tasks

    for kind in list(vars(tasks).values()):
        if isinstance(kind, type) and issubclass(kind, QRunnable) and kind is not QRunnable:
            kind.run = _heard(kind.run, trace)  # type: ignore[method-assign]


def _heard(run: Callable[[QRunnable], None], trace: CallTrace) -> Callable[[QRunnable], None]:
    def heard(job: QRunnable) -> None:
        trace.install_here()
        run(job)

    return heard


def _traced(trace: CallTrace, home: Path) -> tuple[list[Activation], float, float, list[Activation]]:
    from app.bootstrap import make_desk
    from app.local_server import LocalServer, forget_server_data
    from app.paths import Paths
    from app.ui.desktop import Desktop
    from app.ui.main_window import MainWindow
    from app.ui.tasks import Tasks
    from app.ui.theme import Mode, Theme

    application = QApplication([])
    os.environ[VARIABLE] = str(home / "server.json")
    paths = Paths(home / "Bahi")
    desk = make_desk(paths, LocalServer(paths.server, _traced_server))
    tasks = Tasks(application)
    window = MainWindow(desk.services, tasks, Theme(application, Mode.LIGHT), Desktop(), proposed_name="Asha")
    window.show()
    window.start()
    try:
        _wait("the log-in", lambda: window.login.card.submit_button.isVisible() and not tasks.busy)
        window.login.submit()
        _wait("the book", lambda: window.signed_in and not tasks.busy)

        def rests() -> bool:
            return not tasks.busy and not desk.services.sync.waiting()

        for number in range(2):  # the first one is not traced: whatever is imported late is here then
            window.show_add()
            form = window.entry.form
            QTest.keyClicks(form.amount, f"12{number}")
            QTest.keyClicks(form.category, "Travel")
            QTest.keyClicks(form.description, "Taxi to the client")
            _rest(rests)
            if number:
                trace.record()
                _spin(_REST * 2)
            pressed = time.monotonic()
            QTest.keyClick(form.description, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
            _wait("the entry to wait", lambda: bool(desk.services.sync.waiting()))
            _wait("the confirmation", lambda: not desk.services.sync.waiting())
            confirmed = _confirmed(trace)
            _rest(rests)
        activations = list(trace.activations)
    finally:
        window.close()
        tasks.shutdown()
        desk.close()
    calls = json.loads((home / "server.json").read_text(encoding="utf-8"))
    forget_server_data(paths.server)
    told = [
        Activation(Function("", ""), began, label, {Function(*each) for each in functions})
        for label, began, functions in calls
    ]
    return activations, pressed, confirmed, told


def _confirmed(trace: CallTrace) -> float:
    return max(at for function, at in trace.returned.items() if function.name == "Outbox.confirm")


def _traced_server(data: Path) -> list[str]:
    program = [sys.executable, "-m", "tests.bench.programs.traced_server"]
    return [*program, "--quiet", "local", "--data", str(data), "--parent-fd", "0"]


def _wait(what: str, happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not come"
        QApplication.processEvents()
        time.sleep(0.002)


def _rest(rests: Callable[[], bool]) -> None:
    """Return once nothing has been done for a while."""
    deadline, since = time.monotonic() + _PATIENCE, time.monotonic()
    while time.monotonic() - since < _REST:
        assert time.monotonic() < deadline, "it does not come to rest"
        QApplication.processEvents()
        time.sleep(0.002)
        since = since if rests() else time.monotonic()


def _spin(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.002)


if __name__ == "__main__":
    main()
