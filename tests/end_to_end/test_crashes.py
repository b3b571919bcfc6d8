"""Errors of the real program: told with a report; the draft is kept, and a crash told at the next start."""

import signal
import stat
from pathlib import Path

import pytest

from tests.end_to_end.watching import Watched, watched

TITLE = "Something went wrong in Bahi"
ENDED = "Bahi ended unexpectedly last time. Your draft is back."


def open_book(program: Watched) -> None:
    """Start a book without a password."""
    program.wait_for("main_window", "Start your book")
    program.tell("press Start")
    program.wait_for("main_window", "Add entry", "Category")


def type_draft(program: Watched) -> None:
    """Write an entry, and wait until its draft is stored."""
    program.tell("type amount_field 48213.77")
    program.tell("type description_field Taxi to the lawyer")
    program.wait_for("main_window", "Draft saved")


def secrets_in(text: str, home: Path) -> list[str]:
    """Return what of the user's own is in `text`."""
    own = ("48213", "48,213", "Taxi", "lawyer", "hunter2", str(home), str(Path.home()))
    return [each for each in own if each in text]


def test_an_error_in_a_thread_and_one_in_the_window_are_one_dialog_with_a_report(tmp_path: Path) -> None:
    with watched(tmp_path) as program:
        open_book(program)
        program.tell("type description_field Taxi to the lawyer")
        program.tell(f"fail-thread hunter2 in {tmp_path}")
        shown = program.wait_for("crash_dialog", TITLE, "Go on", "Close Bahi", "Save report…", "RuntimeError")
        assert secrets_in(" ".join(shown), tmp_path) == []
        assert "  tests/end_to_end/watched_program.py, line" in " ".join(shown)
        program.tell("fail 48213.77")
        program.wait_for("crash_dialog", "1 more error has happened since.")
        assert [each["name"] for each in program.windows].count("crash_dialog") == 1
        program.tell("press Close Bahi")
        assert program.end() == 0
        assert secrets_in(program.said, tmp_path) == []
    assert not (tmp_path / "Bahi" / "crash.trace").exists()


@pytest.mark.parametrize("how", ["abort", pytest.param("kill", marks=pytest.mark.slow)])
def test_a_program_that_was_killed_says_so_once_and_has_the_draft(tmp_path: Path, how: str) -> None:
    trace = tmp_path / "Bahi" / "crash.trace"
    with watched(tmp_path, again=True) as program:
        open_book(program)
        type_draft(program)
        assert stat.S_IMODE(trace.stat().st_mode) == 0o600
        if how == "abort":
            program.tell("abort")
        else:
            program.process.send_signal(signal.SIGKILL)
        assert program.end() < 0
    assert ("Fatal Python error: Aborted" in trace.read_text(encoding="utf-8")) == (how == "abort")
    with watched(tmp_path, again=True) as program:
        program.wait_for("main_window", ENDED, "Show report")
        program.tell("press Show report")
        what = "Fatal Python error: Aborted" if how == "abort" else "ended from outside"
        shown = program.wait_for("crash_dialog", "Bahi ended unexpectedly last time.", what)
        assert secrets_in(" ".join(shown), tmp_path) == []
        program.tell("press Close")
        program.wait_for("main_window", "Draft saved")
        program.tell("close")
        assert program.end() == 0
    with watched(tmp_path) as program:
        shown = program.wait_for("main_window", "Draft saved")
        assert not [text for text in shown if "unexpectedly" in text]
