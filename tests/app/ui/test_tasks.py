"""The bridge to threads: results, errors, owners, and an end without a crash."""

import gc
import threading
import weakref

import pytest
from PySide6.QtCore import QObject, QThread
from pytestqt.qtbot import QtBot

from app.errors import AppError, InputError
from app.ui.tasks import Relay, Tasks


@pytest.fixture
def owner(qapp: object) -> QObject:
    return QObject()


def test_a_result_arrives_on_the_gui_thread(qtbot: QtBot, tasks: Tasks, owner: QObject) -> None:
    seen: list[tuple[int, object, object]] = []
    tasks.run(
        lambda: (41 + 1, threading.get_ident()),
        lambda answer: seen.append((answer[0], answer[1], threading.get_ident())),
        owner=owner,
    )
    qtbot.waitUntil(lambda: bool(seen))
    value, worker, receiver = seen[0]
    assert value == 42
    assert worker != receiver == threading.get_ident()


def test_an_app_error_is_passed_to_failed(qtbot: QtBot, tasks: Tasks, owner: QObject) -> None:
    failures: list[AppError] = []
    results: list[object] = []

    def work() -> None:
        raise InputError("No.", fields={"amount": "No."})

    tasks.run(work, results.append, failures.append, owner=owner)
    qtbot.waitUntil(lambda: bool(failures))
    assert failures[0].fields == {"amount": "No."}
    assert results == []


def test_an_unexpected_exception_is_reported_as_a_crash(qtbot: QtBot, owner: QObject) -> None:
    tasks = Tasks()
    failures: list[AppError] = []

    def work() -> None:
        raise ZeroDivisionError

    with qtbot.waitSignal(tasks.crashed) as caught:
        tasks.run(work, lambda _none: None, failures.append, owner=owner)
    assert isinstance(caught.args[0], ZeroDivisionError)
    assert len(failures) == 1
    assert tasks.shutdown()


def test_a_newer_run_of_the_same_topic_supersedes_an_older_one(
    qtbot: QtBot, tasks: Tasks, owner: QObject
) -> None:
    gate = threading.Event()
    seen: list[str] = []

    def slow() -> str:
        gate.wait(60)
        return "old"

    tasks.run(slow, seen.append, owner=owner, topic="query")
    tasks.run(lambda: "new", seen.append, owner=owner, topic="query")
    qtbot.waitUntil(lambda: seen == ["new"])
    gate.set()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert seen == ["new"]


def test_local_work_never_waits_for_calls_to_servers(qtbot: QtBot, tasks: Tasks, owner: QObject) -> None:
    gate = threading.Event()
    seen: list[str] = []
    for _ in range(20):
        tasks.run(lambda: gate.wait(60), lambda _gone: None, owner=owner)
    tasks.run(lambda: "saved", seen.append, owner=owner, local=True)
    qtbot.waitUntil(lambda: seen == ["saved"])
    gate.set()
    qtbot.waitUntil(lambda: not tasks.busy)


def test_queued_local_work_is_done_before_shutdown(owner: QObject) -> None:
    tasks, made = Tasks(), []
    for number in range(20):
        tasks.run(lambda n=number: made.append(n), lambda _none: None, owner=owner, local=True)
    assert tasks.shutdown()
    assert len(made) == 20


def test_equal_topics_of_different_owners_are_independent(qtbot: QtBot, tasks: Tasks, owner: QObject) -> None:
    other = QObject()
    seen: list[str] = []
    tasks.run(lambda: "one", seen.append, owner=owner, topic="query")
    tasks.run(lambda: "two", seen.append, owner=other, topic="query")
    qtbot.waitUntil(lambda: sorted(seen) == ["one", "two"])


def test_nothing_is_delivered_to_a_deleted_owner(qtbot: QtBot, tasks: Tasks) -> None:
    gate = threading.Event()
    seen: list[object] = []
    owner = QObject()
    tasks.run(lambda: gate.wait(60), seen.append, owner=owner)
    with qtbot.waitSignal(owner.destroyed):
        owner.deleteLater()
    gate.set()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert seen == []


def test_a_dropped_result_is_not_delivered(qtbot: QtBot, tasks: Tasks, owner: QObject) -> None:
    gate = threading.Event()
    seen: list[object] = []
    number = tasks.run(lambda: gate.wait(60), seen.append, owner=owner)
    tasks.drop(number)
    gate.set()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert seen == []


def test_shutdown_waits_for_running_work_and_delivers_nothing_afterwards(
    qtbot: QtBot, owner: QObject
) -> None:
    tasks = Tasks()
    seen: list[object] = []
    started = threading.Event()

    def work() -> str:
        started.set()
        QThread.msleep(50)
        return "late"

    tasks.run(work, seen.append, owner=owner)
    assert started.wait(30)
    assert tasks.shutdown()
    assert tasks.run(lambda: "never", seen.append, owner=owner) == 0
    qtbot.wait(1)
    assert seen == []


def test_hundreds_of_short_runs_all_arrive(qtbot: QtBot, tasks: Tasks, owner: QObject) -> None:
    seen: list[int] = []
    for number in range(500):
        tasks.run(lambda number=number: number, seen.append, owner=owner)  # type: ignore[misc]
    qtbot.waitUntil(lambda: len(seen) == 500)
    assert sorted(seen) == list(range(500))


def test_reports_from_a_thread_arrive_in_order(qtbot: QtBot, tasks: Tasks, owner: QObject) -> None:
    relay = Relay()
    seen: list[object] = []
    relay.reported.connect(seen.append)

    def work() -> None:
        for number in range(20):
            relay.report(number)

    tasks.run(work, lambda _none: None, owner=owner)
    qtbot.waitUntil(lambda: seen == list(range(20)))


def test_a_report_to_a_deleted_relay_does_nothing(qtbot: QtBot) -> None:
    relay = Relay()
    with qtbot.waitSignal(relay.destroyed):
        relay.deleteLater()
    relay.report(1)


def test_twenty_thousand_calls_that_return_none_do_not_abort(qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QWidget

    widget = QWidget()
    qtbot.addWidget(widget)
    for number in range(20_000):
        widget.setEnabled(bool(number % 2))
    assert widget.isEnabled()


class Burden:
    """Something that work refers to."""


def test_what_work_refers_to_is_released_when_it_has_ended(
    qtbot: QtBot, tasks: Tasks, owner: QObject
) -> None:
    alive: list[weakref.ref[Burden]] = []
    results: list[object] = []

    def start(*, local: bool) -> None:
        burden = Burden()
        alive.append(weakref.ref(burden))
        tasks.run(lambda: id(burden), results.append, owner=owner, local=local)

    for number in range(40):
        start(local=number % 2 == 0)
    qtbot.waitUntil(lambda: len(results) == 40)
    gc.collect()
    qtbot.waitUntil(lambda: not any(each() for each in alive))  # the last thread may not have left its work
