"""The soak: whether the memory of the program, its preview worker and its server grows in steady use.

Run only by name. BAHI_SOAK_MINUTES (default 30) and BAHI_SOAK_ENTRIES (default 1,000,000) say how long it
runs, and how large the book is. What was sampled is in build/soak.json.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench import report
from tests.bench.groups import Group
from tests.bench.rows import Row, rounded
from tests.bench.stage import Stage

SAMPLE_SECONDS: Final = 10.0
SETTLED_MINUTES: Final = 5.0
NEEDED: Final = 120
GOAL: Final = "<= 6"
"""MiB an hour: a working day of eight hours then costs less than 50 MiB. Less cannot be told from the noise
of half an hour, because the allocator gives memory back in steps of a few MiB."""
_ROOT: Final = Path(__file__).parents[2]
_TARGET: Final = _ROOT / "build" / "soak.json"
_OURS: Final = ("client", "worker", "server")

Sample = dict[str, float]
"""The minute, and the PSS in MiB of each kind of process."""


def soak(stage: Stage) -> list[Row]:
    """`soak_memory_slope` in MiB/h: least squares over the PSS after minute five, the worst of client, worker
    and server, while windows offscreen scroll, filter, save with bills, view bills and export. PostgreSQL's
    processes are in the note: their shared memory fills with use until it is full."""
    minutes = float(os.environ.get("BAHI_SOAK_MINUTES", "30"))
    book = stage.book("soak", int(os.environ.get("BAHI_SOAK_ENTRIES", "1000000")))
    settled = min(SETTLED_MINUTES, minutes / 3)
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_DATA_HOME": str(book.home)}
    folder = _copied_bills(stage.folder / "soak-bills")
    program = [sys.executable, "-m", "tests.bench.programs.soak"]
    told, samples = _run([*program, str(folder), str(minutes), str(settled)], environment)
    slopes = {kind: slope(samples, kind, settled) for kind in (*_OURS, "postgres")}
    _TARGET.parent.mkdir(exist_ok=True)
    _TARGET.write_text(json.dumps({"slopes": slopes, **told, "samples": samples}, indent=1), encoding="utf-8")
    report.say("\n".join(_line(samples, kind, settled, slopes[kind]) for kind in slopes))
    report.say(f"{told['actions']} actions, failed: {told['failed'] or 'none'}\ngrown: {told['grown']}")
    after = [each for each in samples if each["minute"] >= settled]
    note = ", ".join(f"{kind} {slopes[kind]:+.1f}" for kind in slopes) + f"; {told['actions']} actions"
    worst = max(slopes[kind] for kind in _OURS)
    return [Row("soak_memory_slope", "MiB/h", worst, GOAL, len(after), NEEDED, note=note)]


def _copied_bills(folder: Path) -> Path:
    """Return a folder with copies of the sample bills: what is dropped is a person's own."""
    folder.mkdir()
    for file in (_ROOT / "resources" / "samples").iterdir():
        if file.suffix in {".pdf", ".png", ".jpg"}:
            (folder / file.name).write_bytes(file.read_bytes())
    return folder


def _run(command: list[str], environment: dict[str, str]) -> tuple[dict[str, Any], list[Sample]]:
    """Run the windows to their end; return what they told, and the samples."""
    told: dict[str, Any] = {"actions": 0, "grown": [], "failed": []}
    samples: list[Sample] = []
    over = threading.Event()
    with subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        sampling: threading.Thread | None = None
        try:
            for line in process.stdout:
                values = json.loads(line)
                if "ready" in values:
                    arguments = (values["ready"], samples, over)
                    sampling = threading.Thread(target=_sample, args=arguments, daemon=True)
                    sampling.start()
                elif "failed" in values:
                    told["failed"].append(values["failed"])
                else:
                    over.set()
                    told.update(values)
        finally:
            over.set()
            process.terminate()
        if sampling is not None:
            sampling.join()
    if process.returncode and not told["actions"]:
        raise RuntimeError(f"the windows ended with status {process.returncode}")
    return told, samples


def _sample(client: int, samples: list[Sample], over: threading.Event) -> None:
    began = time.monotonic()
    while not over.wait(SAMPLE_SECONDS):
        samples.append({"minute": round((time.monotonic() - began) / 60, 3), **memory(client)})


def memory(client: int) -> Sample:
    """Return the PSS in MiB of each kind of process below `client`, itself included."""
    found = dict.fromkeys((*_OURS, "postgres", "other"), 0.0)
    for pid in _family(client):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found[_kind(pid, client)] += _pss(pid)
    return {kind: round(mib, 2) for kind, mib in found.items()}


def slope(samples: Sequence[Sample], kind: str, settled: float) -> float:
    """Return the growth in MiB an hour after minute `settled`, by least squares; 0 for fewer than two."""
    points = [(each["minute"] / 60, each[kind]) for each in samples if each["minute"] >= settled]
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return rounded(sum((x - mean_x) * (y - mean_y) for x, y in points) / spread) if spread else 0.0


def _line(samples: Sequence[Sample], kind: str, settled: float, grows: float) -> str:
    after = [each[kind] for each in samples if each["minute"] >= settled] or [0.0]
    return (
        f"{kind:9} {after[0]:7.1f} MiB at minute {settled:g}, {after[-1]:7.1f} at the end, "
        f"{max(after):7.1f} at most, {grows:+7.1f} MiB/h"
    )


def _family(client: int) -> list[int]:
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            stat = (folder / "stat").read_text(encoding="ascii", errors="replace")
            parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    family = [client]
    for pid in family:  # it grows while it is read
        family += [child for child, parent in parents.items() if parent == pid]
    return family


def _kind(pid: int, client: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    if pid == client:
        return "client"
    if b"--previews" in words:
        return "worker"
    if b"postgres" in words[0]:
        return "postgres"
    return "server" if b"--server" in words else "other"


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024


GROUPS: Final = (Group("soak", ("soak_memory_slope",), soak, campaign=True),)
