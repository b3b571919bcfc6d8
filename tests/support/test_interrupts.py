"""Tests of how the test suite handles SIGINT."""

import subprocess
import sys

from tests.support.servers import ROOT

_CHILD = "import signal, sys; sys.exit(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
_PARENT = (
    "import subprocess, sys; {first}; sys.exit(subprocess.run([sys.executable, '-c', {child!r}]).returncode)"
)


def _child_ignores_interrupts(first: str) -> bool:
    """Start a process that ignores SIGINT and runs `first`; return whether its child ignores it too."""
    script = _PARENT.format(first=first, child=_CHILD)
    command = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", sys.executable, "-c", script]
    return bool(subprocess.run(command, cwd=ROOT, check=False, stderr=subprocess.DEVNULL).returncode)


def test_children_of_the_suite_take_an_interrupt_even_if_its_caller_ignores_it() -> None:
    assert _child_ignores_interrupts("pass")
    assert not _child_ignores_interrupts("import tests.conftest")
