"""What a report about an error says, and above all what it does not."""

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.crash_report import (
    REMOVED,
    LoggedEvent,
    ProgramFacts,
    end_report,
    error_report,
    origin_of,
)
from app.errors import InputError

HOME = "/home/asha.rao"
FACTS = ProgramFacts(
    "0.1.0", "Debian 12, linux x86_64", "3.11.7", "6.11.3", (f"{HOME}/bahi", "/usr/lib/python3")
)
SECRETS = (
    "48,213.77",
    "Taxi to the lawyer",
    "hunter2-9",
    HOME,
    "asha",
    "Meera Textiles",
    "eyJ0b2tlbg",
    "invoice-77.pdf",
)


def in_file(name: str, source: str, scope: dict[str, object]) -> None:
    """Run `source` as if it stood in the code file `name`."""
    exec(compile(source, name, "exec"), scope)  # noqa: S102 - this test's own code


def _wrong_value() -> None:
    amount, description = "48,213.77", "Taxi to the lawyer"
    raise ValueError(f"{amount} for {description}")


def _chained() -> None:
    try:
        raise KeyError("Meera Textiles")
    except KeyError as error:
        raise InputError(f"hunter2-9 is no password of {HOME}", fields={"password": "hunter2-9"}) from error


def _while_handling() -> None:
    try:
        Path(f"{HOME}/bills/invoice-77.pdf").read_bytes()
    except OSError:
        {}["eyJ0b2tlbg"]


def _grouped() -> None:
    raise ExceptionGroup(
        "Meera Textiles", [ValueError("48,213.77"), OSError(errno.ENOSPC, "full", f"{HOME}/x")]
    )


def _with_notes() -> None:
    error = RuntimeError("hunter2-9")
    error.add_note("Taxi to the lawyer")
    raise error


def _syntax() -> None:
    compile("Meera Textiles = 48,213.77", f"{HOME}/invoice-77.pdf", "exec")


def _database() -> None:
    sqlite3.connect(":memory:").execute("select 'Taxi to the lawyer' from eyJ0b2tlbg")


def _code_elsewhere() -> None:
    in_file(f"{HOME}/Meera Textiles/plugin.py", "def f(password='hunter2-9'): return 1 / 0\nf()", {})


KINDS = (
    *(_wrong_value, _chained, _while_handling, _grouped),
    *(_with_notes, _syntax, _database, _code_elsewhere),
)


def raised(by: Callable[[], None]) -> BaseException:
    """Return what `by` raises."""
    try:
        by()
    except BaseException as error:  # noqa: BLE001 - any kind
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("kind", KINDS)
def test_no_report_has_anything_that_was_entered_or_where_it_is_kept(kind: Callable[[], None]) -> None:
    events = [LoggedEvent("12:00:01", "call"), LoggedEvent("12:00:02", "Taxi to the lawyer 48,213.77")]
    report = error_report(raised(kind), FACTS, events)
    assert [secret for secret in SECRETS if secret in report] == []
    assert REMOVED in report


def test_a_report_says_what_is_needed_to_mend_the_error() -> None:
    scope: dict[str, object] = {}
    in_file(f"{HOME}/bahi/app/ui/form.py", "class Form:\n  def save(self):\n    return 1 / 0", scope)
    report = error_report(
        raised(lambda: in_file("x", "Form().save()", scope)), FACTS, [LoggedEvent("12:00:01", "call")]
    )
    lines = report.splitlines()
    assert lines[:3] == ["Bahi 0.1.0", "System: Debian 12, linux x86_64", "Python 3.11.7, Qt 6.11.3"]
    assert f"ZeroDivisionError: {REMOVED}" in lines
    assert "  app/ui/form.py, line 3, in Form.save" in lines
    assert lines[-2:] == ["What Bahi did before", "12:00:01  call"]


def test_errors_of_the_system_are_named_by_their_symbols() -> None:
    assert f"OSError (ENOSPC): {REMOVED}" in error_report(raised(_grouped), FACTS)
    assert f"sqlite3.OperationalError (SQLITE_ERROR): {REMOVED}" in error_report(raised(_database), FACTS)


def test_all_errors_of_a_chain_are_there_and_a_ring_ends() -> None:
    report = error_report(raised(_chained), FACTS)
    assert f"app.errors.InputError: {REMOVED}" in report
    assert f"caused by KeyError: {REMOVED}" in report
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert error_report(first, FACTS).count(REMOVED) == 2


def test_a_deep_recursion_is_a_short_report() -> None:
    def deeper() -> None:
        deeper()

    report = error_report(raised(deeper), FACTS)
    assert len(report.splitlines()) < 80
    assert "more …" in report


def test_the_place_of_an_error_is_the_same_for_each_repetition() -> None:
    assert origin_of(raised(_wrong_value)) == origin_of(raised(_wrong_value))
    assert origin_of(raised(_wrong_value)) != origin_of(raised(_chained))
    assert origin_of(ValueError("never raised")) == ("ValueError", "", 0)


def test_a_trace_of_a_fatal_signal_keeps_the_places_and_drops_the_rest() -> None:
    trace = f"""Fatal Python error: Segmentation fault

Current thread 0x00007f0d0c5ff6c0 (most recent call first):
  File "{HOME}/bahi/app/ui/form.py", line 12 in Form.save
  File "{HOME}/Meera Textiles/plugin.py", line 3 in f
Taxi to the lawyer 48,213.77 hunter2-9

Extension modules: shiboken6.Shiboken, eyJ0b2tlbg (total: 2)
"""
    report = end_report(trace, FACTS)
    assert "Fatal Python error: Segmentation fault" in report
    assert "  app/ui/form.py, line 12, in Form.save" in report
    assert "  plugin.py, line 3, in f" in report
    assert [secret for secret in SECRETS if secret in report] == []


def test_a_program_that_left_no_trace_was_ended_from_outside() -> None:
    assert "It was ended from outside" in end_report("", FACTS)
    assert len(end_report("x" * 10_000_000, FACTS)) < 1000
