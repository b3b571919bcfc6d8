"""Previews of bills: the first page with the start of the worker, and pages of many kinds after it."""

import statistics
import time
from pathlib import Path
from typing import Final

from app import resources
from app.domain.preview import PreviewRequest
from app.services.previews import Previews
from server.contract.media import SNIFF_BYTES, sniff
from tests.bench.groups import Group
from tests.bench.rows import Row, spread_of
from tests.bench.stage import Stage
from tests.support.pdf_files import PDFS
from tests.support.previewing import shown

_SAMPLES: Final = resources.ROOT / "samples"
_STARTS: Final = 11
_ROUNDS: Final = 5


def preview_first(stage: Stage) -> list[Row]:
    """`preview_first` in s: the first page of an invoice at 2,600 pixels, from `submit` until its pixels are
    there, with the start of the worker."""
    invoice = _request(_SAMPLES / "hotel-invoice.pdf", 2600)
    taken = [_first(invoice) for _ in range(_STARTS + 1)][1:]
    row = Row(
        name="preview_first",
        unit="s",
        ours=statistics.median(taken),
        goal="<= 0.2",
        samples=len(taken),
        needed=_STARTS,
        spread=spread_of(taken),
    )
    return [row]


def preview_page(stage: Stage) -> list[Row]:
    """`preview_page` in ms: a page at 800 pixels, the median of some thirty PDFs of different kinds, 5 times
    each in a worker that runs; each is opened anew."""
    requests = [_request(_SAMPLES / "hotel-invoice.pdf", 800)]
    for number, make in enumerate(PDFS.values()):
        path = stage.folder / f"bill {number}.pdf"
        make(path)
        requests.append(_request(path, 800))
    previews = Previews()
    try:
        rounds = [[_milliseconds(previews, each) for each in requests] for _ in range(_ROUNDS + 1)][1:]
    finally:
        previews.close()
    taken = [each for one in rounds for each in one]
    row = Row(
        name="preview_page",
        unit="ms",
        ours=statistics.median(taken),
        goal="<= 3",
        samples=len(taken),
        needed=_ROUNDS * len(requests),
        spread=spread_of(taken),
        note=f"slowest {max(taken):.1f} ms",
    )
    return [row]


def _request(path: Path, edge: int) -> PreviewRequest:
    with path.open("rb") as file:
        return PreviewRequest(path, sniff(file.read(SNIFF_BYTES)) or "", edge=edge)


def _first(request: PreviewRequest) -> float:
    previews = Previews()
    try:
        return _milliseconds(previews, request) / 1000
    finally:
        previews.close()


def _milliseconds(previews: Previews, request: PreviewRequest) -> float:
    began = time.perf_counter()
    shown(previews, request)
    return (time.perf_counter() - began) * 1000


GROUPS: Final = (
    Group("preview_first", ("preview_first",), preview_first),
    Group("preview_page", ("preview_page",), preview_page),
)
